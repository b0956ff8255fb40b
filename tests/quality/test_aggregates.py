"""Counts of several sources' tables, read one by one, add up to those of all of them."""

from __future__ import annotations

import polars as pl

from lingshu.quality.aggregates import coverage, kinds, total

TASKS = pl.DataFrame({"source": ["a", "a", "b"], "task": ["caption"] * 3, "split": ["train", "test", "train"]})


def test_kinds_of_parts_are_those_of_the_whole() -> None:
    parts = [TASKS.head(1), TASKS.slice(1), TASKS.clear()]
    assert kinds(parts).equals(kinds([TASKS]))
    assert kinds([TASKS, TASKS])["rows"].to_list() == [2, 2, 2]


def test_coverage_adds_up_over_tables() -> None:
    samples = pl.DataFrame({"sample_id": ["a:1", "b:1", "b:2"], "source": ["a", "b", "b"]})
    pictures = pl.DataFrame({"image_id": ["p", "q"], "source": ["a", "b"]})
    whole = coverage(samples, samples.head(2), pictures, pictures.head(1))
    found = total(
        coverage(samples.filter(own), samples.head(2).filter(own), pictures.filter(own), pictures.head(1).filter(own))
        for own in (pl.col("source") == "b", pl.col("source") == "a")
    )
    assert found.equals(whole.select(found.columns))
    assert found.row(1, named=True)["texts_missing"] == 1
    assert found.row(1, named=True)["unmeasured"] == 1
