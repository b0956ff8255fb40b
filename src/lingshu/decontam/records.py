"""What is compared: one record a training row or benchmark item, with its texts and pictures, wherever it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from lingshu.core.question import PictureFile

Kind = Literal["image", "text"]
Method = Literal["exact", "perceptual", "turned", "crop", "exact_text", "question_answer"] | str  # or `ngram<N>`


@dataclass(frozen=True, slots=True)
class Record:
    """One row.

    Attributes:
        name: says where it is: a file, a file and row, a sample id, or a benchmark and item.
        question: what is asked ("" where nothing is).
        choices: option texts.
        answers: texts that answer it, a letter resolved to its option.
        texts: what else it says: captions, passages, reports.
        pictures: by name.
        exchanges: each question with its answer, of a conversation that has several.
        setting: what is said to every asker alike (a system's turn): it is searched, and makes no two texts equal.
    """

    name: str
    question: str = ""
    choices: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    pictures: tuple[tuple[str, PictureFile], ...] = ()
    exchanges: tuple[tuple[str, str], ...] = ()
    setting: str = ""

    @property
    def whole(self) -> str:
        """All that it says."""
        return "\n".join(part for part in (self.question, *self.choices, *self.answers, *self.texts) if part)


@dataclass(frozen=True, slots=True)
class Pair:
    """A training row and a benchmark item that overlap.

    Attributes:
        train: name of the training row or picture.
        against: name of the item or its picture.
        kind: what overlaps.
        method: `exact` (equal bytes), `perceptual`, `turned`, `crop`, `exact_text`, `ngram<N>` or `question_answer`.
        distance: bits between perceptual hashes (of the part that both show, for a crop), 1 - coverage of an n-gram
            overlap, 0 where equal.
    """

    train: str
    against: str
    kind: Kind
    method: Method
    distance: float


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be compared: a file, row or picture, and why."""

    name: str
    reason: str


@dataclass(slots=True)
class Tally:
    """What an input held: records, texts and pictures read, and what could not be read."""

    records: int = 0
    texts: int = 0
    pictures: int = 0
    problems: list[Problem] = field(default_factory=list)

    def problem(self, name: str, reason: str) -> None:
        """Note something that is left out."""
        self.problems.append(Problem(name, reason))
