"""Word n-grams of benchmark texts as an index, and the training texts that hold them: exact, in memory set by the index.

A training text is read once, byte by byte: a rolling 64-bit hash of its last n words asks a bitmap, then a hash table,
and a hit is taken only if the words themselves are equal. So hits are those of a Python set of n-grams.
Importing this module imports numba.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingshu.core.compiled import compiled
from lingshu.core.folding import Texts

FNV_OFFSET = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)
# SplitMix64 (Steele, Lea, Flood 2014), the finaliser's constants and its golden-ratio step.
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
STEP = np.uint64(0x9E3779B97F4A7C15)
SPACE = 32
BITS_A_NGRAM = 16  # of the bitmap: one in sixteen absent n-grams goes on to the table


@dataclass(frozen=True, slots=True)
class NgramIndex:
    """The distinct n-grams of some texts.

    Attributes:
        size: words in an n-gram.
        texts: in normal form (`core.folding.folded`).
        slots: open-addressing table, number of an n-gram or -1; its length is a power of two.
        bitmap: one bit a hash, to pass over absent n-grams; its bits are a power of two.
        hashes: of each n-gram, uint64.
        bounds: first byte and end of its first place in `texts`, shape (n-grams, 2).
        holders: texts that hold n-gram g are `holders[holder_offsets[g]:holder_offsets[g + 1]]`, ascending.
        sizes: distinct n-grams of each text; 0 for one with fewer than `size` words.
    """

    size: int
    texts: Texts
    slots: NDArray[np.int32]
    bitmap: NDArray[np.uint64]
    hashes: NDArray[np.uint64]
    bounds: NDArray[np.int64]
    holders: NDArray[np.int32]
    holder_offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NgramHits:
    """Pairs of a training text and an index text, sorted: row numbers, and the share of the latter's n-grams."""

    train: NDArray[np.int64]
    item: NDArray[np.int64]
    coverage: NDArray[np.float64]


def ngram_index(texts: Texts, size: int) -> NgramIndex:
    """Return the index of texts in normal form."""
    most = max(1, _count_ngrams(texts.letters, texts.offsets, size))
    slots = np.full(_power_of_two(2 * most), -1, dtype=np.int32)
    bitmap = np.zeros(max(1, _power_of_two(BITS_A_NGRAM * most) // 64), dtype=np.uint64)
    hashes = np.empty(most, dtype=np.uint64)
    bounds = np.empty((most, 2), dtype=np.int64)
    pairs = np.empty((most, 2), dtype=np.int32)
    sizes = np.zeros(len(texts), dtype=np.int64)
    found, held = _build(texts.letters, texts.offsets, size, slots, bitmap, hashes, bounds, pairs, sizes)
    pairs = pairs[:held]
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(pairs[:, 0], minlength=found))])
    holders = pairs[np.argsort(pairs[:, 0], kind="stable"), 1]
    return NgramIndex(size, texts, slots, bitmap, hashes[:found], bounds[:found], holders, offsets, sizes)


def ngram_hits(train: Texts, index: NgramIndex, coverage: float) -> NgramHits:
    """Return every pair in which a training text holds at least `coverage` of an index text's distinct n-grams.

    Args:
        train: in normal form.
        index: of the benchmark's texts.
        coverage: least share, in (0, 1].
    """
    pairs = np.empty((max(1024, len(train)), 3), dtype=np.int64)
    while True:
        needed = _search(
            train.letters, train.offsets, index.size, index.texts.letters, index.slots, index.bitmap, index.hashes,
            index.bounds, index.holders, index.holder_offsets, index.sizes, coverage, pairs,
        )  # fmt: skip
        if needed <= len(pairs):
            break
        pairs = np.empty((needed, 3), dtype=np.int64)
    found = pairs[:needed]
    found = found[np.lexsort((found[:, 1], found[:, 0]))]
    return NgramHits(found[:, 0], found[:, 1], found[:, 2] / index.sizes[found[:, 1]])


def _power_of_two(least: int) -> int:
    return 1 << max(6, int(least - 1).bit_length())


@compiled
def _mix(value: np.uint64) -> np.uint64:
    value = (value ^ (value >> np.uint64(30))) * MIX_1
    value = (value ^ (value >> np.uint64(27))) * MIX_2
    return value ^ (value >> np.uint64(31))


@compiled
def _count_ngrams(letters: NDArray[np.uint8], offsets: NDArray[np.int64], size: int) -> int:
    total = 0
    for row in range(len(offsets) - 1):
        words = 0
        for place in range(offsets[row], offsets[row + 1]):
            if letters[place] == SPACE:
                words += 1
        if offsets[row + 1] > offsets[row]:
            words += 1
        total += max(0, words - size + 1)
    return total


@compiled
def _same(one: NDArray[np.uint8], start: int, end: int, other: NDArray[np.uint8], other_start: int) -> bool:
    for place in range(end - start):
        if one[start + place] != other[other_start + place]:
            return False
    return True


@compiled
def _leaving(size: int) -> np.uint64:
    """Return what the oldest of `size` words was multiplied by, once one more has come."""
    factor = np.uint64(1)
    for _ in range(size):
        factor = factor * STEP
    return factor


