"""Cues grouped by first letter find what the plain alternatives find, at the same places."""

import random
import re

import pytest

from lingshu.evalkit.parsing import cues


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("not|nor", ["not", "nor"]),
        (r"(?:as|since)\b", [r"as\b", r"since\b"]),
        ("(?:(?:a|b)c|d)e|f", ["ace", "bce", "de", "f"]),
        (r"is (?:right|best)\b|(?:a|b)?c", [r"is (?:right|best)\b", "(?:a|b)?c"]),
        (r"exclud\w*|rul(?:e|ed)[ (|)]out\|x", [r"exclud\w*", r"rul(?:e|ed)[ (|)]out\|x"]),
        (r"not\b(?!\s+(?:only|sure)\b)|[^|]x", [r"not\b(?!\s+(?:only|sure)\b)", "[^|]x"]),
    ],
)
def test_alternatives_are_told_apart_outside_groups_and_sets(pattern, wanted):
    assert cues._alternatives(pattern) == wanted


@pytest.mark.parametrize("cue", ["_DENIED_BEFORE", "_DENIED_AFTER", "_DOUBLE", "_STATED_BEFORE", "_STATED_AFTER"])
def test_grouped_cues_find_the_same_places(cue):
    words = getattr(cues, cue).words
    plain, grouped = (re.compile(rf"\b(?:{each})") for each in (words, cues.by_first_letter(words)))
    draw = random.Random(5)
    vocabulary = [*re.findall(r"[a-z]+", words), "a", "b", "only", "sided", "x", " ", ".", ":", "(", "'"]
    found = 0
    for _ in range(3000):
        text = " ".join(draw.choices(vocabulary, k=12))
        places = [match.start() for match in plain.finditer(text)]
        firsts = grouped.search(text)
        assert (firsts.start() if firsts else None) == (places[0] if places else None), text
        found += len(places)
    assert found > 300
