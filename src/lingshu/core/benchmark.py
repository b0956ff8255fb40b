"""`record.json` beside a built benchmark: how it is asked and scored, and the chance level of each topic."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from lingshu.core.errors import UserError
from lingshu.core.layout import BENCHMARKS
from lingshu.core.params import validate

RECORD_FILE = "record.json"


class TopicRecord(BaseModel):
    """What a reader needs of one topic: item count and chance accuracy in [0, 1] (None for free text)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rows: int
    chance: float | None = None


class BuiltBenchmark(BaseModel):
    """What prediction and scoring need of a built benchmark; other keys are for people."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    suite: str
    prompt: str
    scorer: str
    generated: bool
    topics: dict[str, TopicRecord]


def built_benchmarks(folder: Path = BENCHMARKS) -> list[BuiltBenchmark]:
    """Return the benchmarks that the `benchmark` stage wrote, by name.

    Raises:
        UserError: the folder holds no benchmark, or a record is broken (names the file).
    """
    paths = sorted(folder.glob(f"*/{RECORD_FILE}"))
    if not paths:
        raise UserError(f"{folder}: no benchmark", "run `dvc repro benchmark`")
    return [validate(BuiltBenchmark, json.loads(path.read_text(encoding="utf-8")), f"{path}: ") for path in paths]
