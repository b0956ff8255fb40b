"""Near duplicates of texts by MinHash and banding (Broder 1997; Leskovec, Rajaraman, Ullman, chapter 3).

Candidates are texts with an equal band; each is then compared exactly. Texts are visited in order of preference, and
one is dropped if it is near enough to a text that was kept: so every dropped text has a kept twin within the
threshold, and chains of small changes do not pull distant texts into one cluster. Importing this module imports numba.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lingshu.core.compiled import compiled
from lingshu.core.words import HashLists, ngram_hashes, word_hashes
from lingshu.dedup.copies import COPY_SCHEMA
from lingshu.dedup.params import TextParams

MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
STEP = np.uint64(0x9E3779B97F4A7C15)


def text_copies(rows: pl.DataFrame, params: TextParams) -> pl.DataFrame:
    """Return `COPY_SCHEMA` for the texts that are near an earlier, kept one; `similarity` is their Jaccard.

    Args:
        rows: columns sample_id and text (in normal form), in order of preference.
        params: shingles, bands and threshold.
    """
    shingles = distinct(ngram_hashes(word_hashes(rows["text"]), params.shingle_words))
    twin, similarity = near_copies(shingles, params)
    copies = np.flatnonzero(twin >= 0)
    return pl.DataFrame(
        {
            "sample_id": rows["sample_id"].gather(copies),
            "kept": rows["sample_id"].gather(twin[copies]),
            "method": pl.repeat("minhash", len(copies), dtype=pl.String, eager=True),
            "similarity": similarity[copies],
        },
        schema=COPY_SCHEMA,
    )


def near_copies(shingles: HashLists, params: TextParams) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return for each row the earlier kept row most like it (-1: none within the threshold) and their Jaccard.

    Args:
        shingles: sorted distinct shingle hashes of each text.
        params: bands, permutations, threshold and seed.

    Returns:
        twin, similarity: shape (rows,) each; similarity is 0 where there is no twin.
    """
    keys = band_keys(shingles, params)
    order = np.argsort(keys, axis=1, kind="stable").astype(np.int64)
    return _visit(shingles.values, shingles.offsets, order, _runs(keys, order), params.threshold)


def band_keys(shingles: HashLists, params: TextParams) -> NDArray[np.uint64]:
    """Return a 64-bit key for each band of each text, shape (bands, rows): equal minima give equal keys."""
    multipliers = _random(params.seed, 2 * params.permutations)
    keys = np.empty((params.bands, len(shingles)), dtype=np.uint64)
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
        packed[bounds[row] : bounds[row + 1]] = values[offsets[row] : offsets[row] + length]


@compiled
def _sketch(
    values: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    multipliers: NDArray[np.uint64],
    rows_a_band: int,
    keys: NDArray[np.uint64],
) -> None:
    largest = np.uint64(0xFFFFFFFFFFFFFFFF)
    permutations = len(multipliers) // 2
    least = np.empty(permutations, dtype=np.uint64)
    for row in range(len(offsets) - 1):
        least[:] = largest
        for place in range(offsets[row], offsets[row + 1]):
            shingle = values[place]
            for k in range(permutations):
                hashed = multipliers[k] * shingle + multipliers[permutations + k]
                least[k] = min(least[k], hashed)
        for band in range(keys.shape[0]):
            key = np.uint64(band)
            for k in range(band * rows_a_band, (band + 1) * rows_a_band):
                key = (key ^ (least[k] >> np.uint64(32))) * MIX_1
                key ^= key >> np.uint64(29)
            keys[band, row] = key


@compiled
def _jaccard(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> float:
    i = j = shared = 0
    while i < len(left) and j < len(right):
        if left[i] == right[j]:
            shared += 1
            i += 1
            j += 1
        elif left[i] < right[j]:
            i += 1
        else:
            j += 1
    return shared / (len(left) + len(right) - shared)


@compiled
def _runs(keys: NDArray[np.uint64], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, shape (bands, rows), the place in `order` where the run of rows with the row's key starts."""
    first = np.empty_like(order)
    for band in range(keys.shape[0]):
        start = 0
        for place in range(keys.shape[1]):
            if keys[band, order[band, place]] != keys[band, order[band, start]]:
                start = place
            first[band, order[band, place]] = start
    return first


@compiled
def _visit(
    values: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    order: NDArray[np.int64],
    first: NDArray[np.int64],
    threshold: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    bands, rows = order.shape
    twin = np.full(rows, -1, dtype=np.int64)
    similarity = np.zeros(rows, dtype=np.float64)
    compared = np.full(rows, -1, dtype=np.int64)
    for row in range(rows):
        mine = values[offsets[row] : offsets[row + 1]]
        if len(mine) == 0:
            continue
        for band in range(bands):
            place = first[band, row]
            # Rows of equal key stand together in order of preference, so those before `row` were visited.
            while order[band, place] != row:
                other = order[band, place]
                place += 1
                if twin[other] >= 0 or compared[other] == row or offsets[other] == offsets[other + 1]:
                    continue
                compared[other] = row
                alike = _jaccard(mine, values[offsets[other] : offsets[other + 1]])
                if alike >= threshold and alike > similarity[row]:
                    similarity[row] = alike
                    twin[row] = other
    return twin, similarity
