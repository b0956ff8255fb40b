"""Which samples share a training sequence: best-fit-decreasing bins over all lengths at once.

Counting sort, then for each length the fullest bin that still has room, found in a two-level bitset of free
capacities: O(1) a sample for the capacities used in training (8,192 tokens are 128 words). Only the plan is made
here; tokens are gathered once, when a bin is read. Importing this module imports numba.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lingshu.core.compiled import compiled

Int64Array = NDArray[np.int64]
Plan = tuple[Int64Array, Int64Array]

WORD_BITS = 64
SUMMARY_BITS = WORD_BITS * WORD_BITS
# A de Bruijn sequence: its product with a single set bit has the bit's number in the top six bits.
DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
BIT_NUMBER = np.zeros(WORD_BITS, dtype=np.int64)
BIT_NUMBER[[(int(DE_BRUIJN) << bit & (1 << WORD_BITS) - 1) >> 58 for bit in range(WORD_BITS)]] = np.arange(WORD_BITS)


def plan_bins(lengths: Int64Array, capacity: int) -> Plan:
    """Assign every sample to a bin of `capacity` tokens by best-fit-decreasing.

    Ties are broken by index (equal lengths) and by most recent use (equally full bins), so a plan depends on
    `lengths` and `capacity` alone.

    Args:
        lengths: shape (samples,), int64, tokens of each sample, each in 1..capacity.
        capacity: tokens a bin may hold, >= 1.

    Returns:
        `(bin, position)`, both shape (samples,), int64: the bin's number, in order of opening, and the offset in
        tokens of the sample's first token inside its bin. Sorting by (bin, position) lists the bins' contents.

    Raises:
        ValueError: the capacity is below 1, or a length is outside 1..capacity (names its index).
    """
    if capacity < 1:
        raise ValueError(f"capacity must be at least 1, got {capacity}")
    if lengths.ndim != 1 or lengths.dtype != np.int64:
        raise ValueError(f"lengths must be one-dimensional int64, got {lengths.dtype} with shape {lengths.shape}")
    wrong = np.flatnonzero((lengths < 1) | (lengths > capacity))
    if wrong.size:
        index = int(wrong[0])
        raise ValueError(f"lengths[{index}] is {int(lengths[index])}, outside 1..{capacity}; cut or drop the sample")
    return _plan(lengths, capacity)


@compiled
def _lowest_bit(word: np.uint64) -> np.int64:
    lowest = word & (~word + np.uint64(1))
    return BIT_NUMBER[np.int64((lowest * DE_BRUIJN) >> np.uint64(58))]  # type: ignore[no-any-return]


@compiled
def _at_least(words: NDArray[np.uint64], summary: NDArray[np.uint64], value: int) -> int:
    """Return the smallest member >= value of the set, or -1; `summary` has a bit for each word that is not zero."""
    number, bit = value // WORD_BITS, value % WORD_BITS
    rest = words[number] >> np.uint64(bit)
    if rest:
        return value + int(_lowest_bit(rest))
    number += 1
    place, bit = number // WORD_BITS, number % WORD_BITS
    if place >= summary.size:
        return -1
    rest = summary[place] >> np.uint64(bit) << np.uint64(bit)
    while not rest:
        place += 1
        if place >= summary.size:
            return -1
        rest = summary[place]
    number = place * WORD_BITS + int(_lowest_bit(rest))
    return number * WORD_BITS + int(_lowest_bit(words[number]))


@compiled
def _longest_first(lengths: Int64Array, capacity: int) -> Int64Array:
    """Return the indices of `lengths` by falling length, equal lengths in index order (counting sort)."""
    starts = np.zeros(capacity + 2, dtype=np.int64)
    for length in lengths:
        starts[capacity - length + 1] += 1
    starts = np.cumsum(starts)
    order = np.empty(lengths.size, dtype=np.int64)
    for index in range(lengths.size):
        key = capacity - lengths[index]
        order[starts[key]] = index
        starts[key] += 1
    return order


@compiled
def _plan(lengths: Int64Array, capacity: int) -> Plan:
    """Best fit over `_longest_first`: bins with equal free space form a stack, `top[space]` and `below[bin]`."""
    words = np.zeros(capacity // WORD_BITS + 1, dtype=np.uint64)
    summary = np.zeros(words.size // WORD_BITS + 1, dtype=np.uint64)
    top = np.full(capacity + 1, -1, dtype=np.int64)
    below = np.empty(lengths.size, dtype=np.int64)
    bins, positions = np.empty(lengths.size, dtype=np.int64), np.empty(lengths.size, dtype=np.int64)
    opened, one = 0, np.uint64(1)
    for index in _longest_first(lengths, capacity):
        length = lengths[index]
        space = _at_least(words, summary, length)
        if space < 0:
            space, chosen = capacity, opened
            opened += 1
        else:
            chosen = top[space]
            top[space] = below[chosen]
            if top[space] < 0:
                words[space // WORD_BITS] &= ~(one << np.uint64(space % WORD_BITS))
                if not words[space // WORD_BITS]:
                    summary[space // SUMMARY_BITS] &= ~(one << np.uint64(space // WORD_BITS % WORD_BITS))
        bins[index], positions[index] = chosen, capacity - space
        space -= length
        below[chosen] = top[space]
        top[space] = chosen
        words[space // WORD_BITS] |= one << np.uint64(space % WORD_BITS)
        summary[space // SUMMARY_BITS] |= one << np.uint64(space // WORD_BITS % WORD_BITS)
    return bins, positions
