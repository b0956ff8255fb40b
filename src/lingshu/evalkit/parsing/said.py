"""What a clause says of a mention, before it and after it, as a set of bits.

Texts that mention much say little of each mention, and the same again and again (" or ", " is incorrect"), so that what
short parts of clauses say is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from lingshu.evalkit.parsing.cues import Cues, cues_of

DOUBLE, DENYING, EXCLUDING, WEIGHED, STATING, FAVOURING = 1, 2, 4, 8, 16, 32
LEAD = 96  # characters before a mention that may hold "the answer is"
_OF_NEXT = re.compile(
    r"[\s,，、(]*(?:\band\b|\bor\b)?\s*(?:\bnot\b|\bnor\b|\bover\b|不是|而非|非|而?不选|不考虑)[\s(\[\"']*\Z",
)
_OTHER_THING = re.compile(
    r"(?:\band|\bbut|,)\s+not\s+(?:an?|the)\b(?!\s+(?:answer|best|right|correct|most)).*", re.DOTALL
)
_BRACKETED = re.compile(
    r"\(\s*(?:not|unlike|versus|vs\.?)\s+(?:an?\s+|the\s+)?(?:\w+\s+){0,2}\Z"
)  # "(not the common A"
_NONE_OF_THEM = re.compile("以上(?:选项)?[都均皆]不是")  # an option's own text, which denies no letter
_NEXT_DENIED = ("not", "nor", "over", "是", "非", "选", "虑")
_TAIL = 32  # characters before the next mention that may hold its "not"
SHORT = 48  # characters of what is kept
_KEPT = 1 << 13


def said_before(english: bool, findings: bool, before: str) -> int:
    """Return what the clause's part `before` a mention says of it."""
    cues = cues_of(english)
    first = (cues.any_before_finding if findings else cues.any_before).search(before)
    if not first:
        return 0
    # No cue begins before the first of any, except in what is cut short, where a word may end at the cut.
    start = first.start()
    said = DOUBLE if cues.double.search(before, start) else 0
    if cues.denied_before.search(before, start) or (findings and cues.finding_denied.search(before, start)):
        said |= DENYING
        if cues.excluding_before.search(before, start):
            said |= EXCLUDING
    if cues.weighed_before.search(before, start):
        said |= WEIGHED
    if not said:
        start = max(start, len(before) - LEAD)
        stated = cues.stated_before.search(before, start)
        said = STATING if stated else FAVOURING if cues.favoured_before.search(before, start) else 0
    return said


def said_after(english: bool, after: str, followed: bool) -> int:
    """Return what the clause's part `after` a mention says of it: none of `EXCLUDING`.

    Args:
        followed: the next mention stands right behind, so that a "not" at the end may be its own.
    """
    cues = cues_of(english)
    first = cues.any_after.search(after)
    if not first:
        return 0
    predicate = _predicate(cues, after, followed)
    start = first.start() if len(predicate) == len(after) else 0
    said = DOUBLE if cues.double.search(predicate, start) else 0
    if cues.denied_after.search(predicate, start):
        said |= DENYING
    if not said and cues.weighed_after.search(predicate, start):
        said = WEIGHED
    if not said:
        stated = cues.stated_after.search(predicate, start)
        said = STATING if stated else FAVOURING if cues.favoured_after.search(predicate, start) else 0
    return said


def _predicate(cues: Cues, after: str, followed: bool) -> str:
    """Return what is said of a mention: what follows it, up to a reason, or a "not" that belongs to the next one."""
    if "以上" in after:
        after = _NONE_OF_THEM.sub("", after)
    if (
        followed
        and after.rstrip(" \t\r\n([\"'").endswith(_NEXT_DENIED)
        and (of_next := _OF_NEXT.search(after, max(0, len(after) - _TAIL)))
    ) or (followed and "(" in after[-_TAIL:] and (of_next := _BRACKETED.search(after, max(0, len(after) - _TAIL)))):
        after = after[: of_next.start()]
    if "not a" in after or "not the" in after:
        after = _OTHER_THING.sub("", after)
    reason = cues.reason.search(after)
    return after[: reason.start()] if reason else after


# For parts no longer than `SHORT`.
before_kept: Callable[[bool, bool, str], int] = lru_cache(maxsize=_KEPT)(said_before)
after_kept: Callable[[bool, str, bool], int] = lru_cache(maxsize=_KEPT)(said_after)
