"""MinHash signatures cut into bands (Broder 1997; Leskovec, Rajaraman, Ullman, chapter 3): texts with an equal band may
be alike. Importing this module imports numba.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lingshu.core.compiled import compiled
from lingshu.core.words import HashLists
from lingshu.dedup.params import TextParams

MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
STEP = np.uint64(0x9E3779B97F4A7C15)


def band_keys(shingles: HashLists, params: TextParams) -> NDArray[np.uint32]:
    """Return a 32-bit key for each band of each text, shape (bands, rows): equal minima give equal keys.

    Unequal ones give equal keys once in four billion pairs; that costs a comparison, as every candidate is compared.

    Args:
        shingles: of each text, in any order, with or without repeats.
        params: bands, permutations and seed.
    """
    multipliers = (_random(params.seed, 2 * params.permutations) >> np.uint64(32)).astype(np.uint32)
    keys = np.empty((params.bands, len(shingles)), dtype=np.uint32)
    rows_a_band = params.permutations // params.bands
    _sketch(shingles.values, shingles.offsets, multipliers, rows_a_band, keys)
    return keys


def distinct(lists: HashLists) -> HashLists:
    """Return each row sorted, without repeats; quick where values are spread evenly, as hashes are."""
    longest = int(np.diff(lists.offsets).max(initial=0))
    starts, spread = np.empty(2 * longest + 2, dtype=np.int32), np.empty(longest, dtype=np.uint64)
    packed = np.empty(len(lists.values), dtype=np.uint64)
    bounds = np.zeros(len(lists) + 1, dtype=np.int64)
    _sort_rows(lists.values, lists.offsets, (starts, spread), packed, bounds)
    return HashLists(packed[: bounds[-1]], bounds)


def _random(seed: int, count: int) -> NDArray[np.uint64]:
    """Return `count` odd 64-bit numbers: SplitMix64 from `seed`, the same with every version of NumPy."""
    with np.errstate(over="ignore"):
        state = np.uint64(seed) + STEP * np.arange(1, count + 1, dtype=np.uint64)
        state = (state ^ (state >> np.uint64(30))) * MIX_1
        state = (state ^ (state >> np.uint64(27))) * MIX_2
        return (state ^ (state >> np.uint64(31))) | np.uint64(1)


@compiled
def _sort_rows(
    values: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    room: tuple[NDArray[np.int32], NDArray[np.uint64]],
    packed: NDArray[np.uint64],
    bounds: NDArray[np.int64],
) -> None:
    """Spread each row by its upper bits over as many buckets as it has values, then insert them one by one."""
    starts, spread = room
    for row in range(len(offsets) - 1):
        begin = written = bounds[row]
        length = offsets[row + 1] - offsets[row]
        _spread(values[offsets[row] : offsets[row + 1]], starts, spread)
        for place in range(length):
            value = spread[place]
            at = written
            while at > begin and packed[at - 1] > value:
                at -= 1
            if at > begin and packed[at - 1] == value:
                continue
            for moved in range(written, at, -1):
                packed[moved] = packed[moved - 1]
            packed[at] = value
            written += 1
        bounds[row + 1] = written


@compiled
def _spread(row: NDArray[np.uint64], starts: NDArray[np.int32], spread: NDArray[np.uint64]) -> None:
    bits = np.uint64(1)
    while np.int64(1) << np.int64(bits) < len(row):
        bits += np.uint64(1)
    buckets = np.int64(1) << np.int64(bits)
    for bucket in range(buckets):
        starts[bucket] = 0
    for value in row:
        starts[value >> (np.uint64(64) - bits)] += 1
    total = 0
    for bucket in range(buckets):
        total += starts[bucket]
        starts[bucket] = total - starts[bucket]
    for value in row:
        bucket_of = value >> (np.uint64(64) - bits)
        spread[starts[bucket_of]] = value
        starts[bucket_of] += 1


@compiled
def _sketch(
    values: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    multipliers: NDArray[np.uint32],
    rows_a_band: int,
    keys: NDArray[np.uint32],
) -> None:
    permutations = len(multipliers) // 2
    factors, addends = multipliers[:permutations] | np.uint32(1), multipliers[permutations:]
    least = np.empty(permutations, dtype=np.uint32)
    for row in range(len(offsets) - 1):
        least[:] = np.uint32(0xFFFFFFFF)
        last = offsets[row + 1] - 1
        for place in range(offsets[row], last + 1, 4):  # four to a turn, the last one again where fewer are left
            a, b = _upper(values[place]), _upper(values[min(place + 1, last)])
            c, d = _upper(values[min(place + 2, last)]), _upper(values[min(place + 3, last)])
            for k in range(permutations):  # 32 bits: twice as many in a vector register
                x, y = factors[k], addends[k]
                left = min(np.uint32(x * a + y), np.uint32(x * b + y))
                right = min(np.uint32(x * c + y), np.uint32(x * d + y))
                least[k] = min(least[k], left, right)
        for band in range(keys.shape[0]):
            key = np.uint64(band)
            for k in range(band * rows_a_band, (band + 1) * rows_a_band):
                key = (key ^ np.uint64(least[k])) * MIX_1
                key ^= key >> np.uint64(29)
            keys[band, row] = np.uint32(key >> np.uint64(32))


@compiled
def _upper(value: np.uint64) -> np.uint32:
    return np.uint32(value >> np.uint64(32))
