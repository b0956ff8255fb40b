"""Answers that are one phrase about the options: an exception, a ranking, a place, a list of verdicts."""

from __future__ import annotations

from lingshu.evalkit.parsing.exceptions import left_by_exception, left_by_exclusion
from lingshu.evalkit.parsing.positions import NOUNS, option_at_place
from lingshu.evalkit.parsing.rankings import ranked_first
from lingshu.evalkit.parsing.verdict_lists import marked_options

_LONGEST = 200  # characters of a phrase
ELIMINATION, RANKING, PLACE, VERDICTS = "elimination", "ranking", "place", "verdicts"


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
        left = left_by_exclusion(text, len(choices)) if choices else ()
        return (left, ELIMINATION) if left else None
    return _one_by_phrase(text, choices, count)


def _one_by_phrase(text: str, choices: tuple[str, ...] | None, count: int) -> tuple[tuple[str, ...], str] | None:
    if ("<" in text or ">" in text or "east" in text) and (first := ranked_first(text, choices, count)):
        return (first,), RANKING
    if choices and any(noun in text for noun in NOUNS) and (letter := option_at_place(text, choices)):
        return (letter,), PLACE
    return None
