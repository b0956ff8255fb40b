"""METEOR without Java and without WordNet: words match exactly, then by stem.

Equals `nltk.translate.meteor_score.single_meteor_score(reference, candidate, wordnet=w)` (NLTK 3.10) where `w` knows no
word; the matcher, the fragmentation penalty and alpha = 0.9, beta = 3, gamma = 0.5 are NLTK's. With NLTK's WordNet
the score is the same or higher; the Java METEOR 1.5 (paraphrases, function words, other weights) is another metric.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lingshu.evalkit.reports.porter import stem

ALPHA, BETA, GAMMA = 0.9, 3.0, 0.5
Tokens = Sequence[str]


def meteor_exact_stem(references: Sequence[Tokens], candidates: Sequence[Tokens]) -> NDArray[np.float64]:
    """Return METEOR of each candidate against one reference, shape (samples,); tokens are in lower case."""
    return np.array([_meteor(r, c) for r, c in zip(references, candidates, strict=True)], dtype=np.float64)


def _meteor(reference: Tokens, candidate: Tokens) -> float:
    pairs = _pairs(list(enumerate(reference)), list(enumerate(candidate)))
    if not pairs:
        return 0.0
    precision, recall = len(pairs) / len(candidate), len(pairs) / len(reference)
    mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall)
    breaks = sum((b[0] - a[0], b[1] - a[1]) != (1, 1) for a, b in pairwise(pairs))
    return float((1 - GAMMA * ((breaks + 1) / len(pairs)) ** BETA) * mean)


def _pairs(reference: list[tuple[int, str]], candidate: list[tuple[int, str]]) -> list[tuple[int, int]]:
    """Return matched (candidate place, reference place), by candidate place; exact matches come before stems."""
    found = _matched(reference, candidate)
    mine, theirs = {c for c, _ in found}, {r for _, r in found}
    rest = [(place, stem(word)) for place, word in reference if place not in theirs]
    found += _matched(rest, [(place, stem(word)) for place, word in candidate if place not in mine])
    return sorted(found)


def _matched(reference: list[tuple[int, str]], candidate: list[tuple[int, str]]) -> list[tuple[int, int]]:
    """Return matches from the end: each candidate word takes the last equal reference word that is free."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, word in reference:
        places[word].append(place)
    return [(place, places[word].pop()) for place, word in reversed(candidate) if places[word]]
