"""N-grams of benchmark texts as an index, and the training texts that hold them: exact, in memory set by the index.

A training text is read once, byte by byte: a rolling 64-bit hash of its last n words asks a bitmap, then a hash table,
and a hit is taken only if the words themselves are equal. So hits are those of a Python set of n-grams.
Importing this module imports numba.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

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


class NgramIndex(NamedTuple):
    """The distinct n-grams of some texts (a named tuple, so that compiled functions take it whole).

    Attributes:
        size: words in an n-gram.
        letters: the texts in normal form (`core.folding.folded`), one after another.
        slots: open-addressing table, number of an n-gram or -1; its length is a power of two.
        bitmap: one bit a hash, to pass over absent n-grams; its bits are a power of two.
        hashes: of each n-gram, uint64.
        bounds: first byte and end of its first place in `letters`, shape (n-grams, 2).
        holders: texts that hold n-gram g are `holders[holder_offsets[g]:holder_offsets[g + 1]]`, ascending.
        sizes: distinct n-grams of each text; 0 for one with fewer than `size` words.
    """

    size: int
    letters: NDArray[np.uint8]
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
    """Return the index of the n-grams of `size` words of texts in normal form."""
    most = max(1, int(np.maximum(_count_words(texts.letters, texts.offsets) - size + 1, 0).sum()))
    slots = np.full(_power_of_two(2 * most), -1, dtype=np.int32)
    bitmap = np.zeros(_power_of_two(BITS_A_NGRAM * most) // 64, dtype=np.uint64)
    hashes, bounds = np.empty(most, dtype=np.uint64), np.empty((most, 2), dtype=np.int64)
    sizes = np.zeros(len(texts), dtype=np.int64)
    none = np.empty(0, dtype=np.int32)
    room = NgramIndex(size, texts.letters, slots, bitmap, hashes, bounds, none, np.empty(0, np.int64), sizes)
    pairs = np.empty((most, 2), dtype=np.int32)
    found, held = _build(texts.letters, texts.offsets, room, pairs)
    pairs = pairs[:held]
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(pairs[:, 0], minlength=found))])
    holders = np.ascontiguousarray(pairs[np.argsort(pairs[:, 0], kind="stable"), 1])
    return room._replace(hashes=hashes[:found], bounds=bounds[:found], holders=holders, holder_offsets=offsets)


def ngram_hits(train: Texts, index: NgramIndex, coverage: float) -> NgramHits:
    """Return every pair in which a training text holds at least `coverage` of an index text's distinct n-grams.

    Args:
        train: in normal form.
        index: of the benchmark's texts.
        coverage: least share, in (0, 1].
    """
    pairs = np.empty((max(1024, len(train)), 3), dtype=np.int64)
    needed = _search(train.letters, train.offsets, index, coverage, pairs)
    if needed > len(pairs):
        pairs = np.empty((needed, 3), dtype=np.int64)
        _search(train.letters, train.offsets, index, coverage, pairs)
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
def _count_words(letters: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the words of each text: one space parts two, and none stands at an end."""
    words = np.zeros(len(offsets) - 1, dtype=np.int64)
    for row in range(len(offsets) - 1):
        if offsets[row + 1] > offsets[row]:
            words[row] = 1
        for place in range(offsets[row], offsets[row + 1]):
            words[row] += letters[place] == SPACE
    return words


@compiled
def _hash_row(
    letters: NDArray[np.uint8], start: int, end: int, words: NDArray[np.uint64], starts: NDArray[np.int64]
) -> int:
    """Put hash and first byte of each word of `letters[start:end]` into `words` and `starts`; return their number."""
    count = 0
    state = FNV_OFFSET
    first = start
    for place in range(start, end):
        if letters[place] != SPACE:
            state = (state ^ np.uint64(letters[place])) * FNV_PRIME
        else:
            words[count] = _mix(state)
            starts[count] = first
            count += 1
            state = FNV_OFFSET
            first = place + 1
    if end > start:
        words[count] = _mix(state)
        starts[count] = first
        count += 1
    starts[count] = end + 1
    return count


@compiled
def _lookup(
    index: NgramIndex, hashed: np.uint64, letters: NDArray[np.uint8], start: int, end: int
) -> tuple[np.int64, np.int64]:
    """Return the number of the n-gram `letters[start:end]`, or -1, and the slot where the search ended."""
    mask = len(index.slots) - 1
    slot = np.int64(hashed & np.uint64(mask))
    while index.slots[slot] >= 0:
        number = np.int64(index.slots[slot])
        begin = index.bounds[number, 0]
        if index.hashes[number] == hashed and index.bounds[number, 1] - begin == end - start:
            place = 0
            while place < end - start and letters[start + place] == index.letters[begin + place]:
                place += 1
            if place == end - start:
                return number, slot
        slot = np.int64((slot + 1) & mask)
    return np.int64(-1), slot


