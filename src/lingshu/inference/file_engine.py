"""An engine without a model: the answers are in a file, one JSON object a line with `id` and `response`.

A line with `response: null` and an `error`, as `lingshu eval` writes of a failed call, is a failed call here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from lingshu.core.errors import UserError
from lingshu.core.params import validate
from lingshu.core.question import Question
from lingshu.evalkit.items import numbered_lines, parsed_line
from lingshu.inference.engine import Failure, Outcome, Request, Response

NAMED = 5  # ids that a message shows
_FIX = "mend the line; docs/evaluate-your-model.md describes it"


class AnswerLine(BaseModel):
    """A line; other keys than these are the writer's. `benchmark` is needed only where benchmarks share ids."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    id: str
    response: str | None
    error: str | None = None
    benchmark: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.response is None and not self.error:
            raise ValueError("`response` is null without an `error` that says why")
        return self


@dataclass(frozen=True, slots=True)
class FileEngine:
    """Answers each request with the line that a file has for it, by `benchmark/id`."""

    answers: dict[str, AnswerLine]

    def generate(self, requests: Iterable[Request]) -> Iterator[Outcome]:
        """Yield one outcome a request, in their order."""
        for request in requests:
            line = self.answers[request.id]
            if line.response is None or line.error:
                yield Failure(request.id, "lost", line.error or "")
            else:
                yield Response(request.id, line.response, "stop", None)


def read_answers(path: Path, questions: Sequence[Question]) -> FileEngine:
    """Return an engine that answers exactly `questions` from a file.

    Raises:
        UserError: the file can't be read; a line is not JSON, breaks the form or repeats an id; an id belongs to no
            question, or to those of several benchmarks; a question has no line (names them).
    """
    places: dict[str, list[str]] = {}
    for question in questions:
        places.setdefault(question.id, []).append(question.benchmark)
    answers: dict[str, AnswerLine] = {}
    unknown: list[str] = []
    for number, raw in numbered_lines(path):
        where = f"{path}:{number}"
        line = validate(AnswerLine, parsed_line(raw, where), where, _FIX)
        found = [name for name in places.get(line.id, []) if line.benchmark in {"", name}]
        if not found:
            unknown.append(line.id)
        elif len(found) > 1:
            raise UserError(f"{where}: id {line.id!r} is in {', '.join(found)}", 'add "benchmark" to the line')
        elif (key := f"{found[0]}/{line.id}") in answers:
            raise UserError(f"{where}: id {line.id!r} stands in the file twice", "give each line its own id")
        else:
            answers[key] = line
    missing = [q.id for q in questions if f"{q.benchmark}/{q.id}" not in answers]
    _check_ids(path, unknown, missing)
    return FileEngine(answers)


def _check_ids(path: Path, unknown: list[str], missing: list[str]) -> None:
    problems = [
        f"{len(ids)} {what}: {', '.join(ids[:NAMED])}{' …' if len(ids) > NAMED else ''}"
        for ids, what in ((unknown, "ids are of no question asked"), (missing, "questions have no answer"))
        if ids
    ]
    if problems:
        raise UserError(
            f"{path}: {'; '.join(problems)}", "answer exactly the benchmarks named by --suite or --benchmarks"
        )
