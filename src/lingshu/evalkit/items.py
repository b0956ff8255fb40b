"""One response line: the file contract that `predict` writes, the scorers read, and users may write themselves.

The contract is version 1 and described in `docs/score-files.md`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lingshu.core.errors import UserError
from lingshu.core.params import validate

Kind = Literal["mcq", "yesno", "closed", "open", "mmmu", "rubric", "caption", "report"]
KINDS: tuple[str, ...] = get_args(Kind)
RUBRIC = "rubric"
MOST_CHOICES = 26  # as many as there are letters
MEND_LINE = "mend the line; docs/score-files.md describes the format"


@dataclass(frozen=True, slots=True)
class Item:
    """One question, its gold answer and a model's response.

    Args:
        kind: what the answer is; decides the scorer.
        choices: option strings as shown (with or without their letters), or None.
        answer: gold letter or text; a tuple where several are right together (`mmmu`: where any of several is right).
        cluster: image or patient the item belongs to; items of one cluster are not independent.
        meta: anything to break scores down by (benchmark, topic, modality, language).
        error: why there is no response ("" if there is one); such an item is unscored, never wrong.
    """

    id: str
    kind: str
    question: str
    choices: tuple[str, ...] | None
    answer: str | tuple[str, ...]
    response: str
    cluster: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


class ResponseLine(BaseModel):
    """The JSON form of a line; other keys (prompt, finish reason, tokens) are the writer's and ignored here."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    id: str = Field(min_length=1)
    kind: Kind
    question: str
    choices: list[str] | None = Field(default=None, min_length=1, max_length=MOST_CHOICES)
    answer: str | list[str] | None = None
    response: str | None
    cluster: str | None = None
    meta: dict[str, Any] | None = None
    error: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind != RUBRIC and (self.answer is None or self.answer == []):
            raise ValueError("`answer` is missing; only kind `rubric` has none")
        if self.response is None and not self.error:
            raise ValueError("`response` is null without an `error` that says why")
        return self

    def item(self) -> Item:
        """Return the line as the slotted type that scorers take."""
        answer = self.answer or ""
        return Item(
            id=self.id,
            kind=self.kind,
            question=self.question,
            choices=None if self.choices is None else tuple(self.choices),
            answer=answer if isinstance(answer, str) else tuple(answer),
            response=self.response or "",
            cluster=self.cluster or "",
            meta=self.meta or {},
            error=self.error or "",
        )


def read_items(path: Path) -> Iterator[Item]:
    """Yield the items of a JSON-lines file in file order.

    Raises:
        UserError: the file is missing, a line is not JSON, breaks the contract, or repeats an id (names the line).
    """
    for _, found in numbered_items(path):
        if isinstance(found, UserError):
            raise found
        yield found


def numbered_items(path: Path) -> Iterator[tuple[int, Item | UserError]]:
    """Yield (line number, item) for each line that is not blank, or what is wrong with it, and go on.

    Raises:
        UserError: the file is missing or can't be read.
    """
    seen: dict[str, int] = {}
    for number, raw in numbered_lines(path):
        where = f"{path}:{number}"
        try:
            item = validate(ResponseLine, parsed_line(raw, where), where).item()
        except UserError as error:
            yield number, UserError(error.what, MEND_LINE)
            continue
        if item.id in seen:
            what = f"{where}: id {item.id!r} stands in line {seen[item.id]} too"
            yield number, UserError(what, "give each line its own id")
            continue
        seen[item.id] = number
        yield number, item


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (line number, bytes) for each line that is not blank.

    Raises:
        UserError: the file is missing, can't be read, or is a pipe, which gives its lines only once.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise UserError(f"{path}: a pipe or a device, and it is read more than once", "write it to a file first")
    try:
        with path.open("rb") as handle:
            for number, raw in enumerate(handle, start=1):
                if raw.strip():
                    yield number, raw
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "give the path of a JSON-lines file") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", "give a JSON-lines file that can be read") from None


def parsed_line(raw: bytes, where: str) -> Any:
    """Return a line's JSON value; a byte-order mark before it is ignored.

    Raises:
        UserError: it is not UTF-8 or not JSON (names `where`).
    """
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: not UTF-8: {error.reason} at byte {error.start}", "save the file as UTF-8") from None
    except (ValueError, RecursionError) as error:  # a number of more digits than Python reads is a ValueError, too
        raise UserError(f"{where}: not JSON: {error}", "write one JSON object on each line") from None


def escaped(text: str) -> str:
    """Return `text` with "\\ud83d" for each half of a surrogate pair, which no file or terminal can hold.

    A model may end inside a character. In JSON the escape means the same text.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(c if not "\ud800" <= c <= "\udfff" else f"\\u{ord(c):04x}" for c in text)
    return text


def encoded(line: str) -> bytes:
    """Return a line, or a text of JSON, as UTF-8 with its line feed; half surrogate pairs stay escaped."""
    return escaped(line).encode() + b"\n"
