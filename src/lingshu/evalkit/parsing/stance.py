"""Does a text put forward, state as its answer, or deny what it mentions? Clause-wise, English and Chinese.

A *clause* ends at punctuation or at a word of contrast. A mention is denied by a cue before it in its clause ("not A",
"exclude A, C and D"), by a predicate after it ("A is unlikely"), or by belonging to a list that is being excluded.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from enum import Enum

from lingshu.evalkit.parsing.clauses import Clauses, Span
from lingshu.evalkit.parsing.said import (
    DENYING,
    DOUBLE,
    EXCLUDING,
    FAVOURING,
    SHORT,
    STATING,
    WEIGHED,
    after_kept,
    before_kept,
    said_after,
    said_before,
)


class Stance(Enum):
    """How a text stands to something it mentions."""

    STATED = "stated"  # as the answer: "the answer is B", "B is correct"
    FAVOURED = "favoured"  # spoken for: "B fits", "points to B", "it is B"
    MENTIONED = "mentioned"  # put forward without more: "… so B"
    DENIED = "denied"
    UNCLEAR = "unclear"  # weighed or asked, or a double negation: "between A and B", "A?", "B can't be excluded"


# Looked up as names: as attributes of the class they cost a call each before Python 3.12.
STATED, FAVOURED, MENTIONED, DENIED, UNCLEAR = Stance

# All patterns below are for lower-case text.
_OR = re.compile(r"\s*,?\s*(?:or|或者?|还是)\s*(?:(?:perhaps|maybe|possibly|even)\s+)?(?:an?\s+|the\s+)?[\"'“‘(\[]*")
_ASIDE = r"(?:\((?!(?:not|no|yes|true|false|correct|incorrect|wrong|right)\b)[^()\n\u4e00-\u9fff]{1,40}\)\s*)?"
JOINING = re.compile(
    rf"\s*{_ASIDE}(?:[,，、]\s*)?(?:(?:and|as well as)\b|[,，、&]|和|及|与|以及)\s*(?:an?\s+|the\s+)?[\"'“‘(\[]*"
)
"""What stands between members of a list that are all meant."""
_JOINED = re.compile(r"\s*(?:or|nor|或者?|和|及)\s*(?:an?\s+|the\s+)?\Z")
_ENDS = ".!?。！？;；\n"
AND = re.compile(r"\b(?:and|as well as)\b|[&和与及]")
"""What ends a list in which all is meant."""


def stances(clauses: Clauses, mentions: Sequence[Span], findings: bool = False) -> list[Stance]:
    """Return the stance of a text to each of its mentions.

    Args:
        mentions: (start, end) offsets, ascending and not overlapping.
        findings: the mentions are words about a picture, which "no", "without", "absent" deny too.
    """
    text, english = clauses.text, clauses.english
    surroundings, hard = clauses.beside(mentions), clauses.hard
    result: list[Stance] = []
    carried = MENTIONED  # what a list that is being excluded or weighed gives to its later members
    previous_end = 0
    for (start, end), beside in zip(mentions, surroundings, strict=True):
        before, after, followed, opening, concluded = beside
        if carried is not MENTIONED and bisect_left(hard, start) > bisect_left(hard, previous_end):
            carried = MENTIONED
        saying = before_kept if len(before) <= SHORT else said_before
        ahead = 0 if before == " " else saying(english, findings, before)
        telling = after_kept if len(after) <= SHORT else said_after
        behind = telling(english, after, followed) if after and after != " " else 0
        asked = not after and text[end : end + 1] == "?"
        stance = UNCLEAR if asked else _stance(ahead, behind, concluded) if ahead or behind or concluded else MENTIONED
        if stance is MENTIONED or stance is FAVOURED:
            if opening >= 0 and clauses.concedes(opening):
                stance = UNCLEAR
            elif stance is MENTIONED and result and result[-1] is not MENTIONED and result[-1] is not UNCLEAR:
                stance = _after(result, before, findings)
        if stance is MENTIONED:
            stance = carried
        elif stance is not DENIED:
            carried = UNCLEAR if ahead & WEIGHED else MENTIONED
            if before[:1] == "也" and carried is UNCLEAR and result and result[-1] is not DENIED:
                result[-1] = UNCLEAR  # "可能是A，也可能是B"
        elif ahead & EXCLUDING:
            carried = DENIED
        result.append(stance)
        if findings and behind and stance is not UNCLEAR and stance is not MENTIONED:
            _share(text, mentions, result)
        previous_end = end
    if findings and (STATED in result or FAVOURED in result):
        _spread(text, mentions, result)
    return result


def _after(result: list[Stance], before: str, findings: bool) -> Stance:
    """Return the stance of a mention that an "or" may join to the one before it; what is stated so is left open."""
    if result[-1] is DENIED:
        return DENIED if findings and _JOINED.match(before) else MENTIONED
    if _OR.fullmatch(before):
        result[-1] = UNCLEAR
        return UNCLEAR
    return MENTIONED


def _spread(text: str, mentions: Sequence[Span], result: list[Stance]) -> None:
    """Give what is said before the first of a list to all of it ("so it is ascites, fever and a rash").

    A list ends in "and", or at the end of a sentence: in "it is CT, MRI would be dark" MRI is none of it.
    """
    last = len(result) - 1
    while last > 0:
        first = last
        while (
            first and result[first] is MENTIONED and JOINING.fullmatch(text, mentions[first - 1][1], mentions[first][0])
        ):
            first -= 1
        joint = text[mentions[last - 1][1] : mentions[last][0]] if first < last else ""
        ends = AND.search(joint) or not text[mentions[last][1] :].strip(" )\"'")[:1].strip(_ENDS)
        if joint and ends and result[first] in (STATED, FAVOURED):
            result[first + 1 : last + 1] = [result[first]] * (last - first)
        last = min(first, last - 1)


def _share(text: str, mentions: Sequence[Span], result: list[Stance]) -> None:
    """Give what is said behind the last mention to those that it is joined to ("CT and MRI are wrong")."""
    at = len(result) - 1
    while at and result[at - 1] is MENTIONED and JOINING.fullmatch(text, mentions[at - 1][1], mentions[at][0]):
        at -= 1
        result[at] = result[-1]


def _stance(ahead: int, behind: int, concluded: bool) -> Stance:
    said = ahead | behind
    if said & DOUBLE:
        return UNCLEAR
    if said & DENYING:
        return DENIED
    if said & WEIGHED:
        return UNCLEAR
    if concluded or said & STATING:
        return STATED
    return FAVOURED if said & FAVOURING else MENTIONED
