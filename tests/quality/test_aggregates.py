"""Counts of several sources' tables, read one by one, add up to those of all of them."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from lingshu.quality.aggregates import coverage, kinds, total
from lingshu.quality.gate import gate
from lingshu.quality.params import QualityParams
from tests.corpora import Corpus, scene
from tests.quality.test_gate import PARAMS

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


def test_the_order_of_sources_does_not_matter(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    for seed in range(2):
        corpus.caption("scans", "A chest film seen from the front.", corpus.picture("scans", scene(seed)))
        corpus.sample("terms", f"What is a myocardial infarction of type {seed}?", "Death of heart muscle.")
    corpus.write()
    params: QualityParams = PARAMS
    assert gate(["scans", "terms"], params, tmp_path).equals(gate(["terms", "scans"], params, tmp_path))
