"""Near duplicates of texts: candidates by MinHash bands, each then compared exactly.

Texts are visited in order of preference, and one is dropped if it is near enough to a text that was kept: so every
dropped text has a kept twin within the threshold, and chains of small changes do not pull distant texts into one
cluster. Texts are read twice, a batch at a time: once for their band keys, and the texts that share a band with another
once more for their shingles. Texts that are linked by shared bands, however indirectly, are compared at one time, other
ones apart, so memory is set by the number of texts and not by their length. Importing this module imports numba.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lingshu.core.compiled import compiled
from lingshu.core.words import HashLists
from lingshu.dedup.copies import Copies, twins
from lingshu.dedup.minhash import band_keys, distinct
from lingshu.dedup.params import TextParams
from lingshu.dedup.shingles import shingle_hashes

TEXTS_A_BATCH = 1 << 12
SHINGLES_AT_ONCE = 1 << 25  # 256 MiB: of linked texts that are compared at one time; a larger link goes as a whole
LOWER = np.uint64(0xFFFFFFFF)
MARKS = 4  # words of 64 bits that tell most candidates apart without a comparison

Batch = tuple[NDArray[np.int64], pl.Series]  # rows and their texts
ReadTexts = Callable[[NDArray[np.bool_]], Iterable[Batch]]  # of wanted rows, in any order


@dataclass(frozen=True, slots=True)
class _Sketches:
    """Of the compared texts, in order of preference: row number, band keys (bands, texts), shingles (with repeats)."""

    rows: NDArray[np.int64]
    keys: NDArray[np.uint32]
    sizes: NDArray[np.int64]


def text_copies(
    read: ReadTexts, wanted: NDArray[np.bool_], groups: NDArray[np.int64] | None, params: TextParams
) -> Copies:
    """Return the wanted rows whose text is near an earlier, kept one's; the nearest, the first of several.

    Args:
        read: yields the texts of rows; called several times.
        wanted: rows to compare, shape (rows,).
        groups: group of every row; rows of one group are never copies of each other. None: they may be.
        params: shingles, bands and threshold.
    """
    sketches = _sketches(read, wanted, params)
    rows = sketches.rows
    own = np.arange(len(rows)) if groups is None else groups[rows]
    twin = np.full(len(rows), -1, dtype=np.int64)
    similarity = np.zeros(len(rows), dtype=np.float64)
    for linked in _linked(sketches):
        shingles = _shingles(read, rows[linked], len(wanted), params)
        earlier = _earlier(np.take(sketches.keys, linked, axis=1), sketches.sizes[linked])
        lists = (shingles.values, shingles.offsets)
        found, alike = _visit(lists, _marks(*lists), earlier, own[linked], params.threshold)
        twin[linked] = np.where(found >= 0, linked[found], -1)
        similarity[linked] = alike
    return twins(rows, twin, 1.0 - similarity, similarity)


def _sketches(read: ReadTexts, wanted: NDArray[np.bool_], params: TextParams) -> _Sketches:
    rows = np.flatnonzero(wanted)
    keys = np.zeros((params.bands, len(rows)), dtype=np.uint32)
    sizes = np.zeros(len(rows), dtype=np.int64)
    for numbers, texts in _small(read(wanted)):
        shingles = shingle_hashes(texts, params.shingle_words)
        at = np.searchsorted(rows, numbers)
        keys[:, at] = band_keys(shingles, params)
        sizes[at] = np.diff(shingles.offsets)
    return _Sketches(rows, keys, sizes)


def _small(batches: Iterable[Batch]) -> Iterator[Batch]:
    for rows, texts in batches:
        for start in range(0, len(rows), TEXTS_A_BATCH):
            yield rows[start : start + TEXTS_A_BATCH], texts.slice(start, TEXTS_A_BATCH)


def _linked(sketches: _Sketches) -> Iterator[NDArray[np.int64]]:
    """Yield sets of texts (indices, ascending) such that texts with an equal band are in the same one."""
    count = len(sketches.rows)
    parents = np.arange(count, dtype=np.int64)
    for band in range(len(sketches.keys)):
        _join(_earlier(sketches.keys[band : band + 1], sketches.sizes)[0], parents)
    _flatten(parents)
    linked = np.flatnonzero((np.bincount(parents, minlength=count) > 1)[parents])
    by_link = linked[np.argsort(parents[linked], kind="stable")]
    last = np.flatnonzero(np.diff(parents[by_link], append=-1))
    total = np.cumsum(sketches.sizes[by_link])
    start = 0
    for number, end in enumerate(last):
        following = total[last[number + 1]] if number + 1 < len(last) else None
        before = total[start - 1] if start else 0
        if following is None or following - before > SHINGLES_AT_ONCE:
            yield np.sort(by_link[start : end + 1])
            start = end + 1


def _earlier(keys: NDArray[np.uint32], sizes: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return, shape (bands, texts), the last text before each that has its key, -1 where none has it.

    A text without shingles (sizes) is like no other.
    """
    earlier = np.empty(keys.shape, dtype=np.int32)
    slots = np.empty(1 << max(1, 2 * keys.shape[1] - 1).bit_length(), dtype=np.uint64)
    for band, mine in enumerate(keys):
        _find_earlier(mine, sizes, slots, earlier[band])
    return earlier


