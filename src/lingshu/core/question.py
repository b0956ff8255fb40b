"""One question of a public benchmark as it is asked: what a loader gives and an engine takes.

It holds the words that are sent, not a recipe for them, so that two runs that asked the same can be told by content.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

QuestionKind = Literal["mcq", "yesno", "closed", "open", "mmmu", "rubric", "report"]
Role = Literal["system", "user", "assistant"]


class PictureFile(Protocol):
    """An encoded picture (PNG, JPEG, …) that is read when it is needed."""

    @property
    def name(self) -> str:
        """Where it is from, for messages."""
        ...

    def read(self) -> bytes:
        """Return the file's bytes.

        Raises:
            UserError: the file is missing or can't be read (named).
        """
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the conversation that is sent."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """One item.

    Attributes:
        id: unique within the benchmark, and the same in every run.
        benchmark: name of its record.
        kind: what the answer is; decides the scorer.
        turns: what is sent, the last one a user's; pictures come first in the last user turn, in order.
        pictures: shown with the question.
        question: the bare question, for scoring and for people.
        choices: option strings as shown, or None.
        answer: gold letter or text; a tuple where several are right together; the reference of a report.
        cluster: picture, patient or report that several questions share ("" for none).
        meta: what scores are broken down by (modality, question type, language, body system, subject), and rubrics.
    """

    id: str
    benchmark: str
    kind: QuestionKind
    turns: tuple[Turn, ...]
    pictures: tuple[PictureFile, ...]
    question: str
    choices: tuple[str, ...] | None
    answer: str | tuple[str, ...]
    cluster: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)
