"""N-grams that candidates share with their references, counted pair by pair in machine code.

No n-gram has a number beyond its sample, so nothing is sorted. Importing this module imports numba.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from lingshu.core.compiled import compiled
from lingshu.evalkit.ngrams import MAX_ORDER

STEP = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: multiplicative hashing (Knuth, volume 3, 6.4)
FREE = -1


@dataclass(frozen=True, slots=True)
class Matches:
    """N-grams that candidates share with a reference: `correct` and `guesses` have shape (orders, samples).

    `correct` is clipped at the largest count of a reference, `guesses` are all n-grams of the candidate; `lengths`
    (of candidates) and `closest` (reference lengths, of two as close the shorter) have shape (samples,).
    """

    correct: NDArray[np.int64]
    guesses: NDArray[np.int64]
    lengths: NDArray[np.int64]
    closest: NDArray[np.int64]


def matches(references: Sequence[Sequence[Sequence[str]]], candidates: Sequence[Sequence[str]]) -> Matches:
    """Return what BLEU and ROUGE-N count, for n-grams of orders 1 to 4; every candidate has one or more references.

    Raises:
        ValueError: a candidate has no reference, or the numbers differ.
    """
    if len(references) != len(candidates) or not all(references):
        raise ValueError("every candidate needs at least one reference")
    texts = [text for group, own in zip(references, candidates, strict=True) for text in (own, *group)]
    vocabulary: defaultdict[str, int] = defaultdict()
    vocabulary.default_factory = vocabulary.__len__
    tokens = np.fromiter(map(vocabulary.__getitem__, chain.from_iterable(texts)), dtype=np.int64)
    bounds = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)), out=bounds[1:])
    firsts = np.zeros(len(candidates) + 1, dtype=np.int64)
    np.cumsum([1 + len(group) for group in references], out=firsts[1:])
    correct = np.zeros((MAX_ORDER, len(candidates)), dtype=np.int64)
    closest = np.zeros(len(candidates), dtype=np.int64)
    _count(tokens, bounds, firsts, correct, closest)
    lengths = np.diff(bounds)[firsts[:-1]]
    guesses = np.maximum(lengths - np.arange(MAX_ORDER)[:, None], 0)
    return Matches(correct, guesses, lengths, closest)


@compiled
def _count(
    tokens: NDArray[np.int64],
    bounds: NDArray[np.int64],
    firsts: NDArray[np.int64],
    correct: NDArray[np.int64],
    closest: NDArray[np.int64],
) -> None:
    """Fill in `correct` and `closest`; text firsts[i] is candidate i, and its references follow."""
    longest = 1
    for sample in range(len(closest)):
        longest = max(longest, bounds[firsts[sample + 1]] - bounds[firsts[sample]])
    bits = 1
    while (1 << bits) < 2 * longest:
        bits += 1
    grams, tally = np.empty(longest, dtype=np.int64), np.empty((3, longest), dtype=np.int64)
    slots = (np.empty(1 << bits, dtype=np.int64), np.empty(1 << bits, dtype=np.int64))
    words = tokens.max() + 1 if len(tokens) else 1
    for sample in range(len(closest)):
        own = bounds[firsts[sample] : firsts[sample + 1] + 1]
        closest[sample] = _closest(own)
        for place in range(own[-1] - own[0]):
            grams[place] = 0
        for order in range(len(correct)):
            size = _number(tokens[own[0] : own[-1]], own - own[0], (order, words), grams, slots)
            correct[order, sample] = _clipped(own - own[0], order, grams, tally[:, :size])


@compiled
def _closest(own: NDArray[np.int64]) -> int:
    length, best = own[1] - own[0], own[2] - own[1]
    for text in range(2, len(own) - 1):
        other = own[text + 1] - own[text]
        gain = abs(best - length) - abs(other - length)
        if gain > 0 or (gain == 0 and other < best):
            best = other
    return int(best)


@compiled
def _number(
    tokens: NDArray[np.int64],
    own: NDArray[np.int64],
    kind: tuple[int, int],
    grams: NDArray[np.int64],
    slots: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> int:
    """Number the n-grams of a sample's texts by first place; return how many are distinct.

    An n-gram is the shorter one that starts at the same place, whose number `grams` holds, and the word behind it.
    `own` are the bounds of the texts in `tokens`; `kind` is the order (0: single words) and the number of words.
    """
    order, words = kind
    keys, numbers = slots
    bits = 1
    while (1 << bits) < 2 * len(tokens):
        bits += 1
    last, shift, size = (1 << bits) - 1, np.uint64(64 - bits), 0
    for slot in range(last + 1):
        keys[slot] = FREE
    for text in range(len(own) - 1):
        for place in range(own[text], own[text + 1] - order):
            key = grams[place] * words + tokens[place + order]
            at = np.int64((np.uint64(key) * STEP) >> shift)
            while keys[at] not in (key, FREE):
                at = (at + 1) & last
            if keys[at] == FREE:
                keys[at], numbers[at] = key, size
                size += 1
            grams[place] = numbers[at]
    return size


@compiled
def _clipped(own: NDArray[np.int64], order: int, grams: NDArray[np.int64], tally: NDArray[np.int64]) -> int:
    """Return how many n-grams of the candidate a reference has too; `tally`: counts of candidate, reference, best."""
    for number in range(tally.shape[1]):
        tally[0, number], tally[1, number], tally[2, number] = 0, 0, 0
    for place in range(own[1] - order):
        tally[0, grams[place]] += 1
    for text in range(1, len(own) - 1):
        for place in range(own[text], own[text + 1] - order):
            number = grams[place]
            tally[1, number] += 1
            tally[2, number] = max(tally[2, number], tally[1, number])
        for place in range(own[text], own[text + 1] - order):
            tally[1, grams[place]] = 0
    shared = 0
    for number in range(tally.shape[1]):
        shared += min(tally[0, number], tally[2, number])
    return shared
