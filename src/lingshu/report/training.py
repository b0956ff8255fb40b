"""Training curves and figures: step tables under plots/, numbers under metrics/."""

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
UNDRAWN = (STEP, "timestamp", "epoch")
SEPARATORS = {".tsv": "\t", ".csv": ","}
FIRST = ("loss", "reward")
REWARDS = ("total", "format", "accuracy")
Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class TrainedStage:
    """Where a stage's traces lie: `metrics/<area>/<name>.json` and step tables under `plots/<plots>/`."""

    area: str
    name: str
    plots: str


@dataclass(frozen=True, slots=True)
class StageCurves:
    """One stage: a chart for each measured quantity, and its final figures as `(dotted key, value)`."""

    area: str
    stage: str
    charts: list[tuple[str, Markup]]
    figures: list[tuple[str, Any]]


def stage_curves(root: Path, stages: list[TrainedStage]) -> list[StageCurves]:
    """Return curves and figures of the stages, in their order."""
    return [_curves(root, stage) for stage in stages]


def _curves(root: Path, stage: TrainedStage) -> StageCurves:
    folder = root / PLOTS / stage.plots
    tables = sorted(path for path in folder.rglob("*") if path.suffix in SEPARATORS)
    charts = [
        (name, curves([(name, points)], f"{stage.name}: {name} by step", STEP))
        for path in tables
        for name, points in read_series(path).items()
        if len(points) > 1
    ]
    charts.sort(key=lambda chart: chart[0] not in FIRST)
    figures = flatten(_metrics(root, stage.area, stage.name)).items()
    return StageCurves(stage.area, stage.name, charts, [(k, v) for k, v in figures if isinstance(v, str | int | float)])


def _metrics(root: Path, area: str, name: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((root / METRICS / area / f"{name}.json").read_text(encoding="utf-8"))
    return values


def read_series(path: Path) -> dict[str, Points]:
    """Return `{column: [(step, value), …]}` of a table with a `step` column (none without); empty cells left out."""
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter=SEPARATORS[path.suffix]))
    if not rows or STEP not in rows[0]:
        return {}
    columns = [name for name in rows[0] if name not in UNDRAWN]
    return {name: _finite([(row[STEP], row[name]) for row in rows if row[STEP] and row[name]]) for name in columns}


def _finite(cells: list[tuple[str, str]]) -> Points:
    points = [(float(step), float(value)) for step, value in cells]
    return [point for point in points if math.isfinite(point[1])]


@dataclass(frozen=True, slots=True)
class Reward:
    """A reward on prompts never trained on, before and after: each `{mean, low, high}`, the gain with its verdict."""

    name: str
    before: dict[str, float]
    after: dict[str, float]
    gain: dict[str, Any]


def rewards(root: Path, stage: TrainedStage) -> tuple[int, list[Reward]]:
    """Return the number of held-out prompts, and what reinforcement did to each part of their reward."""
    found = _metrics(root, stage.area, stage.name)["held_out_reward"]
    parts = [Reward(name, found["before"][name], found["after"][name], found["gain"][name]) for name in REWARDS]
    return int(found["before"]["prompts"]), parts