def _shingles(read: ReadTexts, rows: NDArray[np.int64], total: int, params: TextParams) -> HashLists:
    """Return the sorted distinct shingles of the rows, in their order."""
    wanted = np.zeros(total, dtype=np.bool_)
    wanted[rows] = True
    lengths = np.zeros(len(rows), dtype=np.int64)
    found = []
    for batch, texts in _small(read(wanted)):
        at = np.searchsorted(rows, batch)
        lists = distinct(shingle_hashes(texts, params.shingle_words))
        lengths[at] = np.diff(lists.offsets)
        found.append((at, HashLists(lists.values.copy(), lists.offsets)))  # without the room for repeats
    bounds = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    packed = np.empty(bounds[-1], dtype=np.uint64)
    for at, lists in found:
        _place(lists.values, lists.offsets, bounds[at], packed)
    return HashLists(packed, bounds)


@compiled
def _place(
    values: NDArray[np.uint64], offsets: NDArray[np.int64], starts: NDArray[np.int64], packed: NDArray[np.uint64]
) -> None:
    for row in range(len(starts)):
        for place in range(offsets[row + 1] - offsets[row]):
            packed[starts[row] + place] = values[offsets[row] + place]


@compiled
def _root(parents: NDArray[np.int64], row: np.int64) -> np.int64:
    while parents[row] != row:
        parents[row] = parents[parents[row]]
        row = parents[row]
    return row


@compiled
def _find_earlier(
    keys: NDArray[np.uint32], sizes: NDArray[np.int64], slots: NDArray[np.uint64], earlier: NDArray[np.int32]
) -> None:
    """Open addressing: a slot holds a key in its upper half and its last text's number plus 1 in the lower; 0: free."""
    mask = np.uint64(len(slots) - 1)
    for slot in range(len(slots)):
        slots[slot] = np.uint64(0)
    for text in range(len(keys)):
        earlier[text] = np.int32(-1)
        if sizes[text] == 0:
            continue
        key = np.uint64(keys[text])
        at = key & mask
        while slots[at] != np.uint64(0) and slots[at] >> np.uint64(32) != key:
            at = (at + np.uint64(1)) & mask
        earlier[text] = np.int32(np.int64(slots[at] & LOWER) - 1)
        slots[at] = (key << np.uint64(32)) | np.uint64(text + 1)


@compiled
def _join(earlier: NDArray[np.int32], parents: NDArray[np.int64]) -> None:
    """Unite each text with the earlier one of its key."""
    for text in range(len(earlier)):
        if earlier[text] >= 0:
            left, right = _root(parents, np.int64(earlier[text])), _root(parents, np.int64(text))
            parents[max(left, right)] = min(left, right)


@compiled
def _flatten(parents: NDArray[np.int64]) -> None:
    for row in range(len(parents)):
        parents[row] = _root(parents, np.int64(row))


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
def _ones(word: np.uint64) -> np.int64:
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@compiled
def _marks(values: NDArray[np.uint64], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return, shape (texts, MARKS), the bits that the shingles of each text set."""
    marks = np.zeros((len(offsets) - 1, MARKS), dtype=np.uint64)
    for row in range(len(offsets) - 1):
        for place in range(offsets[row], offsets[row + 1]):
            bit = values[place]
            marks[row, (bit >> np.uint64(6)) % np.uint64(MARKS)] |= np.uint64(1) << (bit & np.uint64(63))
    return marks


@compiled
def _most_alike(left: int, right: int, ours: NDArray[np.uint64], theirs: NDArray[np.uint64]) -> float:
    """Return what the Jaccard similarity can be at most (bitmap filter: Sandes, Teodoro and Melo 2017).

    A bit that one text has and the other has not is a shingle that they do not share.
    """
    shared, others = np.int64(left), np.int64(right)
    for word in range(MARKS):
        shared -= _ones(ours[word] & ~theirs[word])
        others -= _ones(theirs[word] & ~ours[word])
    shared = min(shared, others)
    return float(shared / (left + right - shared))


@compiled
def _visit(
    shingles: tuple[NDArray[np.uint64], NDArray[np.int64]],
    marks: NDArray[np.uint64],
    earlier: NDArray[np.int32],
    groups: NDArray[np.int64],
    threshold: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    values, offsets = shingles
    rows = len(groups)
    twin = np.full(rows, -1, dtype=np.int64)
    similarity = np.zeros(rows, dtype=np.float64)
    compared = np.full(rows, -1, dtype=np.int64)
    for row in range(rows):
        mine = values[offsets[row] : offsets[row + 1]]
        for band in range(earlier.shape[0]):
            other = np.int64(row)
            while earlier[band, other] >= 0:
                later, other = other, np.int64(earlier[band, other])
                if twin[other] >= 0:  # out of the chain, or each of many copies would be passed by all later ones
                    earlier[band, later], other = earlier[band, other], later
                    continue
                if compared[other] == row or groups[other] == groups[row]:
                    continue
                compared[other] = row
                theirs = values[offsets[other] : offsets[other + 1]]
                most = _most_alike(len(mine), len(theirs), marks[row], marks[other])
                if most < threshold or most < similarity[row]:
                    continue
                alike = _jaccard(mine, theirs)
                if alike < threshold or alike < similarity[row]:
                    continue
                if alike > similarity[row] or other < twin[row]:
                    similarity[row] = alike
                    twin[row] = other
    return twin, similarity
