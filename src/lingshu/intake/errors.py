"""Rows that can't be used: each is counted and named, and none is silently left out or scored as wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lingshu.core.errors import UserError


class Reason(StrEnum):
    """Why a row is no question and no sample; the name is what verdicts say."""

    UNREADABLE_ROW = "unreadable row"
    ROW_TOO_LARGE = "row is larger than allowed"
    BROKEN_TEXT = "text is not Unicode"
    MISSING_FIELD = "field is missing or of another type"
    NO_QUESTION = "empty question"
    NO_OPTIONS = "fewer than two options"
    BROKEN_OPTIONS = "options are not lettered one after another"
    NO_GOLD = "no gold answer"
    GOLD_NOT_AMONG_OPTIONS = "gold answer is not among the options"
    AMBIGUOUS_GOLD = "several options equal the gold answer"
    NO_TEXT = "empty text"
    NO_TURNS = "no conversation that ends with a reply"
    MISSING_PICTURE = "picture is missing"
    PICTURE_COUNT = "text and row name different numbers of pictures"
    UNREADABLE_PICTURE = "picture can't be read"
    PICTURE_TOO_LARGE = "picture is larger than allowed"
    ANIMATED_PICTURE = "file holds several pictures"
    UNKNOWN_SPLIT = "split has an unknown name"
    NO_JOIN = "no entry in the table that completes the rows"
    NO_RUBRIC = "no rubric with points above zero"
    NO_REPORT = "findings and impression are both empty"
    DUPLICATE_ID = "id of an earlier row"
    REPEATED_ROW = "an earlier row says the same"


class RowError(Exception):
    """Raised while a row becomes a question or a sample; the loader counts it and goes on."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")

    def __reduce__(self) -> tuple[type[RowError], tuple[Reason, str]]:
        """See `UserError.__reduce__`."""
        return type(self), (self.reason, self.detail)


def row_too_large(where: str, problem: str) -> UserError:
    """Return the error of a table that can't be read past a row, for what its format tells of where the row ends."""
    return UserError(
        f"{where}: {problem}",
        "take that row out, or allow larger ones (--max-row-mb, or sources.rows.max_row_mb in params.yaml)",
    )


@dataclass(frozen=True, slots=True)
class DataError:
    """A row that is no question: where it is (file and row), its id where it has one, why, and what was found."""

    where: str
    id: str
    reason: Reason
    detail: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}: {self.detail}"
