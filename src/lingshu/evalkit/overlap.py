"""Token overlap of an open answer with its gold, on multisets, so that repeating a word earns nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from lingshu.evalkit.parsing.closed import normalise


@dataclass(frozen=True, slots=True)
class Overlap:
    """Shares in [0, 1]: `precision` of the response's tokens, `recall` of the gold's, and their harmonic mean."""

    precision: float
    recall: float
    f1: float


def token_overlap(gold: str, response: str) -> Overlap:
    """Return the overlap of two texts; an empty side gives zeros, two equal texts give ones."""
    expected, given = Counter(normalise(gold)), Counter(normalise(response))
    common = (expected & given).total()
    if not common:
        return Overlap(0.0, 0.0, 0.0)
    precision, recall = common / given.total(), common / expected.total()
    return Overlap(precision, recall, 2 * precision * recall / (precision + recall))
