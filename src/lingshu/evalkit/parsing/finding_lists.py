"""Findings that a response names without a verb of their own: a line of a report, a member of what a picture shows.

For lower-case English text: "Small left pleural effusion.", "We can see the liver, the stomach and the left kidney."
"""

from __future__ import annotations

import re

from lingshu.evalkit.parsing.finding_words import ASKING, DENIAL, HEDGING, NOT_SHORT, STATING, content, words_of
from lingshu.evalkit.parsing.options import word_set

_SENTENCE = re.compile(r"[.!?;]+(?:\s|\Z)|\n+|\b(?:but|although|though|however|whereas|because|since|while)\b")
_MEMBER = re.compile(r",\s+|\band\b|\bas well as\b|\balong with\b")
_SHOWING = word_set(
    "show shows see contain contains demonstrates reveals depicts has have there includes include impression"
)
# A phrase with one of these says that something is looked for, causes or follows something: not that it is there.
_NO_FINDING = word_set(
    "cause causes caused causing mimic mimics lead leads leading result results resulting produce produces require"
    " requires need needs affect affects occur occurs explain explains mean means evaluation evaluate assess assessment"
    " history rule exclude differential versus vs for to look looking compare compared risk after prior follow due when"
    " should would could may might or than like such e.g called known defined term"
)
_SIGNS = " \t-*•·>()0123456789:\"'"
_LONGEST = 12  # words of a phrase


def lists(text: str, asked: frozenset[str]) -> bool:
    """Return whether a sentence of `text` is a list of findings, or says what the picture shows, and names `asked`."""
    return any(_named(sentence, asked) for sentence in _SENTENCE.split(text))


def _named(sentence: str, asked: frozenset[str]) -> bool:
    shown = False
    for number, member in enumerate(_MEMBER.split(sentence)):
        words = words_of(member.strip(_SIGNS))
        if not words:
            continue
        if not (DENIAL | HEDGING | ASKING | _NO_FINDING).isdisjoint(words) or any(w[-3:] in NOT_SHORT for w in words):
            return False
        if STATING.isdisjoint(words):
            shown = shown or not number
            if shown and len(words) <= _LONGEST and asked <= content(words) and (number or asked != content(words)):
                return True
        else:
            shown = not _SHOWING.isdisjoint(words)
    return False
