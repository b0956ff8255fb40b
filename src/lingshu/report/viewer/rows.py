"""Runs as the viewer takes them: each response with both verdicts, and the judge's where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from lingshu.core.errors import UserError
from lingshu.core.params import validate
from lingshu.core.progress import track
from lingshu.evalkit.items import MEND_LINE, Item, ResponseLine, numbered_lines, parsed_line
from lingshu.evalkit.params import Rules
from lingshu.evalkit.scored import Scored, score_item
from lingshu.report.viewer.scored_lines import Key, ScoredLine, benchmark_of, read_judged

STRICT, OFFICIAL, GIVEN = "strict", "official", "as scored"


@dataclass(frozen=True, slots=True)
class RunInput:
    """One run as it lies on the disk.

    Attributes:
        label: its name, unique in the viewer.
        files: responses, or scored lines.
        scores: folder with a strict scored file for each of `files`, of which judges' verdicts are taken.
        reports: by benchmark, the folder where `lingshu eval` scored its reports.
        about: what to say of it (model, settings, …), as texts.
    """

    label: str
    files: tuple[Path, ...]
    scores: Path | None = None
    reports: Mapping[str, Path] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)


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
        first: the strict verdict (the judges' on kinds that are for judges, if they were asked), or that of a scored
            line where there is no response.
        official: MedEvalKit's verdict, or the judges' as above; None where there is no response.
        judged: the scored line that has the judges' words, if there is one.
        pictures: files that the line names.
        rules: by which a scored line was scored, if it says so.
    """

    benchmark: str
    item: Item
    first: Scored
    official: Scored | None
    judged: ScoredLine | None
    told: Told
    pictures: tuple[Path, ...]
    rules: Rules | None = None

    @property
    def track(self) -> str:
        """What `first` is."""
        if self.official is not None:
            return STRICT
        return f"{GIVEN}, {self.rules}" if self.rules else GIVEN


def read_rows(run: RunInput, seed: int) -> Iterator[Row]:
    """Yield the rows of a run in file order, scored by the strict and the official rules.

    Args:
        run: where they lie.
        seed: of the official rules' random fall-back.

    Raises:
        UserError: a file can't be read, a line is neither a response nor a scored line, or comes twice (named), or
            judges saw other responses.
    """
    seen: dict[Key, str] = {}
    for path in run.files:
        judged = {} if run.scores is None else read_judged(run.scores / path.name, path)
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


def _row(data: Any, where: str, path: Path, judged: Mapping[str, ScoredLine], seed: int) -> Row:
    if not isinstance(data, dict) or not {"correct", "response"} & data.keys():
        fix = "give lines that `lingshu eval` or `lingshu score` writes (docs/score-files.md)"
        raise UserError(f"{where}: neither a response nor a scored line", fix)
    if "response" not in data:
        return _given(validate(ScoredLine, data, where, MEND_LINE), path)
    item = validate(ResponseLine, data, where, MEND_LINE).item()
    told = validate(Told, data, where, MEND_LINE)
    benchmark = benchmark_of(item.meta, path)
    try:
        strict, official = score_item(item, "strict", seed), score_item(item, "official", seed)
    except UserError as error:
        raise UserError(f"{where}: {error.what}", error.fix) from None
    line = judged.get(item.id)
    first = strict if line is None else line.scored()
    official = official if line is None else _judged(official, line)
    pictures = tuple(path.parent / name for name in told.pictures)
    return Row(benchmark, item, first, official, line if line and line.judge else None, told, pictures)


def _judged(official: Scored, line: ScoredLine) -> Scored:
    """Return the judges' verdict, which is the same under both rules; the official ones know no "no answer"."""
    score = replace(official.score, correct=line.correct, score=line.score, rule=line.rule, no_answer=False)
    return replace(official, score=score, reason=line.reason)


def _given(line: ScoredLine, path: Path) -> Row:
    item = Item(line.id, line.kind, "", None, "", "", line.cluster, line.meta)
    judged = line if line.judge else None
    return Row(benchmark_of(line.meta, path), item, line.scored(), None, judged, Told(), (), line.rules)
