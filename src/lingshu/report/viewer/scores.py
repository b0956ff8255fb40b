"""Accuracies of runs: by benchmark, by modality, and on average, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lingshu.evalkit.breakdown import Tally
from lingshu.evalkit.items import RUBRIC
from lingshu.evalkit.llm_judge.grading import Marks
from lingshu.evalkit.scored import Scored
from lingshu.report.viewer.chunks import modalities
from lingshu.report.viewer.comparable import Gap
from lingshu.report.viewer.report_scores import ReportScores, Values
from lingshu.report.viewer.rows import OFFICIAL, Row

Cell = dict[str, Any]
REPORT = "report"


@dataclass(frozen=True, slots=True)
class BenchmarkFacts:
    """What the catalogue, or the run, says of a benchmark; `paper` is its column in published tables ("" for none)."""

    suite: str
    title: str = ""
    paper: str = ""
    chance: float | None = None


@dataclass(slots=True)
class RunScores:
    """Tallies of one run; a track is a way of scoring (strict, official, as scored).

    Attributes:
        reports: metrics of generated reports, by benchmark.
        totals: by (track, benchmark); parts: the same by modality.
        rubrics: scores of graded replies, by (track, benchmark).
        gaps: by benchmark, how far its tracks can be compared.
    """

    label: str
    reports: Mapping[str, ReportScores] = field(default_factory=dict)
    totals: dict[tuple[str, str], Tally] = field(default_factory=dict)
    parts: dict[tuple[str, str], dict[str, Tally]] = field(default_factory=dict)
    rubrics: dict[tuple[str, str], Marks] = field(default_factory=dict)
    gaps: dict[str, Gap] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Count one row under each of its tracks."""
        self._count(row.track, row, row.first)
        self.gaps.setdefault(row.benchmark, Gap()).add(row)
        if row.official is not None:
            self._count(OFFICIAL, row, row.official)

    def metrics_of(self, row: Row) -> Values:
        """Return the metrics of a generated report; nothing for other answers."""
        found = self.reports.get(row.benchmark)
        return found.by_id.get(row.item.id, {}) if found and row.item.kind == REPORT else {}

    def _count(self, track: str, row: Row, scored: Scored) -> None:
        key = track, row.benchmark
        self.totals.setdefault(key, Tally()).add(scored)
        if scored.kind == RUBRIC and scored.score.score is not None:
            self.rubrics.setdefault(key, Marks()).add(scored.score.score, scored.cluster or scored.id)
        parts = self.parts.setdefault(key, {})
        for name in modalities(row):
            parts.setdefault(name, Tally()).add(scored)

    def cell(self, track: str, benchmark: str, confidence: float) -> Cell | None:
        """Return accuracy and interval (and `rubric`, the mean score of graded replies); None if it was not asked."""
        key = track, benchmark
        if key not in self.totals:
            return None
        graded = {"rubric": self.rubrics[key].cell(confidence)} if key in self.rubrics else {}
        return self.totals[key].cell(confidence) | graded

    def tracks(self) -> list[str]:
        """Return the tracks that the run has, in the order of the first row that has them."""
        return list(dict.fromkeys(track for track, _ in self.totals))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a leaderboard: a cell for each benchmark (None: not asked), and two means over those that have one."""

    run: int
    label: str
    track: str
    cells: tuple[Cell | None, ...]
    mean: Cell | None
    weighted: Cell | None


def leaderboard(runs: Sequence[RunScores], benchmarks: Sequence[str], confidence: float) -> list[Line]:
    """Return a line for each run and track that has one of the benchmarks."""
    lines = []
    for number, run in enumerate(runs):
        for track in run.tracks():
            cells = tuple(run.cell(track, name, confidence) for name in benchmarks)
            if any(cells):
                scored = [cell for cell in cells if cell is not None and cell["n"]]
                weights = [cell["n"] for cell in scored]
                lines.append(Line(number, run.label, track, cells, mean(scored), mean(scored, weights)))
    return lines


def mean(cells: Sequence[Cell], weights: Sequence[float] | None = None) -> Cell | None:
    """Return the (weighted) mean of accuracies with its interval; None of none.

    The interval is made of those of the cells by the method of variance estimates recovery (Zou and Donner 2008,
    Statistics in Medicine 27:1693), which takes benchmarks for independent.
    """
    if not cells:
        return None
    given = weights or [1.0] * len(cells)
    shares = [weight / sum(given) for weight in given]
    middle = sum(share * cell["accuracy"] for share, cell in zip(shares, cells, strict=True))
    below, above = (
        math.sqrt(sum((share * (cell[end] - cell["accuracy"])) ** 2 for share, cell in zip(shares, cells, strict=True)))
        for end in ("low", "high")
    )
    n = sum(cell["n"] for cell in cells)
    return {"accuracy": middle, "low": middle - below, "high": middle + above, "n": n, "of": len(cells)}


def suites(names: Iterable[str], facts: Mapping[str, BenchmarkFacts]) -> dict[str, list[str]]:
    """Return the benchmarks of each suite, in the order of `facts`; those it does not know follow under `other`."""
    wanted = list(dict.fromkeys(names))
    order = {name: place for place, name in enumerate(facts)}
    found: dict[str, list[str]] = {}
    for name in sorted(wanted, key=lambda name: (order.get(name, len(order)), name)):
        found.setdefault(facts[name].suite if name in facts else "other", []).append(name)
    return found
