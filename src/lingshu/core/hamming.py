"""All pairs of 64-bit hashes within a radius, exactly, without comparing every pair: multi-index hashing.

Norouzi, Punjani, Fleet, "Fast Search in Hamming Space with Multi-Index Hashing" (2012), with the blocks combined as in
Manku, Jain, Sarma, "Detecting Near-Duplicates for Web Crawling" (2007): cut into `blocks` parts, two hashes at most
`radius` bits apart agree in at least `blocks - radius` of them. So for each choice of that many parts, only hashes with
equal parts are compared. Importing this module imports numba.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from lingshu.core.compiled import compiled

BITS = 64
MAX_RADIUS = 16
MAX_BLOCKS = 24
BUCKET_BITS = 22  # of the directory of a table: 32 MiB
# Costs on one core in nanoseconds, for the choice of the number of blocks only: results do not depend on them.
SORT_COST = 20.0
PAIR_COST = 0.4
TABLE_COST = 1e5
FIRST_ROOM = 1 << 16
SIGNS = np.uint64(0x5555555555555555)
PAIRS = np.uint64(0x3333333333333333)
NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)
BYTES = np.uint64(0x0101010101010101)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of places in one array of hashes (or one of each of two), and the bits by which they differ: int64 each."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    distance: NDArray[np.int64]


def near_pairs(hashes: NDArray[np.uint64], radius: int) -> Pairs:
    """Return every pair of hashes at most `radius` bits apart, left < right, sorted.

    Args:
        hashes: shape (n,), distinct: equal hashes are pairs too, and a thousand copies of one would be half a million.
        radius: 0 to 16 bits; cost grows steeply beyond 8.
    """
    return _search(hashes, np.empty(0, dtype=np.uint64), radius)


def cross_pairs(left: NDArray[np.uint64], right: NDArray[np.uint64], radius: int) -> Pairs:
    """Return every pair of one of `left` and one of `right` at most `radius` bits apart, sorted by place in `left`.

    Args: as of `near_pairs`; both arrays distinct in themselves.
    """
    if len(left) == 0 or len(right) == 0:
        empty = np.empty(0, dtype=np.int64)
        return Pairs(empty, empty, empty)
    return _search(left, right, radius)


def _search(left: NDArray[np.uint64], right: NDArray[np.uint64], radius: int) -> Pairs:
    if not 0 <= radius <= MAX_RADIUS:
        raise ValueError(f"radius {radius} is not within 0..{MAX_RADIUS}")
    hashes = np.ascontiguousarray(np.concatenate([left, right]), dtype=np.uint64)
    split = len(left) if len(right) else -1
    if len(hashes) < 2:
        empty = np.empty(0, dtype=np.int64)
        return Pairs(empty, empty, empty)
    blocks = _best_blocks(len(hashes), radius)
    starts = np.array([BITS * block // blocks for block in range(blocks + 1)], dtype=np.int64)
    found = [
        _table(hashes, starts, np.array(kept, dtype=np.int64), radius, split)
        for kept in combinations(range(blocks), blocks - radius)
    ]
    pairs = np.concatenate(found)
    ordered = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    offset = max(split, 0)
    distance = np.bitwise_count(hashes[ordered[:, 0]] ^ hashes[ordered[:, 1]]).astype(np.int64)
    return Pairs(ordered[:, 0], ordered[:, 1] - offset, distance)


def _best_blocks(count: int, radius: int) -> int:
    """Return the number of blocks with the least expected cost for `count` random hashes."""

    def cost(blocks: int) -> float:
        bits = min(BUCKET_BITS, (blocks - radius) * BITS // blocks)
        return comb(blocks, radius) * (TABLE_COST + count * SORT_COST + count * count / 2.0 ** (bits + 1) * PAIR_COST)

    return min(range(radius + 1, MAX_BLOCKS + 1), key=cost)


def _table(
    hashes: NDArray[np.uint64], starts: NDArray[np.int64], kept: NDArray[np.int64], radius: int, split: int
) -> NDArray[np.int64]:
    width = int(sum(starts[block + 1] - starts[block] for block in kept))
    bits = min(width, BUCKET_BITS, max(8, len(hashes).bit_length()))
    order, ends = _buckets(hashes, starts, kept, width - bits, bits)
    return _compare(hashes[order], order, ends, starts, kept, radius, split)


@compiled
def _key(value: np.uint64, starts: NDArray[np.int64], kept: NDArray[np.int64]) -> np.uint64:
    """Return the kept blocks of `value`, one after another."""
    key = np.uint64(0)
    for block in kept:
        width = np.uint64(starts[block + 1] - starts[block])
        part = value >> np.uint64(starts[block])
        if width < 64:
            part &= (np.uint64(1) << width) - np.uint64(1)
            key <<= width
        key |= part
    return key


@compiled
def _buckets(
    hashes: NDArray[np.uint64], starts: NDArray[np.int64], kept: NDArray[np.int64], drop: int, bits: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return places ordered by the upper `bits` of their keys, and where each bucket ends (counting sort)."""
    keys = np.empty(len(hashes), dtype=np.uint32)
    counts = np.zeros((1 << bits) + 1, dtype=np.int64)
    for place in range(len(hashes)):
        key = np.uint32(_key(hashes[place], starts, kept) >> np.uint64(drop))
        keys[place] = key
        counts[key + 1] += 1
    ends = np.cumsum(counts)
    order = np.empty(len(hashes), dtype=np.int64)
    for place in range(len(hashes)):
        order[ends[keys[place]]] = place
        ends[keys[place]] += 1
    return order, ends[:-1]


