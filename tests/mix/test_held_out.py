"""Held-out rows are trained on only where a parameter names them, and then it is told."""

from __future__ import annotations

import json

import polars as pl
import pytest

from lingshu.core.errors import UserError
from lingshu.core.params import validate
from lingshu.mix.mixture import make_mixture
from lingshu.mix.params import MixParams
from lingshu.mix.splits import trainable

PRESENCE = {"samples": 42, "sources": ["film"], "tasks": ["vqa_closed"], "topics": ["presence"]}
WORDS = {"samples": 7, "sources": ["words"], "tasks": ["text_qa"]}


def mix(root, samples, held_out):
    data = {"seed": 3, "instruct": {"presence": PRESENCE | {"samples": samples}}}
    data |= {stage: {"words": WORDS} for stage in ("shallow", "deep", "reinforce")}
    params = validate(MixParams, data, "params.yaml: mix")
    summary = make_mixture("instruct", params, ["film", "words"], [], root, held_out=held_out)
    return summary, pl.read_parquet(root / "data/mixtures/instruct/mixture.parquet")


def held_out_ids(root):
    rows = pl.concat([pl.read_parquet(path) for path in (root / "data/samples/film").glob("*.parquet")])
    return set(rows.filter(pl.col("split") == "test")["sample_id"])


@pytest.mark.parametrize("held_out", [[], ["film/validation"], ["words/test"]])
def test_no_test_row_is_drawn_unless_its_own_source_and_split_are_named(repository, held_out):
    summary, table = mix(repository, 37, held_out)
    assert not set(table["sample_id"]) & held_out_ids(repository)
    assert summary.get("held_out_rows", {}) == dict.fromkeys(held_out, 0)
    with pytest.raises(UserError, match="38 asked for, 37 available"):
        mix(repository, 38, held_out)


def test_named_rows_are_drawn_and_counted(repository):
    summary, table = mix(repository, 42, ["film/test"])
    assert held_out_ids(repository) <= set(table["sample_id"])
    assert summary["held_out_rows"] == {"film/test": 5}


def test_what_is_not_held_out_is_drawn_as_before(repository):
    """The parameter only adds: the same seed draws the same training rows."""
    _, without = mix(repository, 37, [])
    _, table = mix(repository, 42, ["film/test"])
    assert set(table["sample_id"]) - held_out_ids(repository) == set(without["sample_id"])


def test_metrics_say_nothing_where_nothing_is_named(repository):
    assert "held_out" not in json.dumps(mix(repository, 5, [])[0])


def test_a_source_that_is_not_enabled(repository):
    with pytest.raises(UserError, match=r"sources\.benchmark_splits_in_training: 'films/test' is of no enabled source"):
        mix(repository, 5, ["films/test"])


def test_a_split_that_is_none(repository):
    with pytest.raises(UserError, match="'film/tset' names no held-out split"):
        mix(repository, 5, ["film/tset"])


def test_every_combination():
    rows = pl.DataFrame({"source": ["a", "a", "a", "b"], "split": ["train", "test", "validation", "test"]})
    assert rows.select(trainable())[:, 0].to_list() == [True, False, False, False]
    assert rows.select(trainable(["a/test"]))[:, 0].to_list() == [True, True, False, False]
