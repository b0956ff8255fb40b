"""Texts as 64-bit word and n-gram hashes, made from the UTF-8 bytes in place: no Python string a word.

Words are what one space separates in `core.text.normalised` text. Equal words have equal hashes in every run and on
every machine (FNV-1a, then the SplitMix64 finaliser). Importing this module imports numba.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from lingshu.core.compiled import compiled

FNV_OFFSET = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)
# SplitMix64 (Steele, Lea, Flood 2014), the finaliser's constants and its golden-ratio step.
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
STEP = np.uint64(0x9E3779B97F4A7C15)
SPACE = 32


@dataclass(frozen=True, slots=True)
class HashLists:
    """Ragged rows: row i is `values[offsets[i]:offsets[i + 1]]`; values uint64, offsets int64 with rows + 1 entries."""

    values: NDArray[np.uint64]
    offsets: NDArray[np.int64]

    def row(self, index: int) -> NDArray[np.uint64]:
        """Return one row, a view of shape (length,)."""
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.offsets) - 1


def word_hashes(texts: pl.Series) -> HashLists:
    """Return the hash of every word of every text, in reading order; `texts` is normalised and has no nulls."""
    array = pa.array(texts.to_arrow(), type=pa.large_string())
    _, starts, data = array.buffers()
    offsets = np.frombuffer(starts, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    letters = np.frombuffer(data or b"", dtype=np.uint8)
    counts = np.zeros(len(texts) + 1, dtype=np.int64)
    _count_words(letters, offsets, counts)
    bounds = np.cumsum(counts)
    values = np.empty(bounds[-1], dtype=np.uint64)
    _hash_words(letters, offsets, bounds, values)
    return HashLists(values, bounds)


def ngram_hashes(words: HashLists, size: int) -> HashLists:
    """Return the hash of every run of `size` words of every text; a text with fewer words has none."""
    lengths = np.maximum(np.diff(words.offsets) - size + 1, 0)
    bounds = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    values = np.empty(bounds[-1], dtype=np.uint64)
    _hash_ngrams(words.values, words.offsets, bounds, values, size)
    return HashLists(values, bounds)


@compiled
def _mix(value: np.uint64) -> np.uint64:
    """Return the SplitMix64 finaliser of `value`: every input bit reaches every output bit."""
    value = (value ^ (value >> np.uint64(30))) * MIX_1
    value = (value ^ (value >> np.uint64(27))) * MIX_2
    return value ^ (value >> np.uint64(31))


@compiled
def _count_words(letters: NDArray[np.uint8], offsets: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    for row in range(len(offsets) - 1):
        inside = False
        for place in range(offsets[row], offsets[row + 1]):
            if letters[place] == SPACE:
                inside = False
            elif not inside:
                inside = True
                counts[row + 1] += 1


@compiled
def _hash_words(
    letters: NDArray[np.uint8], offsets: NDArray[np.int64], bounds: NDArray[np.int64], values: NDArray[np.uint64]
) -> None:
    for row in range(len(offsets) - 1):
        write = bounds[row]
        state = FNV_OFFSET
        inside = False
        for place in range(offsets[row], offsets[row + 1]):
            if letters[place] != SPACE:
                state = (state ^ np.uint64(letters[place])) * FNV_PRIME
                inside = True
            elif inside:
                values[write] = _mix(state)
                write += 1
                state = FNV_OFFSET
                inside = False
        if inside:
            values[write] = _mix(state)


@compiled
def _hash_ngrams(
    words: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    bounds: NDArray[np.int64],
    values: NDArray[np.uint64],
    size: int,
) -> None:
    # Polynomial in an odd base modulo 2**64, rolled one word at a time.
    leaving = np.uint64(1)
    for _ in range(size):
        leaving = leaving * STEP
    for row in range(len(offsets) - 1):
        state = np.uint64(0)
        for place in range(offsets[row], offsets[row + 1]):
            state = state * STEP + words[place]
            seen = place - offsets[row] + 1
            if seen > size:
                state -= words[place - size] * leaving
            if seen >= size:
                values[bounds[row] + seen - size] = _mix(state)
