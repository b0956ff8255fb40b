"""Copies that a perceptual hash misses: turned, mirrored, inverted, cropped and re-windowed pictures.

A row is dropped if its picture's hash is near one of the variants of an earlier, kept row's, or the other way round, or
if the two have nearly equal hashes of ranks (`signals.variants`). Importing this module imports numba.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lingshu.core.compiled import compiled
from lingshu.core.hamming import cross_pairs, near_pairs
from lingshu.dedup.copies import Copies, twins
from lingshu.dedup.pictures import HASH_BITS


def variant_copies(
    rows: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    variants: NDArray[np.uint64],
    groups: NDArray[np.int64] | None,
    radius: int,
) -> Copies:
    """Return the rows whose picture is a variant of an earlier, kept row's; the nearest, the first of several.

    Args:
        rows: those to compare, ascending: in order of preference, each with one picture.
        hashes: perceptual hash of each of `rows`.
        variants: `signals.variants.variant_hashes` of each of `rows`, shape (rows, variants).
        groups: group of every row; rows of one group are never copies of each other. None: they may be.
        radius: bits, 0 to 12.
    """
    left, right, bits = _near_rows(hashes, variants, radius)
    ends, others = np.concatenate([left, right]), np.concatenate([right, left])
    order = np.argsort(ends, kind="stable")
    bounds = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.bincount(ends, minlength=len(rows)))])
    own = np.arange(len(rows)) if groups is None else groups[rows]
    twin = np.full(len(rows), -1, dtype=np.int64)
    distance = np.zeros(len(rows), dtype=np.int64)
    _visit(others[order], bounds, np.concatenate([bits, bits])[order], (own, twin, distance))
    return twins(rows, twin, distance.astype(np.float64), 1.0 - distance / HASH_BITS)


def _near_rows(
    hashes: NDArray[np.uint64], variants: NDArray[np.uint64], radius: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of different rows that are near by any comparison; a pair may come several times."""
    shown, shown_rows = _holders(hashes)
    looks, look_rows = _holders(variants[:, 1:].reshape(-1))
    pairs = cross_pairs(shown, looks, radius)
    here, there, bits = _expanded(shown_rows, look_rows, (pairs.left, pairs.right, pairs.distance))
    there //= max(1, variants.shape[1] - 1)
    ranks, rank_rows = _holders(variants[:, 0])
    near, own = near_pairs(ranks, radius), np.arange(len(ranks))
    left, right = np.concatenate([own, near.left]), np.concatenate([own, near.right])
    one, two, more = _expanded(rank_rows, rank_rows, (left, right, np.concatenate([0 * own, near.distance])))
    left, right, bits = np.concatenate([here, one]), np.concatenate([there, two]), np.concatenate([bits, more])
    apart = left != right
    return left[apart], right[apart], bits[apart]


Runs = tuple[NDArray[np.int64], NDArray[np.int64]]


def _holders(values: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], Runs]:
    """Return the distinct values, and where each is: places and the bounds of its run in them."""
    distinct, counts = np.unique(values, return_counts=True)
    bounds = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    return distinct, (np.argsort(values, kind="stable"), bounds)


def _expanded(
    here: Runs, there: Runs, pairs: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return every pair of a place of `here` and one of `there` whose values are a pair."""
    left, right, distance = pairs
    sizes, wide = np.diff(here[1])[left], np.diff(there[1])[right]
    pair = np.repeat(np.arange(len(left)), sizes * wide)
    number = np.arange(len(pair)) - np.repeat(np.cumsum(sizes * wide) - sizes * wide, sizes * wide)
    first = here[0][here[1][left][pair] + number // np.maximum(wide[pair], 1)]
    second = there[0][there[1][right][pair] + number % np.maximum(wide[pair], 1)]
    return first, second, distance[pair]


@compiled
def _visit(
    others: NDArray[np.int64],
    bounds: NDArray[np.int64],
    bits: NDArray[np.int64],
    state: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
) -> None:
    groups, twin, distance = state
    for row in range(len(groups)):
        best, least = -1, 0
        for place in range(bounds[row], bounds[row + 1]):
            other = others[place]
            if other >= row or twin[other] >= 0 or groups[other] == groups[row]:
                continue
            if best < 0 or bits[place] < least or (bits[place] == least and other < best):
                best, least = other, bits[place]
        if best >= 0:
            twin[row] = best
            distance[row] = least
