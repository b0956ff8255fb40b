"""Copies of pictures: perceptual hashes within a radius, all pairs compared exactly.

Rows are visited in order of preference, and one is dropped if its pictures are near enough to those of a row that was
kept: so every dropped row has a kept twin within the radius, and chains of small changes drop nothing distant.
Importing this module imports numba.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingshu.core.compiled import compiled
from lingshu.core.hamming import near_pairs
from lingshu.dedup.copies import Copies, twins

HASH_BITS = 64


@dataclass(frozen=True, slots=True)
class _Looks:
    """Distinct lists of hashes, and which of them are near each other.

    Attributes:
        of: the list of each row.
        neighbours: lists near list i, itself first: `neighbours[bounds[i]:bounds[i + 1]]`.
        bounds: where those begin.
        distance: bits between list i and each neighbour, the most of any picture.
    """

    of: NDArray[np.int64]
    neighbours: NDArray[np.int64]
    bounds: NDArray[np.int64]
    distance: NDArray[np.int64]


def picture_copies(
    rows: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    groups: NDArray[np.int64] | None,
    radius: int,
) -> Copies:
    """Return the rows with as many pictures as an earlier, kept row, each within `radius` of its own in order.

    Args:
        rows: those to compare, ascending: in order of preference, each with a picture.
        hashes: of all pictures; those of row r are `hashes[offsets[r]:offsets[r + 1]]`.
        offsets: see `hashes`.
        groups: group of every row; rows of one group are never copies of each other. None: they may be.
        radius: bits, 0 to 16.

    Returns:
        The nearest kept row for each copy, the first of several; distance in bits, the most of any picture.
    """
    twin = np.full(len(rows), -1, dtype=np.int64)
    distance = np.zeros(len(rows), dtype=np.int64)
    counts = offsets[rows + 1] - offsets[rows]
    for count in np.unique(counts):  # rows with other numbers of pictures are no copies
        alike = np.flatnonzero(counts == count)
        matrix = hashes[offsets[rows[alike]][:, None] + np.arange(count)]
        looks = _looks(matrix, radius)
        own = np.arange(len(alike)) if groups is None else groups[rows[alike]]
        found = np.full(len(alike), -1, dtype=np.int64)
        bits = np.zeros(len(alike), dtype=np.int64)
        _visit(looks.of, looks.neighbours, looks.bounds, looks.distance, (own, found, bits))
        twin[alike] = np.where(found >= 0, alike[found], -1)
        distance[alike] = bits
    return twins(rows, twin, distance.astype(np.float64), 1.0 - distance / HASH_BITS)


def _looks(matrix: NDArray[np.uint64], radius: int) -> _Looks:
    """Return the distinct rows of `matrix`, shape (rows, pictures), and the pairs of them within the radius."""
    lists, of = _distinct(matrix)
    left, right, distance = _near_lists(lists, radius)
    own = np.arange(len(lists))
    ends = np.concatenate([own, left, right])
    others = np.concatenate([own, right, left])
    bits = np.concatenate([np.zeros(len(own), dtype=np.int64), distance, distance])
    order = np.argsort(ends, kind="stable")  # itself first
    bounds = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.bincount(ends, minlength=len(lists)))])
    return _Looks(of, others[order], bounds, bits[order])


def _distinct(matrix: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    if matrix.shape[1] > 1:
        lists, of = np.unique(matrix, axis=0, return_inverse=True)
        return lists, of.reshape(-1).astype(np.int64)
    order = np.argsort(matrix[:, 0])
    ordered = matrix[order, 0]
    fresh = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    of = np.empty(len(matrix), dtype=np.int64)
    of[order] = np.cumsum(fresh) - 1
    return ordered[fresh][:, None], of


def _near_lists(
    lists: NDArray[np.uint64], radius: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of distinct lists whose pictures are within the radius one by one, and the most bits of any."""
    empty = np.empty(0, dtype=np.int64)
    if radius == 0:
        return empty, empty, empty
    first, of = _distinct(lists[:, :1])
    near = near_pairs(first[:, 0], radius)
    if lists.shape[1] == 1:
        return near.left, near.right, near.distance
    # Lists are sorted by their first picture, so those that begin alike stand together.
    bounds = np.concatenate([[0], np.cumsum(np.bincount(of, minlength=len(first)))]).astype(np.int64)
    own = np.arange(len(first))
    left, right = _crossed(bounds, np.concatenate([own, near.left]), np.concatenate([own, near.right]))
    distance = np.bitwise_count(lists[left] ^ lists[right]).max(axis=1, initial=0).astype(np.int64)
    close = (distance <= radius) & (left < right)
    return left[close], right[close], distance[close]


def _crossed(
    bounds: NDArray[np.int64], here: NDArray[np.int64], there: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return every pair of a member of run `here[i]` and one of run `there[i]`."""
    sizes = np.diff(bounds)
    total = sizes[here] * sizes[there]
    pair = np.repeat(np.arange(len(here)), total)
    number = np.arange(len(pair)) - np.repeat(np.cumsum(total) - total, total)
    width = sizes[there][pair]
    return bounds[here][pair] + number // width, bounds[there][pair] + number % width


@compiled
def _visit(
    of: NDArray[np.int64],
    neighbours: NDArray[np.int64],
    bounds: NDArray[np.int64],
    distance: NDArray[np.int64],
    state: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
) -> None:
    groups, twin, bits = state
    # All kept rows of one list are of one group, so the first of them stands for them.
    head = np.full(len(bounds) - 1, -1, dtype=np.int64)
    for row in range(len(of)):
        mine = of[row]
        best, least = -1, 0
        for place in range(bounds[mine], bounds[mine + 1]):
            other = head[neighbours[place]]
            if other < 0 or groups[other] == groups[row]:
                continue
            if best < 0 or distance[place] < least or (distance[place] == least and other < best):
                best, least = other, distance[place]
        if best >= 0:
            twin[row] = best
            bits[row] = least
        elif head[mine] < 0:
            head[mine] = row
