"""Tables of scores: accuracy by topic and checkpoint, text metrics, comparisons, and kinds without evaluation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from lingshu.core.benchmark import built_benchmarks
from lingshu.core.layout import BENCHMARKS, CATALOG, METRICS
from lingshu.core.params import read_yaml
from lingshu.report.charts import SERIES_COLOURS, Point, dot_rows

ALL = "all"
COMPARISONS = "comparisons"
TEXT_METRICS = {"rouge_l": "ROUGE-L", "cider_d": "CIDEr-D", "bleu_1": "BLEU-1", "bleu_4": "BLEU-4"}
Cell = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TopicRow:
    """One topic (or caption attribute) of a benchmark: chance, size, and a cell or None for each checkpoint.

    `flagged` items are left out of the row, for training met them and keeps what it met (0 in all other rows).
    """

    topic: str
    chance: float | None
    n: int
    clusters: int
    flagged: int
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One benchmark's results; `checkpoints` are those that were asked, `rows` start with the one over all topics."""

    name: str
    title: str
    suite: str
    scorer: str
    generated: bool
    checkpoints: tuple[str, ...]
    rows: tuple[TopicRow, ...]


def read_scores(root: Path) -> dict[str, Any]:
    """Return the metrics of the score stage."""
    scores: dict[str, Any] = json.loads((root / METRICS / "evalkit" / "score.json").read_text(encoding="utf-8"))
    return scores


def tables(root: Path, scores: dict[str, Any], order: list[str]) -> list[Table]:
    """Return a table for each built benchmark, by suite; checkpoints stand in the order of `order`."""
    records = read_yaml(root / CATALOG / "benchmarks.yaml")
    found = []
    for benchmark in built_benchmarks(root / BENCHMARKS):
        asked = tuple(name for name in order if benchmark.name in scores.get(name, {}))
        if asked:
            found.append(
                Table(
                    name=benchmark.name,
                    title=str(records[benchmark.name]["title"]),
                    suite=benchmark.suite,
                    scorer=benchmark.scorer,
                    generated=benchmark.generated,
                    checkpoints=asked,
                    rows=_rows([scores[name][benchmark.name] for name in asked]),
                )
            )
    suites = ["multimodal", "text", "caption", "report"]
    return sorted(found, key=lambda table: (suites.index(table.suite), table.generated, table.name))


def _rows(runs: list[dict[str, Cell]]) -> tuple[TopicRow, ...]:
    topics = sorted({topic for run in runs for topic in run} - {ALL})
    return tuple(_row(topic, [run.get(topic) for run in runs]) for topic in [ALL, *topics])


def _row(topic: str, cells: list[Cell | None]) -> TopicRow:
    present = [cell for cell in cells if cell is not None]
    return TopicRow(
        topic=topic,
        chance=next((cell["chance"] for cell in present if cell.get("chance") is not None), None),
        n=max((cell["n"] for cell in present), default=0),
        clusters=max((cell.get("clusters", 0) for cell in present), default=0),
        flagged=max((cell.get("flagged", 0) for cell in present), default=0),
        cells=tuple(cells),
    )


def summary_chart(found: list[Table], order: list[str]) -> Markup:
    """Return one row per benchmark with accuracies: every checkpoint's value and interval, and chance."""
    rows = []
    for table in found:
        overall = table.rows[0]
        pairs = zip(table.checkpoints, overall.cells, strict=True)
        points = [_point(name, cell, order) for name, cell in pairs if cell and cell.get("accuracy") is not None]
        if points:
            rows.append((table.name, overall.chance, points))
    return dot_rows(rows, "Accuracy by benchmark and checkpoint, with intervals")


def _point(name: str, cell: Cell, order: list[str]) -> Point:
    interval = f"{cell['accuracy']:.3f} ({cell['low']:.3f} to {cell['high']:.3f})"
    return Point(
        cell["accuracy"], cell["low"], cell["high"], style_of(name, order), f"{name}: {interval}, n {cell['n']}"
    )


def style_of(checkpoint: str, order: list[str]) -> str:
    """Return the CSS class that colours a checkpoint everywhere in the report."""
    return f"c{order.index(checkpoint) % SERIES_COLOURS}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A paired comparison of two checkpoints on one benchmark."""

    pair: str
    benchmark: str
    cell: Cell


def comparisons(scores: dict[str, Any], order: list[str]) -> list[Comparison]:
    """Return the paired comparisons that the score stage made, in the order of the checkpoints, then by benchmark."""
    pairs = [(tuple(pair.split("_vs_")), cells) for pair, cells in scores[COMPARISONS].items()]
    pairs.sort(key=lambda found: [order.index(name) for name in found[0]])
    return [
        Comparison(" against ".join(names), benchmark, cell)
        for names, cells in pairs
        for benchmark, cell in sorted(cells.items())
    ]


@dataclass(frozen=True, slots=True)
class TrainingOnly:
    """Gold answers of a benchmark's topic that only training groups show, so that no score covers them."""

    benchmark: str
    topic: str
    answers: tuple[str, ...]


def training_only(root: Path) -> list[TrainingOnly]:
    """Return what the benchmarks could not hold out, because it has a single group."""
    built = json.loads((root / METRICS / "benchmarks" / "benchmark.json").read_text(encoding="utf-8"))
    return [
        TrainingOnly(name, topic, tuple(cell["training_only"]))
        for name, metrics in sorted(built.items())
        for topic, cell in sorted(metrics["topics"].items())
        if cell["training_only"]
    ]