@compiled
def _ones(value: np.uint64) -> np.uint64:
    """Return how many bits are set (the form that LLVM turns into one instruction)."""
    value = value - ((value >> np.uint64(1)) & SIGNS)
    value = (value & PAIRS) + ((value >> np.uint64(2)) & PAIRS)
    value = (value + (value >> np.uint64(4))) & NIBBLES
    return (value * BYTES) >> np.uint64(56)


@compiled
def _is_first(change: np.uint64, starts: NDArray[np.int64], kept: NDArray[np.int64]) -> bool:
    """Tell whether this table is the first that holds the pair: its blocks are the first of those that agree."""
    place = 0
    for block in range(len(starts) - 1):
        width = np.uint64(starts[block + 1] - starts[block])
        part = change >> np.uint64(starts[block])
        if width < 64:
            part &= (np.uint64(1) << width) - np.uint64(1)
        if part == 0:
            if kept[place] != block:
                return False
            place += 1
            if place == len(kept):
                return True
    return False


@compiled
def _compare(  # noqa: PLR0917 (compiled functions are called by position)
    values: NDArray[np.uint64],
    order: NDArray[np.int64],
    ends: NDArray[np.int64],
    starts: NDArray[np.int64],
    kept: NDArray[np.int64],
    radius: int,
    split: int,
) -> NDArray[np.int64]:
    found = np.empty((FIRST_ROOM, 2), dtype=np.int64)
    count = 0
    limit = np.uint64(radius)
    for bucket in range(len(ends)):
        begin = ends[bucket - 1] if bucket else np.int64(0)
        end = ends[bucket]
        for left in range(begin, end - 1):
            mine = values[left]
            near = np.int64(0)
            for right in range(left + 1, end):  # without branches, so that it becomes vector instructions
                near += _ones(mine ^ values[right]) <= limit
            if near == 0:
                continue
            for right in range(left + 1, end):
                change = mine ^ values[right]
                a, b = order[left], order[right]  # order within a bucket is that of places, so a < b
                if _ones(change) > limit or (split >= 0 and not a < split <= b) or not _is_first(change, starts, kept):
                    continue
                if count == len(found):
                    wider = np.empty((2 * count, 2), dtype=np.int64)
                    for pair in range(count):
                        wider[pair, 0], wider[pair, 1] = found[pair, 0], found[pair, 1]
                    found = wider
                found[count, 0] = a
                found[count, 1] = b
                count += 1
    return found[:count].copy()
