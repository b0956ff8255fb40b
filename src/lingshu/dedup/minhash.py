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
    """Return each row sorted, without repeats."""
    values = lists.values.copy()
    lengths = np.zeros(len(lists) + 1, dtype=np.int64)
    _sort_rows(values, lists.offsets, lengths)
    bounds = np.cumsum(lengths)
    packed = np.empty(bounds[-1], dtype=np.uint64)
    _pack_rows(values, lists.offsets, bounds, packed)
    return HashLists(packed, bounds)


def _random(seed: int, count: int) -> NDArray[np.uint64]:
    """Return `count` odd 64-bit numbers: SplitMix64 from `seed`, the same with every version of NumPy."""
    with np.errstate(over="ignore"):
        state = np.uint64(seed) + STEP * np.arange(1, count + 1, dtype=np.uint64)
        state = (state ^ (state >> np.uint64(30))) * MIX_1
        state = (state ^ (state >> np.uint64(27))) * MIX_2
        return (state ^ (state >> np.uint64(31))) | np.uint64(1)


@compiled
def _sort_rows(values: NDArray[np.uint64], offsets: NDArray[np.int64], lengths: NDArray[np.int64]) -> None:
    for row in range(len(offsets) - 1):
        part = values[offsets[row] : offsets[row + 1]]
        part.sort()
        kept = 0
        for value in part:
            if kept == 0 or value != part[kept - 1]:
                part[kept] = value
                kept += 1
        lengths[row + 1] = kept


@compiled
def _pack_rows(
    values: NDArray[np.uint64], offsets: NDArray[np.int64], bounds: NDArray[np.int64], packed: NDArray[np.uint64]
) -> None:
    for row in range(len(offsets) - 1):
        length = bounds[row + 1] - bounds[row]
        for place in range(length):
            packed[bounds[row] + place] = values[offsets[row] + place]


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
        for place in range(offsets[row], offsets[row + 1]):
            shingle = np.uint32(values[place] >> np.uint64(32))
            for k in range(permutations):  # 32 bits: twice as many in a vector register
                least[k] = min(least[k], np.uint32(factors[k] * shingle + addends[k]))
        for band in range(keys.shape[0]):
            key = np.uint64(band)
            for k in range(band * rows_a_band, (band + 1) * rows_a_band):
                key = (key ^ np.uint64(least[k])) * MIX_1
                key ^= key >> np.uint64(29)
            keys[band, row] = np.uint32(key >> np.uint64(32))
