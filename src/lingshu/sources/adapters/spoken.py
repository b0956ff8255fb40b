"""What every adapter takes and gives, and the small steps that several of them share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from lingshu.core.ids import stable_hash
from lingshu.core.sample import Answer, Message, Part, Task, image_part, text_part
from lingshu.intake.errors import Reason, RowError
from lingshu.intake.values import Row, value_at
from lingshu.sources.forms import SourceForm


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a row says; source, split, group and the pictures themselves are added by `lingshu.sources.samples`.

    Attributes:
        task: what is asked for.
        topic: question type; the adapter's word where the row has none.
        messages: turns, with slots 0, 1, … for the row's pictures.
        answer: gold answer, where there is one to score.
        rationale: reasoning before the answer.
    """

    task: Task
    topic: str
    messages: tuple[Message, ...]
    answer: Answer | None = None
    rationale: str = ""


# form, row, the row's id, number of its pictures; raises RowError for a row that is no sample.
Adapter = Callable[[SourceForm, Row, str, int], Spoken]


def said(row: Row, path: str) -> str:
    """Return the text at a path, stripped; numbers as they are written.

    Raises:
        RowError: there is none, it is empty, no text, or not Unicode (a lone surrogate from a JSON escape).
    """
    value = value_at(row, path)
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise RowError(Reason.MISSING_FIELD, f"{path!r} is {value!r:.60}, not a text")
    return checked_text(str(value), path)


def said_or_empty(row: Row, path: str) -> str:
    """Return the text at a path, stripped, or "" where the path is empty or gives nothing; errors as `said`."""
    value = value_at(row, path, None) if path else None
    return "" if value is None or (isinstance(value, str) and not value.strip()) else said(row, path)


def checked_text(text: str, path: str) -> str:
    """Return the text, stripped.

    Raises:
        RowError: it is empty.
    """
    stripped = text.strip()
    if not stripped:
        raise RowError(Reason.NO_TEXT, f"{path!r} is empty")
    return stripped


def chosen(prompts: tuple[str, ...] | list[str], identity: str) -> str:
    """Return one of the prompts, by the row's id."""
    return prompts[stable_hash("prompt", identity) % len(prompts)]


def with_pictures(text: str, marker: str, first: int, number: int) -> tuple[Part, ...]:
    """Return a text's parts, with slots `first`, `first + 1`, … where its markers stand; `number` of them are due.

    Raises:
        RowError: the text has another number of markers, or nothing besides them.
    """
    pieces = re.split(re.escape(marker), text)
    if len(pieces) - 1 != number:
        raise RowError(Reason.PICTURE_COUNT, f"{len(pieces) - 1} of {marker} in the text where {number} are due")
    parts: list[Part] = []
    for place, piece in enumerate(pieces):
        if place:
            parts.append(image_part(first + place - 1))
        if piece.strip():
            parts.append(text_part(piece.strip()))
    return tuple(parts)


def request(form: SourceForm, text: str, num_pictures: int) -> tuple[Message, ...]:
    """Return the turns before the reply: the form's system turn, and the pictures with `text`.

    Raises:
        RowError: the text has markers, and not as many as there are pictures.
    """
    before = (Message("system", (text_part(form.system),)),) if form.system else ()
    if form.marker in text:
        return (*before, Message("user", with_pictures(text, form.marker, 0, num_pictures)))
    slots = tuple(image_part(index) for index in range(num_pictures))
    return (*before, Message("user", (*slots, text_part(text))))


def reply(text: str) -> Message:
    """Return an assistant's turn."""
    return Message("assistant", (text_part(text),))
