"""Records of `catalog/benchmarks.yaml`: which held-out rows a benchmark takes, how it is asked and scored."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Literal

from pydantic import Field

from lingshu.core.errors import UserError
from lingshu.core.layout import CATALOG
from lingshu.core.params import Strict, read_yaml, validate

CATALOGUE_FILE = CATALOG / "benchmarks.yaml"
Suite = Literal["multimodal", "text", "caption", "report"]
Scorer = Literal["strict", "attributes", "report"]
Prompt = Literal["direct", "think"]


class BenchmarkRecord(Strict):
    """One benchmark.

    Attributes:
        title: one line for people.
        suite: the group that averages and `inference.suites` select by.
        sources: samples of these sources are taken, if their split is `split` …
        tasks: … their task is one of these …
        topics: … and their topic one of these (all topics if empty).
        prompt: `direct` asks as in training; `think` asks for a reasoning trace and an answer in tags.
        scorer: `strict` (verdict per answer), `attributes` (facts parsed from a caption) or `report` (text metrics).
        split: the split of the sources that is held out.
        generated: whether the pictures are drawn, which every table that shows a score must say.
        licence: of the items.
    """

    title: str
    suite: Suite
    sources: list[str] = Field(min_length=1)
    tasks: list[str] = Field(min_length=1)
    topics: list[str] = []  # noqa: RUF012 - pydantic copies defaults
    prompt: Prompt = "direct"
    scorer: Scorer
    split: Literal["test", "validation"] = "test"
    generated: bool
    licence: str


class Benchmarks(Strict):
    """The whole file, by name."""

    records: dict[str, BenchmarkRecord]


def read_benchmarks(path: Path = CATALOGUE_FILE) -> dict[str, BenchmarkRecord]:
    """Return all records by name.

    Raises:
        UserError: the file is missing, not YAML, or a record has an unknown or wrong key.
    """
    return validate(Benchmarks, {"records": read_yaml(path)}, f"{path}").records


def pick(records: dict[str, BenchmarkRecord], names: list[str]) -> dict[str, BenchmarkRecord]:
    """Return the named records, in the order of `names`.

    Raises:
        UserError: a name is in no record (the closest one is offered).
    """
    for name in names:
        if name not in records:
            close = difflib.get_close_matches(name, records, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(records))}"
            raise UserError(f"params.yaml: benchmarks.enabled: {name!r} is not in {CATALOGUE_FILE}", hint)
    return {name: records[name] for name in names}
