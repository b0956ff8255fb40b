"""Answers that are one phrase about the options: an exception, a ranking, a place, a list of verdicts."""

from __future__ import annotations

from lingshu.evalkit.parsing.exceptions import left_by_exception, left_by_exclusion, names_all, says_all
from lingshu.evalkit.parsing.options import letter_of
from lingshu.evalkit.parsing.positions import NOUNS, option_at_place
from lingshu.evalkit.parsing.rankings import ranked_first
from lingshu.evalkit.parsing.verdict_lists import marked_options

_LONGEST = 200  # characters of a phrase
ELIMINATION, RANKING, PLACE, VERDICTS, EVERY = "elimination", "ranking", "place", "verdicts", "every_option"


def by_phrase(
    text: str, question: str, choices: tuple[str, ...] | None, count: int, several: bool
) -> tuple[tuple[str, ...], str] | None:
    """Return the letters that a text which is one phrase gives, and the rule; no letters where it can't decide.

    None if the text is no such phrase.
    """
    if (marked := marked_options(text, question, choices, count)) is not None:
        return marked, VERDICTS
    if len(text) > _LONGEST:
        return None
    if (left := left_by_exception(text, question, count, several)) is not None:
        return left if choices else (), ELIMINATION
    if several:
        return _several_by_phrase(text, len(choices)) if choices else None
    return _one_by_phrase(text, choices, count)


def _several_by_phrase(text: str, count: int) -> tuple[tuple[str, ...], str] | None:
    if names_all(text) or says_all(text):
        return tuple(letter_of(index) for index in range(count)), EVERY
    left = left_by_exclusion(text, count)
    return (left, ELIMINATION) if left else None


def _one_by_phrase(text: str, choices: tuple[str, ...] | None, count: int) -> tuple[tuple[str, ...], str] | None:
    if ("<" in text or ">" in text or "east" in text) and (first := ranked_first(text, choices, count)):
        return (first,), RANKING
    if choices and any(noun in text for noun in NOUNS) and (letter := option_at_place(text, choices)):
        return (letter,), PLACE
    return None
