"""The signs beside a letter: brackets around it, what ties it to a word, the end of a sentence behind it."""

from __future__ import annotations

OPENING, CLOSING = "([{【〔（", ")]}】〕）"
TIES_BEFORE, TIES_AFTER = frozenset("'’-./"), frozenset("'’-.")


def sentence_stops(text: str, end: int) -> bool:
    """Return whether a sentence ends at `end`, so that letters before it are all that it says."""
    return text[end : end + 1] in ("。", "\n") or text[end : end + 2] in (". ", ".\n")


def stands_alone(text: str, at: int) -> bool:
    """Return whether no apostrophe, hyphen, stop or slash ties the letter to a word ("B's", "C-reactive", "N/A")."""
    if text[at + 1 : at + 2] in TIES_AFTER and (after := text[at + 2 : at + 3]).isalpha() and after.isascii():
        return False
    return not tied_before(text, at)


def tied_before(text: str, at: int) -> bool:
    """Return whether a sign ties the letter at `at` to a word before it."""
    return at > 1 and text[at - 1] in TIES_BEFORE and text[at - 2].isalpha() and text[at - 2].isascii()


def with_brackets(text: str, at: int) -> tuple[int, int]:
    """Return the span of the letter with the brackets around it, if there are any."""
    if at and text[at - 1] != " " and text[at - 1] not in OPENING:
        return at, at + 1
    start, end = at - 1, at + 1
    while start >= 0 and text[start] == " ":
        start -= 1
    while end < len(text) and text[end] == " ":
        end += 1
    if start >= 0 and end < len(text) and text[start] in OPENING and text[end] in CLOSING:
        tied = text[at].islower() and text[start - 1 : start].isalnum()  # "Lp(a)"
        return (at, at + 1) if tied else (start, end + 1)
    return at, at + 1