@compiled
def _bit(hashed: np.uint64, bitmap: NDArray[np.uint64]) -> tuple[np.uint64, np.uint64]:
    """Return the word of the bitmap and the bit in it that stand for a hash."""
    bit = (hashed >> np.uint64(20)) & np.uint64(len(bitmap) * 64 - 1)
    return bit >> np.uint64(6), np.uint64(1) << (bit & np.uint64(63))


@compiled
def _leaving(size: int) -> np.uint64:
    """Return what the oldest of `size` words was multiplied by, once one more has come."""
    factor = np.uint64(1)
    for _ in range(size):
        factor = factor * STEP
    return factor


@compiled
def _build(
    letters: NDArray[np.uint8], offsets: NDArray[np.int64], index: NgramIndex, pairs: NDArray[np.int32]
) -> tuple[int, int]:
    """Fill the index and `pairs` (n-gram, text); return how many distinct n-grams and pairs there are."""
    size, leaving = index.size, _leaving(index.size)
    words, starts = np.empty(_longest(offsets), dtype=np.uint64), np.empty(_longest(offsets), dtype=np.int64)
    latest = np.full(len(index.hashes), -1, dtype=np.int32)  # the text that an n-gram was seen in last
    found = held = 0
    for row in range(len(offsets) - 1):
        count = _hash_row(letters, offsets[row], offsets[row + 1], words, starts)
        state = np.uint64(0)
        for at in range(count):
            state = state * STEP + words[at]
            if at >= size:
                state -= words[at - size] * leaving
            if at < size - 1:
                continue
            hashed = _mix(state)
            start, end = starts[at - size + 1], starts[at + 1] - 1
            number, slot = _lookup(index, hashed, letters, start, end)
            if number < 0:
                number = np.int64(found)
                found += 1
                index.slots[slot] = number
                index.hashes[number] = hashed
                index.bounds[number, 0], index.bounds[number, 1] = start, end
                word, bit = _bit(hashed, index.bitmap)
                index.bitmap[word] |= bit
            if latest[number] != row:
                latest[number] = row
                pairs[held, 0], pairs[held, 1] = number, row
                held += 1
                index.sizes[row] += 1
    return found, held


@compiled
def _longest(offsets: NDArray[np.int64]) -> int:
    """Return room for the words of the longest text: every other byte a space, and an end."""
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    return longest // 2 + 2


@compiled
def _search(
    letters: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    index: NgramIndex,
    coverage: float,
    pairs: NDArray[np.int64],
) -> int:
    """Fill `pairs` with (row, text, n-grams shared) and return how many there are, or would be."""
    size, leaving = index.size, _leaving(index.size)
    words, starts = np.empty(_longest(offsets), dtype=np.uint64), np.empty(_longest(offsets), dtype=np.int64)
    latest = np.full(len(index.hashes), -1, dtype=np.int64)  # the row that an n-gram was seen in last
    shared, touched = np.zeros(len(index.sizes), dtype=np.int64), np.empty(len(index.sizes), dtype=np.int64)
    found = 0
    for row in range(len(offsets) - 1):
        count = _hash_row(letters, offsets[row], offsets[row + 1], words, starts)
        state = np.uint64(0)
        met = 0
        for at in range(count):
            state = state * STEP + words[at]
            if at >= size:
                state -= words[at - size] * leaving
            if at < size - 1:
                continue
            hashed = _mix(state)
            word, bit = _bit(hashed, index.bitmap)
            if index.bitmap[word] & bit == np.uint64(0):
                continue
            number, _ = _lookup(index, hashed, letters, starts[at - size + 1], starts[at + 1] - 1)
            if number >= 0 and latest[number] != row:
                latest[number] = row
                met = _count(index, int(number), shared, touched, met)
        for item in touched[:met]:
            if shared[item] / index.sizes[item] >= coverage:
                if found < len(pairs):
                    pairs[found, 0], pairs[found, 1], pairs[found, 2] = row, item, shared[item]
                found += 1
            shared[item] = 0
    return found


@compiled
def _count(index: NgramIndex, number: int, shared: NDArray[np.int64], touched: NDArray[np.int64], met: int) -> int:
    """Count an n-gram for each text that holds it; return how many texts were met so far."""
    for place in range(index.holder_offsets[number], index.holder_offsets[number + 1]):
        item = index.holders[place]
        if shared[item] == 0:
            touched[met] = item
            met += 1
        shared[item] += 1
    return met
