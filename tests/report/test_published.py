"""The published rows satisfy their schema and belong to benchmarks of the catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from lingshu.benchmarks.public.catalog import read_public
from lingshu.core.errors import UserError
from lingshu.report.viewer.published import PUBLISHED_FILE, read_published

CATALOG = Path(__file__).resolve().parents[2] / "catalog"
HEAD = "model,benchmark,score,metric,protocol,source\n"


def test_every_row_belongs_to_a_benchmark_of_the_catalogue_and_names_its_table() -> None:
    records = read_public(CATALOG).values()
    suites = {record.paper: record.suite for record in records if record.paper}
    rows = read_published(CATALOG / PUBLISHED_FILE)
    assert {row.benchmark for row in rows} == set(suites)
    for row in rows:
        assert "table" in row.source, row
        assert (row.metric == "accuracy") == (suites[row.benchmark] != "report"), row


@pytest.mark.parametrize(
    ("model", "table", "mean"),
    [
        ("Lingshu-7B", "table 6", 61.8),
        ("Lingshu-32B", "table 6", 66.6),
        ("Lingshu-7B", "table 7", 52.8),
        ("GPT-4.1", "table 7", 70.0),
    ],
)
def test_rows_come_to_the_printed_averages(model: str, table: str, mean: float) -> None:
    rows = read_published(CATALOG / PUBLISHED_FILE)
    scores = [row.score for row in rows if row.model == model and row.source.endswith(f", {table}")]
    assert len(scores) == 7
    assert sum(scores) / 7 == pytest.approx(mean, abs=0.051)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("model,score\n", ":1: columns"),
        (HEAD + "m,SLAKE,high,accuracy,p,s\n", r":2\.score"),
        (HEAD + "m,SLAKE,5,bleu,p,s\n", r":2\.metric"),
        (HEAD + "m,SLAKE,5,accuracy,p,\n", r":2\.source"),
        (HEAD + "m,SLAKE,5,accuracy,p,s\nm,SLAKE,6,accuracy,p,s\n", ":3: the same"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / PUBLISHED_FILE
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=what):
        read_published(path)