@compiled
def _lookup(
    hashed: np.uint64,
    letters: NDArray[np.uint8],
    start: int,
    end: int,
    known: NDArray[np.uint8],
    slots: NDArray[np.int32],
    hashes: NDArray[np.uint64],
    bounds: NDArray[np.int64],
) -> tuple[int, int]:
    """Return the number of the n-gram `letters[start:end]`, or -1, and the slot where the search ended."""
    mask = np.uint64(len(slots) - 1)
    slot = np.int64(hashed & mask)
    while slots[slot] >= 0:
        number = slots[slot]
        if (
            hashes[number] == hashed
            and bounds[number, 1] - bounds[number, 0] == end - start
            and _same(letters, start, end, known, bounds[number, 0])
        ):
            return number, slot
        slot = np.int64(np.uint64(slot + 1) & mask)
    return -1, slot


@compiled
def _build(
    letters: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    size: int,
    slots: NDArray[np.int32],
    bitmap: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
    bounds: NDArray[np.int64],
    pairs: NDArray[np.int32],
    sizes: NDArray[np.int64],
) -> tuple[int, int]:
    leaving = _leaving(size)
    bit_mask = np.uint64(len(bitmap) * 64 - 1)
    ring = np.zeros(size, dtype=np.uint64)
    starts = np.zeros(size, dtype=np.int64)
    latest = np.full(len(hashes), -1, dtype=np.int32)  # the text that an n-gram was seen in last
    found = 0
    held = 0
    for row in range(len(offsets) - 1):
        last = offsets[row + 1]
        state = np.uint64(0)
        word = FNV_OFFSET
        words = 0
        word_start = offsets[row]
        for place in range(offsets[row], last + 1):
            if place < last and letters[place] != SPACE:
                word = (word ^ np.uint64(letters[place])) * FNV_PRIME
                continue
            if place == word_start:
                break  # an empty text
            at = words % size
            mixed = _mix(word)
            state = state * STEP + mixed
            if words >= size:
                state -= ring[at] * leaving
            ring[at] = mixed
            starts[at] = word_start
            words += 1
            word = FNV_OFFSET
            word_start = place + 1
            if words < size:
                continue
            hashed = _mix(state)
            start = starts[words % size]
            number, slot = _lookup(hashed, letters, start, place, letters, slots, hashes, bounds)
            if number < 0:
                number = found
                found += 1
                slots[slot] = number
                hashes[number] = hashed
                bounds[number, 0] = start
                bounds[number, 1] = place
                bit = (hashed >> np.uint64(20)) & bit_mask
                bitmap[bit >> np.uint64(6)] |= np.uint64(1) << (bit & np.uint64(63))
            if latest[number] != row:
                latest[number] = row
                pairs[held, 0] = number
                pairs[held, 1] = row
                held += 1
                sizes[row] += 1
    return found, held


@compiled
def _search(
    letters: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    size: int,
    known: NDArray[np.uint8],
    slots: NDArray[np.int32],
    bitmap: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
    bounds: NDArray[np.int64],
    holders: NDArray[np.int32],
    holder_offsets: NDArray[np.int64],
    sizes: NDArray[np.int64],
    coverage: float,
    pairs: NDArray[np.int64],
) -> int:
    """Fill `pairs` with (row, text, n-grams shared) and return how many there are, or would be."""
    leaving = _leaving(size)
    bit_mask = np.uint64(len(bitmap) * 64 - 1)
    ring = np.zeros(size, dtype=np.uint64)
    starts = np.zeros(size, dtype=np.int64)
    latest = np.full(len(hashes), -1, dtype=np.int64)  # the row that an n-gram was seen in last
    shared = np.zeros(len(sizes), dtype=np.int64)
    touched = np.empty(len(sizes), dtype=np.int64)
    found = 0
    for row in range(len(offsets) - 1):
        last = offsets[row + 1]
        state = np.uint64(0)
        word = FNV_OFFSET
        words = 0
        word_start = offsets[row]
        met = 0
        for place in range(offsets[row], last + 1):
            if place < last and letters[place] != SPACE:
                word = (word ^ np.uint64(letters[place])) * FNV_PRIME
                continue
            if place == word_start:
                break  # an empty text
            at = words % size
            mixed = _mix(word)
            state = state * STEP + mixed
            if words >= size:
                state -= ring[at] * leaving
            ring[at] = mixed
            starts[at] = word_start
            words += 1
            word = FNV_OFFSET
            word_start = place + 1
            if words < size:
                continue
            hashed = _mix(state)
            bit = (hashed >> np.uint64(20)) & bit_mask
            if (bitmap[bit >> np.uint64(6)] >> (bit & np.uint64(63))) & np.uint64(1) == np.uint64(0):
                continue
            number, _ = _lookup(hashed, letters, starts[words % size], place, known, slots, hashes, bounds)
            if number < 0 or latest[number] == row:
                continue
            latest[number] = row
            for holder in range(holder_offsets[number], holder_offsets[number + 1]):
                item = holders[holder]
                if shared[item] == 0:
                    touched[met] = item
                    met += 1
                shared[item] += 1
        for number in range(met):
            item = touched[number]
            if shared[item] / sizes[item] >= coverage:
                if found < len(pairs):
                    pairs[found, 0] = row
                    pairs[found, 1] = item
                    pairs[found, 2] = shared[item]
                found += 1
            shared[item] = 0
    return found
