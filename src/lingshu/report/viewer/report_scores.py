"""What `lingshu eval` found of generated reports: `metrics.json` and `samples.jsonl` of a benchmark (FORMAT 1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from lingshu.core.errors import UserError
from lingshu.core.params import validate
from lingshu.evalkit.items import numbered_lines, parsed_line

METRICS_FILE, SAMPLES_FILE = "metrics.json", "samples.jsonl"
Values = dict[str, float | None]


class _Corpus(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    format: Literal[1]
    metrics: Values
    samples: int


class _Sample(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    id: str
    metrics: Values


@dataclass(frozen=True, slots=True)
class ReportScores:
    """Metrics of one run's reports over `samples` of them, and those of each report by its id."""

    metrics: Values
    samples: int
    by_id: Mapping[str, Values]


def read_report_scores(folder: Path) -> ReportScores:
    """Return what a folder of `lingshu report-metrics` holds.

    Raises:
        UserError: a file is missing or not as this version writes it (named).
    """
    path = folder / METRICS_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: {error}", "run `lingshu eval` again: it scores what is answered") from None
    corpus = validate(_Corpus, data, f"{path}: ")
    samples = folder / SAMPLES_FILE
    found: dict[str, Values] = {}
    for number, raw in numbered_lines(samples):
        line = validate(_Sample, parsed_line(raw, f"{samples}:{number}"), f"{samples}:{number}")
        found[line.id] = line.metrics
    return ReportScores(corpus.metrics, corpus.samples, found)
