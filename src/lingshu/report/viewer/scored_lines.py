"""Lines that `lingshu score` writes, as the viewer takes them: verdicts without responses, and what judges said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lingshu.core.errors import UserError
from lingshu.core.params import validate
from lingshu.evalkit.items import RUBRIC, Item, numbered_lines, parsed_line
from lingshu.evalkit.rules import Score
from lingshu.evalkit.scored import NO_RESPONSE, Scored

Key = tuple[str, str]
UNKNOWN_KIND = "unknown"
JUDGED_KINDS = frozenset({"open", RUBRIC})  # only these are for judges (docs/score-files.md)


class VoteLine(BaseModel):
    """What one of several judges said, or one judge of one criterion."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    judge: str
    verdict: bool | None
    text: str
    reason: str = ""
    detail: str = ""


class CriterionLine(BaseModel):
    """One criterion of a rubric; `met` is None where judges came to no verdict."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    criterion: str
    points: float
    met: bool | None
    judges: list[VoteLine] = []


class ScoredLine(BaseModel):
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
    judges: list[VoteLine] = []
    criteria: list[CriterionLine] = []
    meta: dict[str, Any] = {}

    def scored(self) -> Scored:
        """Return the verdict as scorers give it."""
        score = Score(self.correct, self.score, self.parsed, self.rule, self.no_answer)
        return Scored(self.id, self.kind, score, self.cluster, self.meta, self.reason)

    def decides(self, item: Item) -> bool:
        """Return whether the line's verdict on `item` stands in place of the rules': judges were asked of its kind.

        A failed call that was answered after the judging has yet to be judged.
        """
        return item.kind in JUDGED_KINDS and not (self.rule == NO_RESPONSE and not item.error)


def read_judged(paths: Sequence[Path]) -> dict[Key, ScoredLine]:
    """Return the lines of files of `lingshu score --judge`, by (benchmark, id).

    Raises:
        UserError: a file can't be read, or a line is no scored line or comes twice (named).
    """
    found: dict[Key, ScoredLine] = {}
    for path in paths:
        for number, raw in numbered_lines(path):
            where = f"{path}:{number}"
            line = validate(ScoredLine, parsed_line(raw, where), where)
            key = benchmark_of(line.meta, path), line.id
            if key in found:
                raise UserError(f"{where}: id {line.id!r} of benchmark {key[0]!r} comes twice", "score each file once")
            found[key] = line
    return found


def benchmark_of(meta: Mapping[str, Any], path: Path) -> str:
    """Return the benchmark that a line names, else the file's name."""
    return str(meta.get("benchmark") or path.name.removesuffix(".jsonl"))
