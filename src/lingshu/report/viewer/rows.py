"""Runs as the viewer takes them: each response with both verdicts, and the judge's where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lingshu.core.errors import UserError
from lingshu.core.params import validate
from lingshu.core.progress import track
from lingshu.evalkit.items import Item, ResponseLine, numbered_lines, parsed_line
from lingshu.evalkit.rules import Score
from lingshu.evalkit.scored import JUDGE_PREFIX, Scored, score_item

Key = tuple[str, str]
UNKNOWN_KIND = "unknown"
STRICT, OFFICIAL, GIVEN = "strict", "official", "as scored"


@dataclass(frozen=True, slots=True)
class RunInput:
    """One run as it lies on the disk.

    Attributes:
        label: its name, unique in the viewer.
        files: responses, or scored lines.
        scored: scored lines for the same items, of which the judge's verdicts and texts are taken.
        about: what to say of it (model, settings, …), as texts.
    """

    label: str
    files: tuple[Path, ...]
    scored: tuple[Path, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)


class GivenLine(BaseModel):
    """What a scored line says; keys of others are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    id: str = Field(min_length=1)
    kind: str = UNKNOWN_KIND
    correct: bool | None
    score: float | None = None
    parsed: str = ""
    rule: str = ""
    no_answer: bool = False
    reason: str = ""
    cluster: str = ""
    judge: str = ""
    verdict: bool | None = None
    judge_text: str = ""
    meta: dict[str, Any] = {}

    def scored(self) -> Scored:
        """Return the verdict as scorers give it."""
        score = Score(self.correct, self.score, self.parsed, self.rule, self.no_answer)
        return Scored(self.id, self.kind, score, self.cluster, self.meta, self.reason)


class Told(BaseModel):
    """What a response line may tell beside the contract."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    prompt: str | None = None
    finish_reason: str | None = None
    tokens: int | None = None
    seconds: float | None = None
    pictures: list[str] = []


@dataclass(frozen=True, slots=True)
class Row:
    """One response.

    Attributes:
        item: question and response; texts are empty if the run has scored lines only.
        first: the strict verdict (the judge's where it gave one for a kind that rules leave open), or that of a scored
            line where there is no response.
        official: MedEvalKit's verdict; None where there is no response.
        judged: the scored line that has the judge's text, if there is one.
        pictures: files that the line names.
    """

    benchmark: str
    item: Item
    first: Scored
    official: Scored | None
    judged: GivenLine | None
    told: Told
    pictures: tuple[Path, ...]

    @property
    def track(self) -> str:
        """What `first` is."""
        return GIVEN if self.official is None else STRICT


def read_rows(run: RunInput, seed: int) -> Iterator[Row]:
    """Yield the rows of a run in file order, scored by the strict and the official rules.

    Args:
        run: where they lie.
        seed: of the official rules' random fall-back.

    Raises:
        UserError: a file can't be read, or a line is neither a response nor a scored line, or comes twice (named).
    """
    judged = _judgements(run.scored)
    seen: dict[Key, str] = {}
    for path in run.files:
        total = sum(1 for _ in numbered_lines(path))
        for number, raw in track(numbered_lines(path), f"{run.label}: {path.name}", total):
            where = f"{path}:{number}"
            row = _row(parsed_line(raw, where), where, path, judged, seed)
            key = row.benchmark, row.item.id
            if key in seen:
                what = f"{where}: id {row.item.id!r} of benchmark {row.benchmark!r} stands in {seen[key]} too"
                raise UserError(what, "give one file of a benchmark, and each item its own id")
            seen[key] = where
            yield row
    if not seen:
        raise UserError(f"{', '.join(map(str, run.files))}: no responses", "give files with a JSON object on each line")


def _row(data: Any, where: str, path: Path, judged: Mapping[Key, GivenLine], seed: int) -> Row:
    if not isinstance(data, dict) or not {"correct", "response"} & data.keys():
        fix = "give lines that `lingshu eval` or `lingshu score` writes (docs/score-files.md)"
        raise UserError(f"{where}: neither a response nor a scored line", fix)
    if "response" not in data:
        return _given(validate(GivenLine, data, where), path)
    item = validate(ResponseLine, data, where).item()
    told = validate(Told, data, where)
    benchmark = _benchmark(item.meta, path)
    line = judged.get((benchmark, item.id))
    if line is None and "judge" in data and "correct" in data:
        line = validate(GivenLine, data, where)
    try:
        strict, official = score_item(item, "strict", seed), score_item(item, "official", seed)
    except UserError as error:
        raise UserError(f"{where}: {error.what}", error.fix) from None
    if line is not None and strict.score.correct is None and line.rule.startswith(JUDGE_PREFIX):
        strict = line.scored()
    pictures = tuple(path.parent / name for name in told.pictures)
    return Row(benchmark, item, strict, official, line, told, pictures)


def _given(line: GivenLine, path: Path) -> Row:
    item = Item(line.id, line.kind, "", None, "", "", line.cluster, line.meta)
    return Row(_benchmark(line.meta, path), item, line.scored(), None, line if line.judge else None, Told(), ())


def _judgements(paths: tuple[Path, ...]) -> dict[Key, GivenLine]:
    found: dict[Key, GivenLine] = {}
    for path in paths:
        for number, raw in numbered_lines(path):
            line = validate(GivenLine, parsed_line(raw, f"{path}:{number}"), f"{path}:{number}")
            if line.judge:
                found[_benchmark(line.meta, path), line.id] = line
    return found


def _benchmark(meta: Mapping[str, Any], path: Path) -> str:
    return str(meta.get("benchmark") or path.name.removesuffix(".jsonl"))
