"""Copies that a perceptual hash misses: turned, mirrored, inverted, cropped and re-windowed pictures.

A row is dropped if its picture's hash is near one of the variants of an earlier, kept row's, or the other way round, or
if the two have nearly equal hashes of ranks (`signals.variants`). Pairs are held of distinct hashes, never of rows: a
volume's many blank slices make one. Importing this module imports numba.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingshu.core.compiled import compiled
from lingshu.core.hamming import Pairs, cross_pairs, near_pairs
from lingshu.dedup.copies import Copies, twins
from lingshu.dedup.pictures import HASH_BITS

LOOKS_AT_ONCE = 1 << 22  # distinct hashes of variants that are searched at a time: bounds what the search holds
Integers = NDArray[np.int64]
Lists = tuple[NDArray[np.int64], NDArray[np.int32]]  # bounds of each list, and the members of all
Near = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int8]]  # bounds of each value's pairs, the others, bits
Kept = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]  # where each value's rows begin, how many, rows


@dataclass(frozen=True, slots=True)
class Holders:
    """Distinct values, which of them each row has, and room for the kept rows that have each.

    Attributes:
        values: distinct, ascending.
        of_row: numbers of the values of each row, each once.
        kept: rows of each value that were kept so far, ascending.
    """

    values: NDArray[np.uint64]
    of_row: Lists
    kept: Kept

    @staticmethod
    def of(values: NDArray[np.uint64]) -> Holders:
        """Return the holders of values of shape (rows, values of a row)."""
        distinct, numbers = np.unique(values, return_inverse=True)
        own = np.sort(numbers.reshape(values.shape).astype(np.int32), axis=1)
        first = np.ones(own.shape, dtype=np.bool_)
        first[:, 1:] = own[:, 1:] != own[:, :-1]
        members = own[first]
        room = _bounds(np.bincount(members, minlength=len(distinct)))
        kept = (room, np.zeros(len(distinct), dtype=np.int64), np.empty(len(members), dtype=np.int32))
        return Holders(distinct, (_bounds(first.sum(axis=1)), members), kept)


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
    own = np.arange(len(rows)) if groups is None else groups[rows]
    shown, looks, ranks = Holders.of(hashes[:, None]), Holders.of(variants[:, 1:]), Holders.of(variants[:, :1])
    forth, back = _near(shown.values, looks.values, radius)
    twin = np.full(len(rows), -1, dtype=np.int64)
    distance = np.zeros(len(rows), dtype=np.int64)
    _visit(
        own,
        (shown.of_row, looks.of_row, ranks.of_row),
        (forth, back, _alike(ranks.values, radius)),
        (shown.kept, looks.kept, ranks.kept),
        (twin, distance),
    )
    return twins(rows, twin, distance.astype(np.float64), 1.0 - distance / HASH_BITS)


def _bounds(counts: Integers) -> Integers:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])


def _near(shown: NDArray[np.uint64], looks: NDArray[np.uint64], radius: int) -> tuple[Near, Near]:
    """Return the looks near each shown hash, and the shown hashes near each look."""
    found = [
        _narrow(cross_pairs(shown, looks[start : start + LOOKS_AT_ONCE], radius), start)
        for start in range(0, max(len(looks), 1), LOOKS_AT_ONCE)
    ]
    left, right, bits = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return _listed(left, right, bits, len(shown)), _listed(right, left, bits, len(looks))


def _alike(ranks: NDArray[np.uint64], radius: int) -> Near:
    """Return the hashes of ranks near each of them, itself among them."""
    left, right, bits = _narrow(near_pairs(ranks, radius), 0)
    own = np.arange(len(ranks), dtype=np.int32)
    ends, others = np.concatenate([own, left, right]), np.concatenate([own, right, left])
    return _listed(ends, others, np.concatenate([np.zeros(len(own), dtype=np.int8), bits, bits]), len(ranks))


def _narrow(pairs: Pairs, start: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int8]]:
    """Return the pairs in nine bytes each; places of the right side count from `start`."""
    return pairs.left.astype(np.int32), (pairs.right + start).astype(np.int32), pairs.distance.astype(np.int8)


def _listed(ends: NDArray[np.int32], others: NDArray[np.int32], bits: NDArray[np.int8], values: int) -> Near:
    order = np.argsort(ends, kind="stable")
    return _bounds(np.bincount(ends, minlength=values)), others[order], bits[order]


@compiled
def _visit(
    groups: Integers,
    of_row: tuple[Lists, Lists, Lists],
    near: tuple[Near, Near, Near],
    kept: tuple[Kept, Kept, Kept],
    found: tuple[Integers, Integers],
) -> None:
    """Find the nearest kept row of each, the first of several, and keep those without: each of shown, looks, ranks."""
    shown, looks, ranks = of_row
    twin, distance = found
    for row in range(len(groups)):
        best, least = _nearest(row, groups, shown, near[0], kept[1], (-1, 0))
        best, least = _nearest(row, groups, looks, near[1], kept[0], (best, least))
        best, least = _nearest(row, groups, ranks, near[2], kept[2], (best, least))
        if best >= 0:
            twin[row], distance[row] = best, least
            continue
        _keep(row, shown, kept[0])
        _keep(row, looks, kept[1])
        _keep(row, ranks, kept[2])


@compiled
def _nearest(  # noqa: PLR0917 (compiled functions are called by position)
    row: int, groups: Integers, asked: Lists, near: Near, kept: Kept, so_far: tuple[int, int]
) -> tuple[int, int]:
    """Return the nearest kept row of another group and its distance, or what was nearest so far (row -1: nothing)."""
    best, least = so_far
    for place in range(asked[0][row], asked[0][row + 1]):
        value = asked[1][place]
        for pair in range(near[0][value], near[0][value + 1]):
            bits = int(near[2][pair])
            if best >= 0 and bits > least:
                continue
            other = _first_of_others(near[1][pair], groups[row], groups, kept)
            if other >= 0 and (best < 0 or bits < least or other < best):
                best, least = other, bits
    return best, least


@compiled
def _first_of_others(value: int, group: int, groups: Integers, kept: Kept) -> int:
    begin = kept[0][value]
    for place in range(begin, begin + kept[1][value]):
        if groups[kept[2][place]] != group:
            return int(kept[2][place])
    return -1


@compiled
def _keep(row: int, of_row: Lists, kept: Kept) -> None:
    for place in range(of_row[0][row], of_row[0][row + 1]):
        value = of_row[1][place]
        kept[2][kept[0][value] + kept[1][value]] = row
        kept[1][value] += 1
