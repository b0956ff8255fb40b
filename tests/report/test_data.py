from __future__ import annotations

import itertools
import json
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from lingshu.core.errors import UserError
from lingshu.core.files import write_json
from lingshu.core.images import ImageStore, read_index
from lingshu.core.sample import write_samples
from lingshu.core.tables import sample_table
from lingshu.core.verdicts import read_verdicts
from lingshu.report.contamination import Cell, contamination
from lingshu.report.data import funnel_charts, kinds, source_lines
from lingshu.report.funnel import HELD_OUT, SAMPLE_STEPS, funnel
from lingshu.report.mixtures import mixture_groups
from lingshu.report.pictures import choose, dropped, thumbnail_name, write_thumbnails
from tests.small_run import METRICS

SOURCES = ["films", "phantom"]


def test_every_step_accounts_for_what_the_one_before_kept(data_tree: Path) -> None:
    for source in SOURCES:
        steps = [step for step in funnel(data_tree, SOURCES) if step.source == source]
        for before, after in itertools.pairwise(steps):
            if after.name != "mixed":
                assert after.kept + sum(after.dropped.values()) == before.kept, after


def test_funnel_numbers_and_reasons(data_tree: Path) -> None:
    films = {step.name: step for step in funnel(data_tree, SOURCES) if step.source == "films"}
    assert (films["normalize"].kept, films["normalize"].dropped) == (16, {"UNDECODABLE": 1})
    assert (films["training split"].kept, films["training split"].dropped) == (12, {HELD_OUT: 4})
    assert films["gate"].dropped == {"NO_GATE": 1}
    assert films["mixed"].kept == films["classify_modality"].kept == 8


def test_a_split_that_training_lets_in_is_not_counted_as_held_out(data_tree: Path) -> None:
    write_json(data_tree / "metrics/mix/instruct.json", {"held_out_rows": {"films/test": 4}})
    films = {step.name: step for step in funnel(data_tree, SOURCES) if step.source == "films"}
    assert (films["training split"].kept, films["training split"].dropped) == (16, {HELD_OUT: 0})


def test_the_contamination_matrix(data_tree: Path) -> None:
    found = contamination(data_tree)
    assert found.benchmarks == ["films_report", "films_vqa"]
    assert found.sources == [("films", [Cell(0, 0), Cell(1, 0)], 1), ("phantom", [Cell(0, 0), Cell(1, 1)], 1)]
    assert (found.report_only, found.not_checked) == (False, [])
    assert found.not_clean == ["films_vqa"]


def test_what_report_only_and_absent_benchmarks_say(data_tree: Path) -> None:
    path = data_tree / METRICS
    metrics = json.loads(path.read_text())
    path.write_text(json.dumps(metrics | {"report_only": {}, "dropped": {}, "not_checked": {"slake": "no network"}}))
    found = contamination(data_tree)
    assert (found.report_only, found.not_checked) == (True, ["slake"])
    assert [dropped for _, _, dropped in found.sources] == [0, 0]


def test_proposals_have_their_own_funnel(data_tree: Path) -> None:
    steps = {step.name: step for step in funnel(data_tree, SOURCES) if step.source == "proposals: caption"}
    assert steps["verify"].dropped == {"UNTRUE": 1}
    assert steps["verify"].kept == steps["propose"].kept - 1 == steps["mixed"].kept


def test_sources_count_distinct_pictures_and_groups(data_tree: Path) -> None:
    films, phantom = source_lines(data_tree, SOURCES, ["phantom"])
    assert (films.pictures, films.groups, films.samples, films.held_out) == (8, 8, 16, 4)
    assert (films.generated, phantom.generated) == (False, True)


def test_mixture_counts_repeats_and_distinct_samples(data_tree: Path) -> None:
    groups = {group.name: group for group in mixture_groups(data_tree, ["deep"])}
    assert groups["rewritten"].rows == 2 * groups["rewritten"].samples
    assert groups["rewritten"].pictures == groups["rewritten"].samples
    assert sum(group.rows for group in groups.values()) == 16 + groups["rewritten"].rows


def test_pictures_are_drawn_by_seed_and_within_their_number(data_tree: Path) -> None:
    index = read_index([data_tree / "data/images" / source for source in SOURCES])
    samples = sample_table([data_tree / "data/samples" / source for source in SOURCES])
    chosen = choose(index, samples, seed=1, number=2)
    assert [e.source for e in chosen] == ["films", "films", "phantom", "phantom"]
    assert [e.modality for e in chosen] == ["x-ray", "x-ray", "untagged", "untagged"]
    assert chosen == choose(index.reverse(), samples, seed=1, number=2)
    assert {e.image_id for e in chosen} != {e.image_id for e in choose(index, samples, seed=4, number=2)}
    assert [text.prompt for text in chosen[0].texts] == ["Describe <the> picture.", "Is there a nodule?"]


def test_pictures_come_from_different_groups_first(data_tree: Path) -> None:
    index = read_index([data_tree / "data/images/films"])
    lumped = index.with_columns(group_id=pl.when(pl.col("group_id") == "g7").then(pl.lit("g7")).otherwise(pl.lit("g0")))
    samples = sample_table([data_tree / "data/samples/films"])
    groups = dict(lumped.select("image_id", "group_id").iter_rows())
    for seed in range(5):
        chosen = choose(lumped, samples, seed=seed, number=2)
        assert {groups[e.image_id] for e in chosen} == {"g0", "g7"}


def test_one_picture_for_each_reason(data_tree: Path) -> None:
    index = read_index([data_tree / "data/images" / source for source in SOURCES])
    samples = sample_table([data_tree / "data/samples" / source for source in SOURCES])
    verdicts = pl.concat([read_verdicts(data_tree / path) for path in SAMPLE_STEPS.values()])
    reasons = [e.reason for e in dropped(index, samples, verdicts, seed=1)]
    assert sorted(reasons) == sorted(f"{step}: NO_{step.upper()}" for step in SAMPLE_STEPS)


def test_kinds_tell_what_is_held_out(data_tree: Path) -> None:
    films, phantom = kinds(read_index([data_tree / "data/images" / source for source in SOURCES]))
    assert (films.modality, films.pictures, films.groups, films.held_out_pictures) == ("x-ray", 6, 6, 2)
    assert (phantom.modality, phantom.held_out_groups) == ("untagged", 2)


def test_thumbnails_keep_their_shape(data_tree: Path, tmp_path: Path) -> None:
    store = ImageStore([data_tree / "data/images/films"])
    write_thumbnails(store, store.ids(), tmp_path / "out", 16)
    first = store.ids()[0]
    with Image.open(tmp_path / "out" / thumbnail_name(first)) as small:
        full = store.image(first)
        assert max(small.size) == 16
        assert abs(small.width / small.height - full.width / full.height) < 0.3
    assert len(list((tmp_path / "out").iterdir())) == len(store)


def test_one_funnel_chart_a_source_with_every_step(data_tree: Path) -> None:
    charts = dict(funnel_charts(funnel(data_tree, SOURCES)))
    assert list(charts) == [*SOURCES, "proposals: caption"]
    assert all(word in charts["films"] for word in ("gate", "deduplicate", "NO_GATE 1", "4 held out"))


def test_a_mixture_of_vanished_samples_is_an_error(data_tree: Path) -> None:
    (rows,) = (group.rows for group in mixture_groups(data_tree, ["deep"]) if group.name == "rewritten")
    write_samples(data_tree / "data/proposals/caption/samples", [])
    with pytest.raises(UserError, match=rf"data/mixtures/deep: {rows} rows are of samples that are no longer there"):
        mixture_groups(data_tree, ["deep"])
