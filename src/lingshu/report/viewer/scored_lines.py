"""Lines that `lingshu score` writes, as the viewer takes them: verdicts without responses, and what judges said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_file
from lingshu.core.params import validate
from lingshu.evalkit.items import RUBRIC, numbered_lines, parsed_line
from lingshu.evalkit.params import Rules
from lingshu.evalkit.rules import Score
from lingshu.evalkit.scored import Scored

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
    score: float | None = Field(default=None, allow_inf_nan=False)
    parsed: str = ""
    rule: str = ""
    no_answer: bool = False
    reason: str = ""
    cluster: str = ""
    judge: str = ""
    verdict: bool | None = None
    judge_text: str = ""
    rules: Rules | None = None
    judges: list[VoteLine] = []
    criteria: list[CriterionLine] = []
    meta: dict[str, Any] = {}

    def scored(self) -> Scored:
        """Return the verdict as scorers give it."""
        score = Score(self.correct, self.score, self.parsed, self.rule, self.no_answer)
        return Scored(self.id, self.kind, score, self.cluster, self.meta, self.reason)


class _Summary(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    responses_sha256: str


def read_judged(scores: Path, responses: Path) -> dict[str, ScoredLine]:
    """Return by id the scored lines of a response file on which judges decide; none if no judge was asked.

    Args:
        scores: the scored file, with its `.summary.json` beside it; it need not be there.
        responses: the file that it should be of.

    Raises:
        UserError: a file can't be read, a line is no scored line (named), or judges saw other responses than these.
    """
    if not scores.is_file():
        return {}
    lines = [
        validate(ScoredLine, parsed_line(raw, f"{scores}:{number}"), f"{scores}:{number}")
        for number, raw in numbered_lines(scores)
    ]
    if not any(line.judge for line in lines):
        return {}
    summary = scores.with_name(scores.name.removesuffix(".jsonl") + ".summary.json")
    if not summary.is_file():
        raise UserError(f"{summary}: no such file", "judge again; `lingshu score` writes it by --summary")
    about = validate(_Summary, parsed_line(summary.read_bytes(), str(summary)), f"{summary}: ")
    if about.responses_sha256 != sha256_file(responses):
        what = f"{scores}: judges saw other responses than {responses} holds"
        raise UserError(what, "run the same `lingshu eval --judge` again: what was judged is not asked twice")
    return {line.id: line for line in lines if line.kind in JUDGED_KINDS}


def benchmark_of(meta: Mapping[str, Any], path: Path) -> str:
    """Return the benchmark that a line names, else the file's name."""
    return str(meta.get("benchmark") or path.name.removesuffix(".jsonl"))
