"""Hashes of word runs straight from texts as they are: normal form, words and runs in one pass over the bytes.

The runs are those of `core.words.ngram_hashes(word_hashes(normalised(text)))` at a fifth of the cost; the hashes are
others. Importing this module imports numba.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lingshu.core.compiled import compiled
from lingshu.core.folding import Texts, as_texts, byte_table, folded
from lingshu.core.words import HashLists

EIGHT = np.uint64(8)
# SplitMix64 (Steele, Lea, Flood 2014), the finaliser's constants and its golden-ratio step.
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
STEP = np.uint64(0x9E3779B97F4A7C15)
SPACE = 32
ASCII = 128


def shingle_hashes(texts: pl.Series, size: int) -> HashLists:
    """Return the hash of every run of `size` words of every text's normal form, in reading order.

    Args:
        texts: as they are, no nulls.
        size: words in a run; a text with fewer words has none.
    """
    given = as_texts(texts)
    lists = _hashed(given, size)
    if given.letters[given.offsets[0] : given.offsets[-1]].max(initial=0) < ASCII:
        return lists
    foreign = np.zeros(len(given), dtype=np.bool_)
    _mark_foreign(given.letters, given.offsets, foreign)
    rows = np.flatnonzero(foreign)
    return _with_rows(lists, rows, _hashed(folded(texts.gather(rows)), size))


def _hashed(texts: Texts, size: int) -> HashLists:
    table = np.arange(256, dtype=np.uint8)  # other than ASCII only after folding, and then as it is
    table[:ASCII] = byte_table()
    lengths = np.diff(texts.offsets)
    values = np.empty(int((lengths // 2 + 1).sum()), dtype=np.uint64)
    bounds = np.zeros(len(texts) + 1, dtype=np.int64)
    words = np.empty(int(lengths.max(initial=0)) // 2 + 2, dtype=np.uint64)
    _hash_texts(texts.letters, texts.offsets, (table, words), size, values, bounds)
    return HashLists(values[: bounds[-1]], bounds)


def _with_rows(lists: HashLists, rows: NDArray[np.int64], other: HashLists) -> HashLists:
    """Return `lists` with the given rows replaced by those of `other`."""
    lengths = np.diff(lists.offsets)
    lengths[rows] = np.diff(other.offsets)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    source = np.full(len(lists), -1, dtype=np.int64)
    source[rows] = np.arange(len(rows))
    values = np.empty(offsets[-1], dtype=np.uint64)
    _merge((lists.values, lists.offsets), (other.values, other.offsets), source, values, offsets)
    return HashLists(values, offsets)


@compiled
def _mix(value: np.uint64) -> np.uint64:
    value = (value ^ (value >> np.uint64(30))) * MIX_1
    value = (value ^ (value >> np.uint64(27))) * MIX_2
    return value ^ (value >> np.uint64(31))


@compiled
def _mark_foreign(letters: NDArray[np.uint8], offsets: NDArray[np.int64], foreign: NDArray[np.bool_]) -> None:
    for row in range(len(offsets) - 1):
        for place in range(offsets[row], offsets[row + 1]):
            foreign[row] |= letters[place] >= ASCII


@compiled
def _hash_texts(  # noqa: PLR0917 (compiled functions are called by position)
    letters: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    room: tuple[NDArray[np.uint8], NDArray[np.uint64]],
    size: int,
    values: NDArray[np.uint64],
    bounds: NDArray[np.int64],
) -> None:
    table, words = room
    leaving = np.uint64(1)
    for _ in range(size):
        leaving = leaving * STEP
    written = 0
    for row in range(len(offsets) - 1):
        count = _hash_words(letters[offsets[row] : offsets[row + 1]], table, words)
        state = np.uint64(0)
        for place in range(count):
            state = state * STEP + words[place]
            if place >= size:
                state -= words[place - size] * leaving
            if place >= size - 1:
                values[written] = _mix(state)
                written += 1
        bounds[row + 1] = written


@compiled
def _hash_words(letters: NDArray[np.uint8], table: NDArray[np.uint8], words: NDArray[np.uint64]) -> int:
    """Put the hash of every word into `words`; return how many there are."""
    count = 0
    state = np.uint64(0)
    for letter in letters:
        byte = table[letter]
        if byte != SPACE:
            # Polynomial in 257, which exceeds every byte: by shift and sum, half the wait of a multiplication.
            state = (state << EIGHT) + (state + np.uint64(byte))
        elif state != 0:
            words[count] = _mix(state)
            count += 1
            state = np.uint64(0)
    if state != 0:
        words[count] = _mix(state)
        count += 1
    return count


@compiled
def _merge(
    lists: tuple[NDArray[np.uint64], NDArray[np.int64]],
    other: tuple[NDArray[np.uint64], NDArray[np.int64]],
    source: NDArray[np.int64],
    values: NDArray[np.uint64],
    offsets: NDArray[np.int64],
) -> None:
    for row in range(len(source)):
        here, bounds, number = (lists[0], lists[1], row) if source[row] < 0 else (other[0], other[1], source[row])
        for place in range(offsets[row + 1] - offsets[row]):
            values[offsets[row] + place] = here[bounds[number] + place]
