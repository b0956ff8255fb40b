"""METEOR without Java: words match exactly, then by stem, then, where a WordNet is given, by synonyms.

Equals `nltk.translate.meteor_score.single_meteor_score(reference, candidate, wordnet=w)` (NLTK 3.10), where `w` is the
same WordNet, or one that knows no word; the matcher, the fragmentation penalty and alpha = 0.9, beta = 3, gamma = 0.5
are NLTK's. The Java METEOR 1.5 (paraphrases, function words, other weights) is another metric.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lingshu.evalkit.reports.porter import stem

ALPHA, BETA, GAMMA = 0.9, 3.0, 0.5
Tokens = Sequence[str]
Words = list[tuple[int, str]]  # places and words, by place
Synonyms = Callable[[str], AbstractSet[str]]


def meteor_exact_stem(references: Sequence[Tokens], candidates: Sequence[Tokens]) -> NDArray[np.float64]:
    """Return METEOR of each candidate against one reference, shape (samples,); tokens are in lower case."""
    return np.array([_meteor(r, c, None) for r, c in zip(references, candidates, strict=True)], dtype=np.float64)


def meteor_wordnet(
    references: Sequence[Tokens], candidates: Sequence[Tokens], synonyms: Synonyms
) -> NDArray[np.float64]:
    """Return the same with synonyms, shape (samples,); `synonyms` gives the words that mean the same as one, and it."""
    return np.array([_meteor(r, c, synonyms) for r, c in zip(references, candidates, strict=True)], dtype=np.float64)


def _meteor(reference: Tokens, candidate: Tokens, synonyms: Synonyms | None) -> float:
    pairs = _pairs(list(enumerate(reference)), list(enumerate(candidate)), synonyms)
    if not pairs:
        return 0.0
    precision, recall = len(pairs) / len(candidate), len(pairs) / len(reference)
    mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall)
    breaks = sum((b[0] - a[0], b[1] - a[1]) != (1, 1) for a, b in pairwise(pairs))
    return float((1 - GAMMA * ((breaks + 1) / len(pairs)) ** BETA) * mean)


def _pairs(reference: Words, candidate: Words, synonyms: Synonyms | None) -> list[tuple[int, int]]:
    """Return matched (candidate place, reference place), by candidate place; exact matches come before stems.

    Synonyms come last, and are those of stems, as NLTK has it.
    """
    found = _matched(reference, candidate)
    stems, mine = _rest(reference, [r for _, r in found]), _rest(candidate, [c for c, _ in found])
    stems, mine = ([(place, stem(word)) for place, word in words] for words in (stems, mine))
    found += _matched(stems, mine)
    if synonyms is not None:
        left, right = _rest(stems, [r for _, r in found]), _rest(mine, [c for c, _ in found])
        found += _synonymous(left, right, synonyms)
    return sorted(found)


def _rest(words: Words, taken: Sequence[int]) -> Words:
    places = set(taken)
    return [(place, word) for place, word in words if place not in places]


def _synonymous(reference: Words, candidate: Words, synonyms: Synonyms) -> list[tuple[int, int]]:
    """Return matches from the end: each candidate word takes the last free reference word that is a synonym of it."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, word in reference:
        places[word].append(place)
    found = []
    for place, word in reversed(candidate):
        known = [other for other in places.keys() & synonyms(word) if places[other]]
        if known:
            found.append((place, places[max(known, key=lambda other: places[other][-1])].pop()))
    return found


def _matched(reference: Words, candidate: Words) -> list[tuple[int, int]]:
    """Return matches from the end: each candidate word takes the last equal reference word that is free."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, word in reference:
        places[word].append(place)
    return [(place, places[word].pop()) for place, word in reversed(candidate) if places[word]]
