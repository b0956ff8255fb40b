"""Forms in which a response may name an option by rule: number, initials, without what all options share.

"Effusions" for "effusion", "IDA" for "iron deficiency anemia", "the radial" where all options are nerves, "E. coli".
A form counts for one option only, or for none.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

Form = tuple[re.Pattern[str], str]
"""What finds a form in a response, and what stands for it."""

_WORD = re.compile(r"[A-Za-z]+")
_GENUS = re.compile(r"(?P<genus>[A-Z][a-z]{2,}) (?P<species>[a-z]{4,})\Z")
_SMALL = frozenset({"a", "an", "and", "by", "for", "in", "of", "on", "or", "the", "to", "with"})
_WORDS_TOO = frozenset({"ALL", "AND", "ANY", "ARE", "BUT", "CAN", "FOR", "HAS", "NOT", "THE", "WAS"})
_STATING = ("it the ", "it is the ", "answer is the ", "answer is ", "choose the ", "choose ", "select ", "pick ")
_CODE = re.compile(r"[A-Z][0-9]+")  # as in "B12", where all options are vitamins
_LEAST = 4  # letters of a word that is read in both numbers


def short_forms(options: tuple[str, ...]) -> list[Form]:
    """Return what finds the other forms of `options` (texts without letters)."""
    return [*_genera(options), *_initials(options), *_shared(options)]


def _genera(options: tuple[str, ...]) -> list[Form]:
    named = [found for option in options if (found := _GENUS.match(option))]
    return [
        (re.compile(rf"\b{found['genus'][0]}\. ?(?={found['species']}\b)"), found["genus"] + " ") for found in named
    ]


def _initials(options: tuple[str, ...]) -> list[Form]:
    """Return the initials of options of three words or more that no other option has."""
    found: list[tuple[str, str]] = []
    for option in options:
        parts = [part for part in re.split(r"[\s/-]+", option.rstrip(".")) if part.lower() not in _SMALL]
        if len(parts) > 2 and all(part.isalpha() and part.isascii() for part in parts):
            found.append(("".join(part[0] for part in parts).upper(), option))
    counts = Counter(initials for initials, _ in found)
    return [
        (re.compile(rf"\b{initials}\b"), option)
        for initials, option in found
        if counts[initials] == 1 and initials not in _WORDS_TOO
    ]


def _shared(options: tuple[str, ...]) -> list[Form]:
    """Return options without the first or last word that all of them share."""
    split = [option.rstrip(".").split() for option in options]
    if len(split) < 2 or any(len(parts) < 2 for parts in split):
        return []
    found: list[Form] = []
    if len({parts[-1].lower() for parts in split}) == 1:
        rests = [" ".join(parts[:-1]) for parts in split]
        starts = "|".join(rf"(?<=\b{lead})" for lead in _STATING)
        ends = r"(?=\s*(?:[.;!?]|\Z))"  # no list
        found += [
            (re.compile(rf"(?:{starts}){re.escape(rest)}{ends}", re.IGNORECASE), option)
            for rest, option in zip(rests, options, strict=True)
            if len(rest) >= _LEAST and rests.count(rest) == 1
        ]
    first = split[0][0]
    if len({parts[0].lower() for parts in split}) == 1:
        rests = [" ".join(parts[1:]) for parts in split]
        found += [
            (re.compile(rf"(?<!{re.escape(first)}[ -])\b{re.escape(rest)}(?![\w-])", re.IGNORECASE), option)
            for rest, option in zip(rests, options, strict=True)
            if _CODE.fullmatch(rest) and rests.count(rest) == 1
        ]
    return found


def other_numbers(text: str, options: tuple[str, ...]) -> str:
    """Return `text` with words of options that it has in the other number only, singular or plural, as options do."""
    forms = _numbers(options)
    held = set(_WORD.findall(text.lower()))
    forms = {other: word for other, word in forms.items() if other in held and word not in held}
    if not forms:
        return text
    return re.sub(rf"\b(?:{'|'.join(forms)})\b", lambda word: forms[word[0].lower()], text, flags=re.IGNORECASE)


@lru_cache(maxsize=1 << 12)
def _numbers(options: tuple[str, ...]) -> dict[str, str]:
    """Return the words of options by their form in the other number, unless an option has that too."""
    own = {word for option in options for word in _WORD.findall(option.lower())}
    forms = {other: word for word in own if len(word) >= _LEAST for other in (_other_number(word),) if other}
    return {other: word for other, word in forms.items() if other not in own}


def _other_number(word: str) -> str:
    if word.endswith(("ss", "us", "is")):
        return ""
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith("s"):
        return word[:-1]
    if word.endswith("y") and word[-2] not in "aeou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("x", "ch", "sh")) else "s")
