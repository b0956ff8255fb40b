"""What the facts answer to a question in words: read from its text alone, apart from the code that wrote it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lingshu.facts.asking import YES_NO
from lingshu.facts.vocabulary import NONE
from lingshu.synthesis.alternatives import alternatives

Facts = Mapping[str, Any]
KEYS_BY_NOUN: dict[str, str] = {
    "imaging modality": "modality",
    "imaging plane": "plane",
    "view": "view",
    "mri sequence": "sequence",
    "body part": "body_part",
    "stain": "stain",
    "visible structure": "structure",
    "heart size": "heart",
    "size of the effusion": "effusion_level",
    "number of nodules": "nodule_count",
    "side of the nodule": "nodule_side",
    "side of the effusion": "effusion_side",
    "side of the opacity": "opacity",
}
FINDING_KEYS: dict[str, str] = {
    "nodule": "nodule_count",
    "effusion": "effusion_side",
    "opacit": "opacity",
    "heart": "heart",
}
ABSENT: tuple[Any, ...] = (0, NONE, "normal")


def answer_from_facts(question: str, facts: Facts) -> str | None:
    """Return the answer that the facts give, or None if the question is not understood or the facts say nothing."""
    flat = " ".join(question.lower().split())
    for pattern, read in _READERS:
        if match := pattern.fullmatch(flat):
            return read(match, facts)
    return None


def excluded_options(question: str, facts: Facts, options: Iterable[str]) -> set[str]:
    """Return the options that can't be true: values of the fact asked for that exclude the true value."""
    match = _ASKED_VALUE.fullmatch(" ".join(question.lower().split()))
    value = _value(match, facts) if match else None
    return set(alternatives(KEYS_BY_NOUN[match["noun"]], value, options)) if match and value is not None else set()


def is_present(finding: str, facts: Facts) -> bool | None:
    """Return whether a finding named in words is there, or None if it is unknown."""
    key = next((key for word, key in FINDING_KEYS.items() if word in finding.lower()), None)
    return facts[key] not in ABSENT if key is not None and key in facts else None


def _value(match: re.Match[str], facts: Facts) -> str | None:
    key = KEYS_BY_NOUN[match["noun"]]
    return str(facts[key]) if facts.get(key, NONE) != NONE else None


def _confirmed(match: re.Match[str], facts: Facts) -> str | None:
    return _agrees(KEYS_BY_NOUN[match["noun"]], match["value"], facts)


def _shown(match: re.Match[str], facts: Facts) -> str | None:
    return _agrees("body_part", match["value"], facts)


def _agrees(key: str, shown: str, facts: Facts) -> str | None:
    """Return yes for the true value, no for one that it excludes, None for one that may hold as well."""
    value = str(facts.get(key, NONE))
    if value == NONE:
        return None
    if value.lower() == shown:
        return YES_NO[True]
    return YES_NO[False] if alternatives(key, value, [shown]) else None


def _there(match: re.Match[str], facts: Facts) -> str | None:
    there = is_present(match["finding"], facts)
    return None if there is None else YES_NO[there]


def _free(match: re.Match[str], facts: Facts) -> str | None:
    there = is_present(match["finding"], facts)
    return None if there is None else YES_NO[not there]


def _flag(key: str) -> Callable[[re.Match[str], Facts], str | None]:
    return lambda _, facts: YES_NO[facts[key]] if key in facts else None


def _side(match: re.Match[str], facts: Facts) -> str | None:
    key = KEYS_BY_NOUN[f"side of the {match['finding']}"]
    return str(facts[key]) if facts.get(key, NONE) != NONE else None


def _count(_: re.Match[str], facts: Facts) -> str | None:
    return str(facts["nodule_count"]) if "nodule_count" in facts else None


_NOUN = f"(?P<noun>{'|'.join(sorted(KEYS_BY_NOUN, key=len, reverse=True))})"
_FINDING = "(?P<finding>nodule|pleural effusion|effusion|opacity)"
_SIDED = "(?P<finding>nodule|effusion|opacity)"
_ASKED_VALUE = re.compile(rf"(?:name|which of these is) the {_NOUN}[.?]")
_READERS = tuple(
    (re.compile(pattern), read)
    for pattern, read in (
        (_ASKED_VALUE.pattern, _value),
        (r"count the nodules\.|how many nodules are there\?|what is the number of nodules\?", _count),
        (rf"is the {_NOUN} (?P<value>.+)\?", _confirmed),
        (r"does this show the (?P<value>.+)\?", _shown),
        (r"was this made with contrast agent\?", _flag("contrast")),
        (r"is there doppler colour\?", _flag("doppler")),
        (rf"(?:is there|can|does this image show) an? {_FINDING}(?: be seen)?\?", _there),
        (r"is the chest free of (?P<finding>nodules|effusions|opacities)\?", _free),
        (rf"(?:on which side is|which lung has|which side has) the {_SIDED}\?", _side),
    )
)
