"""128-bit keys of strings, and an index of them: joins of millions of ids hold 16 bytes a row and no strings.

Two strings have equal keys by accident about once in 2**128 pairs. Importing this module imports numba.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lingshu.core.compiled import compiled
from lingshu.core.folding import as_texts

# SplitMix64 (Steele, Lea, Flood 2014), the finaliser's constants and its golden-ratio step.
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
STEP = np.uint64(0x9E3779B97F4A7C15)


def string_keys(strings: pl.Series) -> NDArray[np.uint64]:
    """Return a key for each string (no nulls), shape (rows, 2)."""
    texts = as_texts(strings)
    keys = np.empty((len(texts), 2), dtype=np.uint64)
    _key_strings(texts.letters, texts.offsets, keys)
    return keys


def joined_keys(keys: NDArray[np.uint64], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return a key for each run of keys, in order: run i is `keys[offsets[i]:offsets[i + 1]]`; shape (runs, 2)."""
    joined = np.empty((len(offsets) - 1, 2), dtype=np.uint64)
    _join(keys, offsets, joined)
    return joined


@dataclass(frozen=True, slots=True)
class KeyIndex:
    """Where each key is: open addressing over `slots`, which hold places in `keys` or -1."""

    keys: NDArray[np.uint64]
    slots: NDArray[np.int64]

    @classmethod
    def of(cls, keys: NDArray[np.uint64]) -> KeyIndex:
        """Return the index of `keys`, shape (rows, 2); of equal keys the first is found."""
        slots = np.full(1 << (2 * len(keys) + 1).bit_length(), -1, dtype=np.int64)
        _insert(keys, slots)
        return cls(keys, slots)

    def find(self, wanted: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the place of each wanted key, -1 where there is none."""
        places = np.empty(len(wanted), dtype=np.int64)
        _find(self.keys, self.slots, wanted, places)
        return places


@compiled
def _mix(value: np.uint64) -> np.uint64:
    value = (value ^ (value >> np.uint64(30))) * MIX_1
    value = (value ^ (value >> np.uint64(27))) * MIX_2
    return value ^ (value >> np.uint64(31))


@compiled
def _key_strings(letters: NDArray[np.uint8], offsets: NDArray[np.int64], keys: NDArray[np.uint64]) -> None:
    for row in range(len(offsets) - 1):
        begin, end = offsets[row], offsets[row + 1]
        low = np.uint64(end - begin)
        high = _mix(low + STEP)
        for start in range(begin, end, 8):
            word = np.uint64(0)
            for place in range(start, min(start + 8, end)):
                word = (word << np.uint64(8)) | np.uint64(letters[place])
            low = _mix(low ^ word)
            high = _mix(high + word * STEP)
        keys[row, 0] = low
        keys[row, 1] = high


@compiled
def _join(keys: NDArray[np.uint64], offsets: NDArray[np.int64], joined: NDArray[np.uint64]) -> None:
    for row in range(len(offsets) - 1):
        low = np.uint64(offsets[row + 1] - offsets[row])
        high = _mix(low + STEP)
        for place in range(offsets[row], offsets[row + 1]):
            low = _mix(low ^ keys[place, 0])
            high = _mix(high + keys[place, 1] * STEP)
        joined[row, 0] = low
        joined[row, 1] = high


@compiled
def _insert(keys: NDArray[np.uint64], slots: NDArray[np.int64]) -> None:
    mask = np.uint64(len(slots) - 1)
    for row in range(len(keys)):
        slot = keys[row, 0] & mask
        while slots[slot] >= 0:
            other = slots[slot]
            if keys[other, 0] == keys[row, 0] and keys[other, 1] == keys[row, 1]:
                break
            slot = (slot + np.uint64(1)) & mask
        if slots[slot] < 0:
            slots[slot] = row


@compiled
def _find(
    keys: NDArray[np.uint64], slots: NDArray[np.int64], wanted: NDArray[np.uint64], places: NDArray[np.int64]
) -> None:
    mask = np.uint64(len(slots) - 1)
    for row in range(len(wanted)):
        slot = wanted[row, 0] & mask
        places[row] = -1
        while slots[slot] >= 0:
            other = slots[slot]
            if keys[other, 0] == wanted[row, 0] and keys[other, 1] == wanted[row, 1]:
                places[row] = other
                break
            slot = (slot + np.uint64(1)) & mask
