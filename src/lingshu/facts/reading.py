"""Captions and reports back into facts: the inverse of `wording`, also for text that a model wrote.

Of several statements about one key the first counts; what is not stated is not in the result.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lingshu.facts.vocabulary import (
    BODY_PARTS,
    BRAIN_TISSUES,
    EFFUSION_LEVELS,
    HEART,
    NONE,
    PLANES,
    SEQUENCES,
    STAINS,
    STRUCTURES,
    VIEWS,
)
from lingshu.facts.wording import MODALITY_NOUNS

NUMBER_WORDS: dict[str, int] = {
    word: number
    for number, word in enumerate(("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
} | {"a": 1, "an": 1}


def _alternatives(values: tuple[str, ...]) -> str:
    return "|".join(re.escape(v) for v in sorted(values, key=lambda v: (-len(v), v)))


_NOUNS: dict[str, str] = {noun.lower(): key for key, nouns in MODALITY_NOUNS.items() for noun in nouns}
_CANONICAL: dict[str, str] = {value.lower(): value for value in SEQUENCES}
_SIDE = "left|right"
_COUNT = rf"\d+|{_alternatives(tuple(NUMBER_WORDS))}"
_LEVEL = _alternatives(tuple(v for v in EFFUSION_LEVELS if v != NONE))


def facts_from_text(text: str) -> dict[str, Any]:
    """Return the facts that `text` states, as `vocabulary.FACTS` values.

    `facts_from_text(caption(f, v)) == parsable(f)` for all checked facts `f` and variants `v`. Case and line breaks
    do not matter. A statement that names half of a pair (a nodule without its side) gives only that half.
    """
    flat = re.sub(r"\s+", " ", text).lower()
    found: dict[str, Any] = {}
    for pattern, read in _READERS:
        if match := pattern.search(flat):
            for key, value in read(match).items():
                found.setdefault(key, value)
    return found


def _word(key: str, canonical: dict[str, str]) -> Callable[[re.Match[str]], dict[str, Any]]:
    return lambda match: {key: canonical.get(match[1], match[1])}


def _flag(key: str) -> Callable[[re.Match[str]], dict[str, Any]]:
    return lambda match: {key: match[1] is None}


def _heart(match: re.Match[str]) -> dict[str, Any]:
    return {"heart": match[1] or match[2]}


def _number(word: str) -> int:
    return int(word) if word.isdigit() else NUMBER_WORDS[word]


def _effusion(match: re.Match[str]) -> dict[str, Any]:
    if match["no"] or match["unseen"]:
        return {"effusion_side": NONE, "effusion_level": NONE}
    found = {"effusion_level": match["level"], "effusion_side": match["side"]}
    return {key: value for key, value in found.items() if value}


def _nodules(match: re.Match[str]) -> dict[str, Any]:
    count = _number(match["count"])
    if match["unseen"] or count == 0:
        return {"nodule_count": 0, "nodule_side": NONE}
    return {"nodule_count": count} | ({"nodule_side": match["side"]} if match["side"] else {})


def _nuclei(match: re.Match[str]) -> dict[str, Any]:
    return {"nuclei_count": _number(match[1])}


def _opacity(match: re.Match[str]) -> dict[str, Any]:
    side = match["after"] or match["before"]
    return {"opacity": side or NONE} if side or match["no"] or match["unseen"] else {}


_Reader = tuple[re.Pattern[str], Callable[[re.Match[str]], dict[str, Any]]]
_READERS: tuple[_Reader, ...] = tuple(
    (re.compile(pattern), read)
    for pattern, read in (
        (rf"\b({_alternatives(tuple(_NOUNS))})\b", _word("modality", _NOUNS)),
        (rf"\b({_alternatives(PLANES)})\b", _word("plane", {})),
        (rf"\b({_alternatives(VIEWS)})\b", _word("view", {})),
        (rf"\b({_alternatives(tuple(_CANONICAL))})\b", _word("sequence", _CANONICAL)),
        (rf"\b(?:of|shows) the ({_alternatives(BODY_PARTS)})\b", _word("body_part", {})),
        (rf"\bstain(?: is|:|ed with) ({_alternatives(STAINS)})\b", _word("stain", {})),
        (rf"\bstructure(?: shown)?: ({_alternatives(STRUCTURES)})\b", _word("structure", {})),
        (rf"\bmore ({_alternatives(BRAIN_TISSUES)}) than\b", _word("dominant_tissue", {})),
        (r"\b(?:(no|without) )?contrast agent\b", _flag("contrast")),
        (r"\b(?:(no|without) )?doppler colour\b", _flag("doppler")),
        (rf"\b({_COUNT}) nucle(?:us|i)\b", _nuclei),
        (rf"\bheart (?:size )?is ({_alternatives(HEART)})\b|\b({_alternatives(HEART)}) heart\b", _heart),
        (
            rf"\b(?:(?P<no>no )|(?:(?P<level>{_LEVEL}) )?(?:(?P<side>{_SIDE}) )?)pleural effusion"
            r"(?P<unseen> is not seen)?",
            _effusion,
        ),
        (
            rf"\b(?P<count>{_COUNT}) nodules?\b(?P<unseen> is not seen)?(?: in the (?P<side>{_SIDE}) lung)?",
            _nodules,
        ),
        (
            rf"\b(?P<no>no )?(?:(?P<before>{_SIDE}) lung has an )?opacity\b(?P<unseen> is not seen)?"
            rf"(?: in the (?P<after>{_SIDE}) lung)?",
            _opacity,
        ),
    )
)
