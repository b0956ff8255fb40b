"""A mixture holds what was asked for, of what may be used, and says which key is wrong when it can't."""

from __future__ import annotations

import polars as pl
import pytest

from lingshu.core.corpus import load_mixture
from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_file
from lingshu.core.manifest import read_manifest
from lingshu.core.params import validate
from lingshu.mix.mixture import make_mixture
from lingshu.mix.params import MixParams

PRESENCE = {"samples": 10, "sources": ["film"], "tasks": ["vqa_closed"], "topics": ["presence"]}
SIDE = {"samples": 5, "sources": ["film"], "tasks": ["vqa_closed"], "topics": ["side"]}
WORDS = {"samples": 7, "sources": ["words"], "tasks": ["text_qa"]}
COT = {"samples": 6, "sources": ["synthetic_cot"], "tasks": ["reasoning"]}
SOURCES, RECIPES = ["film", "words"], ["cot"]


def mix(root, groups, seed=3, sources=SOURCES, recipes=RECIPES):
    other = {"words": WORDS}
    data = {"seed": seed, "instruct": groups, "shallow": other, "deep": other, "reinforce": other}
    summary = make_mixture("instruct", validate(MixParams, data, "params.yaml: mix"), sources, recipes, root)
    return summary, pl.read_parquet(root / "data/mixtures/instruct/mixture.parquet")


def pairs(table):
    return sorted(zip(table["sample_id"], table["group"], strict=True))


def test_groups_get_their_counts_and_rows_come_back_as_samples(repository):
    summary, table = mix(repository, {"presence": PRESENCE, "side": SIDE, "words": WORDS, "cot": COT})
    assert {name: g["rows"] for name, g in summary["groups"].items()} == {
        "cot": 6,
        "presence": 10,
        "side": 5,
        "words": 7,
    }
    assert summary["tasks"] == {"reasoning": 6, "text_qa": 7, "vqa_closed": 15}
    assert summary["modalities"] == {"not stated": 13, "x-ray": 15}
    assert table["position"].to_list() == list(range(28))
    items = load_mixture("instruct", repository)
    assert [item.sample.sample_id for item in items] == table["sample_id"].to_list()
    assert {(item.group, item.sample.topic) for item in items if item.sample.source == "film"} == {
        ("presence", "presence"),
        ("side", "side"),
    }
    assert read_manifest(repository / "data/mixtures/instruct").counts == {
        "cot": 6,
        "presence": 10,
        "side": 5,
        "words": 7,
    }


def test_dropped_rejected_and_held_out_samples_are_never_drawn(repository):
    # 40 presence rows less 2 dropped by decontaminate and 1 by classify_modality; 20 proposals less 4 rejected.
    summary, _ = mix(repository, {"presence": {**PRESENCE, "samples": 37}, "cot": {**COT, "samples": 16}})
    assert summary["groups"]["presence"]["available"] == 37
    assert summary["groups"]["cot"]["available"] == 16
    assert all(item.sample.split == "train" for item in load_mixture("instruct", repository))


def test_no_samples_removes_a_group_and_leaves_the_order_of_the_others(repository):
    _, before = mix(repository, {"presence": PRESENCE, "side": SIDE})
    summary, after = mix(repository, {"presence": PRESENCE, "side": {**SIDE, "samples": 0}})
    assert list(summary["groups"]) == ["presence"]
    assert after["sample_id"].to_list() == before.filter(pl.col("group") == "presence")["sample_id"].to_list()


def test_raising_a_count_only_adds(repository):
    _, few = mix(repository, {"presence": PRESENCE, "side": SIDE})
    _, many = mix(repository, {"presence": {**PRESENCE, "samples": 25}, "side": SIDE})
    assert set(pairs(few)) < set(pairs(many))


def test_equal_parameters_give_equal_bytes_and_another_seed_another_draw(repository):
    def digest(seed):
        mix(repository, {"presence": PRESENCE}, seed)
        return sha256_file(repository / "data/mixtures/instruct/mixture.parquet")

    assert digest(3) == digest(3) != digest(4)


def test_repeats_come_only_after_every_sample_was_taken(repository):
    summary, table = mix(repository, {"side": {**SIDE, "samples": 50, "max_repeats": 3}})
    assert summary["groups"]["side"] | {"sources": 0, "tasks": 0} == {
        "rows": 50, "samples": 20, "available": 20, "sources": 0, "tasks": 0,
    }  # fmt: skip
    assert sorted(table["sample_id"].value_counts()["count"].unique()) == [2, 3]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"side": {**SIDE, "samples": 21}}, r"mix\.instruct\.side\.samples: 21 asked for, 20 available"),
        ({"side": {**SIDE, "samples": 41, "max_repeats": 2}}, r"41 asked for, 40 available \(20 .*at most 2 times\)"),
        ({"a": PRESENCE, "b": {**SIDE, "topics": None}}, r"mix\.instruct: groups 'a' and 'b' both select 37 samples"),
        ({"a": {**PRESENCE, "sources": ["flim"]}}, r"mix\.instruct\.a\.sources: 'flim' is not enabled"),
        ({"a": {**COT, "sources": ["synthetic_ocr"]}}, r"'synthetic_ocr' is not enabled"),
        ({"a": {**PRESENCE, "samples": 0}}, r"mix\.instruct: every group has 0 samples"),
        ({"a": {**PRESENCE, "sample": 1}}, r"mix\.instruct\.a\.sample: unknown key; did you mean 'samples'"),
        ({"a": {**PRESENCE, "samples": -1}}, r"mix\.instruct\.a\.samples: .*greater than or equal to 0"),
        ({"a": {**PRESENCE, "tasks": ["vqa"]}}, r"mix\.instruct\.a\.tasks\.0"),
    ],
)
def test_impossible_mixes_name_the_key(repository, groups, message):
    with pytest.raises(UserError, match=message):
        mix(repository, groups)


def test_a_group_of_a_disabled_source_is_allowed_with_no_samples(repository):
    summary, _ = mix(repository, {"side": SIDE, "words": {**WORDS, "samples": 0}}, sources=["film"])
    assert list(summary["groups"]) == ["side"]


def test_without_recipes_the_verdicts_of_verify_are_not_needed(repository):
    (repository / "data/verdicts/verify/verdicts.parquet").unlink()
    summary, _ = mix(repository, {"side": SIDE}, recipes=[])
    assert summary["rows"] == 5


def test_an_unknown_stage_is_refused(repository):
    params = MixParams.model_validate(
        {"seed": 1, "instruct": {"a": SIDE}, "shallow": {"a": SIDE}, "deep": {"a": SIDE}, "reinforce": {"a": SIDE}}
    )
    with pytest.raises(UserError, match="stage 'deeper': no such mixture"):
        make_mixture("deeper", params, SOURCES, RECIPES, repository)
