"""A benchmark of the user's own: a JSON-lines file of questions, pictures beside it.

One object a line: `id`, `kind`, `prompt` (the words that are sent) or `turns` (`[{"role", "text"}]`), and as needed
`pictures` (paths from the file's folder), `question` (the bare question, for scoring; the prompt if absent), `choices`,
`answer`, `cluster`, `meta`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_file
from lingshu.core.params import Strict, validate
from lingshu.core.question import Question, QuestionKind, Role, Turn
from lingshu.evalkit.items import MOST_CHOICES, escaped, numbered_lines, parsed_line
from lingshu.inference.evaluate import AskedBenchmark


class TurnLine(Strict):
    """One turn of a conversation."""

    role: Role
    text: str


class QuestionLine(Strict):
    """One line; `prompt` stands for a single turn of the user."""

    id: str = Field(min_length=1)
    kind: QuestionKind
    prompt: str | None = None
    turns: list[TurnLine] = Field(default_factory=list)
    pictures: list[str] = Field(default_factory=list)
    question: str | None = None
    choices: list[str] | None = Field(default=None, min_length=1, max_length=MOST_CHOICES)
    answer: str | Annotated[list[str], Field(min_length=1)] = ""
    cluster: str = ""
    meta: dict[str, Any] = Field(default_factory=dict)


@dataclass(slots=True)
class PictureOnDisk:
    """A picture file; `name` is its path."""

    name: str

    def read(self) -> bytes:
        """Return the file's bytes.

        Raises:
            UserError: it is missing or can't be read.
        """
        try:
            return Path(self.name).read_bytes()
        except OSError as error:
            raise UserError(f"{self.name}: {error.strerror}", "put the picture there, or mend the path") from None
        except ValueError as error:  # a NUL in its name
            raise UserError(f"{self.name!r}: {error}", "mend the path") from None


def read_own(path: Path, limit: int | None = None) -> AskedBenchmark:
    """Return the questions of a file, named by its stem; `limit` takes the first so many.

    Raises:
        UserError: the file can't be read, its name is no text, or it holds none; a line is not JSON, breaks the form,
            can't be scored later, or holds half a surrogate pair (named).
    """
    if escaped(path.stem) != path.stem:
        raise UserError(f"{escaped(str(path))}: its name is not UTF-8, and it names the benchmark", "rename it")
    numbered = islice(numbered_lines(path), limit)
    questions = [_question(f"{path}:{number}", raw, path) for number, raw in numbered]
    if not questions:
        raise UserError(f"{path}: no question", "write one JSON object on each line")
    return AskedBenchmark(path.stem, questions, {"file": path.name, "revision": sha256_file(path), "limit": limit})


def _question(where: str, raw: bytes, path: Path) -> Question:
    data = parsed_line(raw, where)
    text = json.dumps(data, ensure_ascii=False)
    if escaped(text) != text:
        raise UserError(f"{where}: half a surrogate pair, which is no character", "mend the text: it can't be sent")
    line = validate(QuestionLine, data, where, "mend the line; docs/evaluate-your-model.md describes it")
    if (line.prompt is None) == (not line.turns):
        raise UserError(f"{where}: prompt and turns: exactly one is needed", "write the words that are sent as prompt")
    turns = [Turn(turn.role, turn.text) for turn in line.turns] or [Turn("user", line.prompt or "")]
    if turns[-1].role != "user":
        raise UserError(f"{where}.turns: the last turn is not a user's", "end with the question")
    return Question(
        id=line.id,
        benchmark=path.stem,
        kind=line.kind,
        turns=tuple(turns),
        pictures=tuple(PictureOnDisk(str(path.parent / name)) for name in line.pictures),
        question=turns[-1].text if line.question is None else line.question,
        choices=None if line.choices is None else tuple(line.choices),
        answer=line.answer if isinstance(line.answer, str) else tuple(line.answer),
        cluster=line.cluster,
        meta=line.meta,
    )
