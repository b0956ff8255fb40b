"""Training curves and figures: the tables that DVCLive wrote under plots/, the numbers under metrics/."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from lingshu.core.layout import METRICS, PLOTS
from lingshu.core.params import flatten
from lingshu.report.charts import curves

STEP = "step"


@dataclass(frozen=True, slots=True)
class StageCurves:
    """One stage: a chart for each measured quantity, and its final figures as `(dotted key, value)`."""

    area: str
    stage: str
    charts: list[tuple[str, Markup]]
    figures: list[tuple[str, Any]]


def stage_curves(root: Path, stages: list[tuple[str, str]]) -> list[StageCurves]:
    """Return curves and figures of the `(area, stage)` pairs, in their order."""
    return [_stage(root, area, stage) for area, stage in stages]


def _stage(root: Path, area: str, stage: str) -> StageCurves:
    folder = root / PLOTS / area / stage
    charts = []
    for path in sorted(folder.rglob("*.tsv")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if len(points := read_points(path)) > 1:
            charts.append((name, curves([(path.stem, points)], f"{stage}: {name} by step", STEP)))
    metrics = json.loads((root / METRICS / area / f"{stage}.json").read_text(encoding="utf-8"))
    figures = [(key, value) for key, value in flatten(metrics).items() if isinstance(value, str | int | float)]
    return StageCurves(area, stage, charts, figures)


def read_points(path: Path) -> list[tuple[float, float]]:
    """Return `(step, value)` of a table with a `step` column, its last column being the value; empty cells left out."""
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    if not rows or STEP not in rows[0]:
        return []
    value = next(name for name in reversed(rows[0]) if name not in {STEP, "timestamp"})
    points = [(float(row[STEP]), float(row[value])) for row in rows if row[STEP] and row[value]]
    return [point for point in points if math.isfinite(point[1])]
