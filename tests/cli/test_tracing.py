from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from lingshu.commands.tracing import trace
from lingshu.core.errors import UserError
from lingshu.core.sample import Sample, read_samples
from lingshu.core.verdicts import read_verdicts
from tests.small_run import STEPS, write_data


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    write_data(tmp_path)
    return tmp_path


def life(root: Path, wanted: str) -> dict[str, str]:
    return {section.title: "\n".join(section.lines) for section in trace(root, wanted)}


def first(root: Path, task: str, left_after: str) -> Sample:
    """Return the first film sample of a task that the step of a folder kept."""
    kept = read_verdicts(root / left_after / "verdicts.parquet")
    ids = set(kept.filter(kept["keep"])["sample_id"])
    folder = root / "data/samples/films"
    return next(s for s in read_samples([folder]) if s.task == task and s.sample_id in ids)


def test_a_kept_sample_is_followed_to_its_mixtures(tree: Path) -> None:
    sample = first(tree, "caption", "data/modality")
    told = life(tree, sample.sample_id)
    assert sample.origin_id in told[sample.sample_id]
    assert "modality=x-ray" in told["pictures"]
    assert told["verdicts"].splitlines() == [f"{step}: kept" for step in STEPS]
    assert "synthetic_caption:" in told["proposals made from it"]
    assert [line.split(":")[0] for line in told["mixtures"].splitlines()] == [
        "deep",
        "instruct",
        "reinforce",
        "shallow",
    ]


def test_a_dropped_sample_names_step_reason_and_evidence(tree: Path) -> None:
    table = read_verdicts(tree / "data/verdicts/deduplicate/verdicts.parquet")
    dropped = table.filter(~table["keep"])["sample_id"][0]
    told = life(tree, dropped)
    assert told["verdicts"].splitlines() == ["gate: kept", "deduplicate: dropped: NO_DEDUPLICATE, score 0.5, because"]
    assert told["mixtures"] == ""


def test_a_proposal_names_its_parents_and_its_own_verdict(tree: Path) -> None:
    made = next(iter(read_samples([tree / "data/proposals/caption/samples"])))
    told = life(tree, made.sample_id)
    assert made.synthetic is not None
    assert made.synthetic.parents[0] in told[made.sample_id]
    assert told["verdicts"].startswith("verify: ")


def test_a_file_that_never_became_a_sample(tree: Path) -> None:
    told = life(tree, "films:file-9")
    assert told["films:file-9"] == "never became a sample"
    assert told["verdicts"] == "normalize: dropped: UNDECODABLE, truncated"


def test_the_beginning_of_an_id_will_do(tree: Path) -> None:
    sample = first(tree, "vqa_closed", "data/verdicts/gate")
    assert trace(tree, sample.sample_id[:18])[0].title == sample.sample_id
    assert trace(tree, sample.sample_id.partition(":")[2][:12])[0].title == sample.sample_id


def test_an_ambiguous_beginning_lists_what_it_could_be(tree: Path) -> None:
    with pytest.raises(UserError, match=r"films: 17 samples start so"):
        trace(tree, "films")


def test_an_unknown_id_offers_the_closest(tree: Path) -> None:
    sample = first(tree, "caption", "data/verdicts/gate")
    mistyped = sample.sample_id[:-1] + "x"
    with pytest.raises(UserError, match=f"{mistyped}: no such sample") as error:
        trace(tree, mistyped)
    assert sample.sample_id in error.value.fix


def test_before_the_first_run_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no samples yet"):
        trace(tmp_path, "films:1")


@pytest.mark.parametrize(("reason", "detail"), [("QUARANTINED_TEXT", ""), ("KEPT", "would be QUARANTINED_TEXT")])
def test_what_may_name_a_person_is_withheld(tree: Path, reason: str, detail: str) -> None:
    sample = first(tree, "caption", "data/modality")
    path = tree / "data/verdicts/gate/verdicts.parquet"
    mine = pl.col("sample_id") == sample.sample_id
    changed = {"reason": reason, "detail": detail}
    table = pl.read_parquet(path)
    table.with_columns(pl.when(mine).then(pl.lit(v)).otherwise(k).alias(k) for k, v in changed.items()).write_parquet(
        path
    )
    told = life(tree, sample.sample_id)
    assert told["content"].startswith("withheld: ")
    assert told["content"].endswith("lingshu trace --show-quarantined shows it")
    whole = "\n".join(told.values())
    text = next(part.text for message in sample.messages for part in message.content if part.text)
    assert text not in whole
    assert sample.origin_id not in whole
    shown = trace(tree, sample.sample_id, show_quarantined=True)
    assert any(text in line for section in shown for line in section.lines)
