"""An engine without a model: the answers are in a file, one JSON object a line with `id` and `response`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from lingshu.core.errors import UserError
from lingshu.core.params import validate
from lingshu.core.question import Question
from lingshu.evalkit.items import numbered_lines, parsed_line
from lingshu.inference.engine import Request, Response

NAMED = 5  # ids that a message shows


class AnswerLine(BaseModel):
    """A line; other keys than these are the writer's. `benchmark` is needed only where benchmarks share ids."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    id: str
    response: str
    benchmark: str = ""


@dataclass(frozen=True, slots=True)
class FileEngine:
    """Answers each request with the words that a file has for it, by `benchmark/id`."""

    answers: dict[str, str]

    def generate(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Yield one response a request, in their order."""
        for request in requests:
            yield Response(request.id, self.answers[request.id], "stop", None)


def read_answers(path: Path, questions: Sequence[Question]) -> FileEngine:
    """Return an engine that answers exactly `questions` from a file.

    Raises:
        UserError: the file can't be read; a line is not JSON, breaks the form or repeats an id; an id belongs to no
            question, or to those of several benchmarks; a question has no line (names them).
    """
    places: dict[str, list[str]] = {}
    for question in questions:
        places.setdefault(question.id, []).append(question.benchmark)
    answers: dict[str, str] = {}
    unknown: list[str] = []
    for number, raw in numbered_lines(path):
        where = f"{path}:{number}"
        line = validate(AnswerLine, parsed_line(raw, where), where)
        found = [name for name in places.get(line.id, []) if line.benchmark in {"", name}]
        if not found:
            unknown.append(line.id)
        elif len(found) > 1:
            raise UserError(f"{where}: id {line.id!r} is in {', '.join(found)}", 'add "benchmark" to the line')
        elif (key := f"{found[0]}/{line.id}") in answers:
            raise UserError(f"{where}: id {line.id!r} stands in the file twice", "give each line its own id")
        else:
            answers[key] = line.response
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
