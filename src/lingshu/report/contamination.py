"""The contamination matrix: how many training samples of each source met an item of each benchmark, and what then."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from lingshu.core.layout import METRICS

STEP_METRICS = METRICS / "decontam" / "decontaminate.json"


@dataclass(frozen=True, slots=True)
class Cell:
    """Training samples of a source that met an item of a benchmark, and how many of them training keeps on purpose."""

    met: int
    spared: int


@dataclass(frozen=True, slots=True)
class Contamination:
    """What decontamination found.

    Attributes:
        benchmarks: that training was checked against.
        sources: each source with a cell for each benchmark, in their order, and how many of its samples were dropped.
        report_only: nothing was dropped, whatever was found.
        not_checked: public benchmarks whose files were out of reach.
    """

    benchmarks: list[str]
    sources: list[tuple[str, list[Cell], int]]
    report_only: bool
    not_checked: list[str]

    @property
    def not_clean(self) -> list[str]:
        """Benchmarks whose items training samples met and were kept: their scores say less than they seem to."""
        rows = [zip(self.benchmarks, cells, strict=True) for _, cells, _ in self.sources]
        return sorted({name for row in rows for name, cell in row if cell.spared})


def contamination(root: Path) -> Contamination:
    """Return what the metrics of `decontaminate` say; a sample that met several benchmarks counts for each."""
    metrics = json.loads((root / STEP_METRICS).read_text(encoding="utf-8"))
    matrix, spared = metrics["matrix"], metrics.get("kept_on_purpose", {})
    benchmarks = sorted({name for row in matrix.values() for name in row})
    lines = [
        (
            source,
            [Cell(row[name], spared.get(source, {}).get(name, 0)) for name in benchmarks],
            sum(metrics["dropped"].get(source, {}).values()),
        )
        for source, row in matrix.items()
    ]
    return Contamination(benchmarks, lines, "report_only" in metrics, sorted(metrics.get("not_checked", [])))
