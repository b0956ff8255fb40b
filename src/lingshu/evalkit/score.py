"""The score stage: verdict tables, metrics by checkpoint, benchmark and topic, and the accuracy plot's data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from lingshu.core.files import atomic_path, fresh_dir, write_bytes
from lingshu.core.layout import PLOTS, SCORES
from lingshu.core.manifest import write_manifest
from lingshu.evalkit.clean import clean_cells, flagged_items
from lingshu.evalkit.judging import read_judgements
from lingshu.evalkit.params import ScoreParams
from lingshu.evalkit.responses import read_runs
from lingshu.evalkit.scoring import ScoredRun, score_run
from lingshu.evalkit.summary import cells, comparisons

SCORES_FILE = "scores.parquet"
ATTRIBUTES_FILE = "attributes.parquet"
COMPARISONS = "comparisons"
ACCURACY_PLOT = PLOTS / "evalkit" / "accuracy.csv"
_RUN = {"sample_id": pl.String(), "checkpoint": pl.String(), "benchmark": pl.String()}
SCORE_SCHEMA = pl.Schema(
    {
        **_RUN,
        "topic": pl.String(),
        "modality": pl.String(),
        "correct": pl.Boolean(),
        "score": pl.Float64(),
        "parsed": pl.String(),
        "rule": pl.String(),
        "no_answer": pl.Boolean(),
        "cluster": pl.String(),
    }
)
ATTRIBUTE_SCHEMA = pl.Schema({**_RUN, "attribute": pl.String(), "gold": pl.String(), "stated": pl.String()})
PLOT_SCHEMA = pl.Schema(
    {
        "checkpoint": pl.String(),
        "benchmark": pl.String(),
        "topic": pl.String(),
        "accuracy": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "chance": pl.Float64(),
        "n": pl.Int64(),
    }
)


def score_responses(params: ScoreParams, root: Path = Path()) -> dict[str, Any]:
    """Score every response, write `data/scores/` and the plot's data, and return the metrics.

    The metrics are `{checkpoint: {benchmark: {topic or "all": cell}}}` (cells: `summary.cells`, and `clean` where
    training has seen items of the benchmark and kept them on purpose: `clean.clean_cells`) and
    `{"comparisons": {"after_vs_before": {benchmark: …}}}`.
    """
    judgements = read_judgements(root)
    runs = [score_run(run, judgements) for run in read_runs(root)]
    out = fresh_dir(root / SCORES)
    _write(out / SCORES_FILE, _score_rows(runs), SCORE_SCHEMA)
    _write(out / ATTRIBUTES_FILE, _attribute_rows(runs), ATTRIBUTE_SCHEMA)
    metrics: dict[str, Any] = {}
    flagged = flagged_items(root)
    for scored in runs:
        found = cells(scored, params) | clean_cells(scored, flagged, judgements, params)
        metrics.setdefault(scored.run.checkpoint, {})[scored.run.benchmark.name] = found
    write_bytes(root / ACCURACY_PLOT, pl.DataFrame(_plot_rows(metrics), schema=PLOT_SCHEMA).write_csv().encode())
    write_manifest(out, "score", sum(len(scored.rows) for scored in runs))
    return metrics | {COMPARISONS: comparisons(runs, params)}


def _write(path: Path, rows: Iterator[dict[str, Any]], schema: pl.Schema) -> None:
    with atomic_path(path) as temporary:
        pl.DataFrame(list(rows), schema=schema).write_parquet(temporary)


def _score_rows(runs: Sequence[ScoredRun]) -> Iterator[dict[str, Any]]:
    for scored in runs:
        for row in scored.rows:
            yield {
                "sample_id": row.item.id,
                "checkpoint": scored.run.checkpoint,
                "benchmark": scored.run.benchmark.name,
                "topic": row.item.meta["topic"],
                "modality": ", ".join(row.item.meta["modality"]),
                "correct": row.score.correct,
                "score": row.score.score,
                "parsed": row.score.parsed,
                "rule": row.score.rule,
                "no_answer": row.score.no_answer,
                "cluster": row.item.cluster,
            }


def _attribute_rows(runs: Sequence[ScoredRun]) -> Iterator[dict[str, Any]]:
    for scored in runs:
        for row in scored.rows:
            for attribute in row.attributes:
                yield {
                    "sample_id": row.item.id,
                    "checkpoint": scored.run.checkpoint,
                    "benchmark": scored.run.benchmark.name,
                    "attribute": attribute.name,
                    "gold": attribute.value,
                    "stated": attribute.stated,
                }


def _plot_rows(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [
        {"checkpoint": checkpoint, "benchmark": benchmark, "topic": topic}
        | {key: cell[key] for key in ("accuracy", "low", "high", "n")}
        | {"chance": cell.get("chance")}
        for checkpoint, benchmarks in metrics.items()
        for benchmark, topics in benchmarks.items()
        for topic, cell in topics.items()
        if cell.get("accuracy") is not None
    ]
    return sorted(rows, key=lambda row: (row["benchmark"], row["topic"], row["checkpoint"]))
