"""Texts in normal form as one run of bytes: `core.text.normalised`, about ten times as fast where a text is ASCII.

Kernels read the bytes in place, so no Python string is made for a text. Importing this module imports numba.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from lingshu.core.compiled import compiled
from lingshu.core.text import normalised

SPACE = 32
KEPT_MARKS = b"%/-$+<=>^`|~"  # of the ASCII marks: those that `core.text.IGNORED` leaves, and the symbols


@dataclass(frozen=True, slots=True)
class Texts:
    """Ragged UTF-8: text i is `letters[offsets[i]:offsets[i + 1]]`; letters uint8, offsets int64 (texts + 1)."""

    letters: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Close both for writing, as those over polars' memory are: a kernel is compiled once, not for each kind."""
        self.letters.setflags(write=False)
        self.offsets.setflags(write=False)

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.offsets) - 1

    def text(self, index: int) -> str:
        """Return one text."""
        return self.letters[self.offsets[index] : self.offsets[index + 1]].tobytes().decode()

    def series(self, name: str = "text") -> pl.Series:
        """Return all texts as strings."""
        starts, data = pa.py_buffer(self.offsets), pa.py_buffer(self.letters)
        return pl.Series(name, pa.LargeStringArray.from_buffers(len(self), starts, data), dtype=pl.String)


def as_texts(texts: pl.Series) -> Texts:
    """Return strings (no nulls) as they are, without a copy where polars allows it."""
    array = pa.array(texts.to_arrow(), type=pa.large_string())
    _, starts, data = array.buffers()
    if not len(array):
        return Texts(np.zeros(0, dtype=np.uint8), np.zeros(1, dtype=np.int64))
    offsets = np.frombuffer(starts, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    return Texts(np.frombuffer(data or b"", dtype=np.uint8), offsets)


def folded(texts: pl.Series) -> Texts:
    """Return the normal form (`core.text.normalised`) of strings without nulls."""
    given = as_texts(texts)
    letters = np.empty(int(given.offsets[-1] - given.offsets[0]), dtype=np.uint8)
    offsets = np.zeros(len(given) + 1, dtype=np.int64)
    foreign = np.zeros(len(given), dtype=np.bool_)
    _fold_ascii(given.letters, given.offsets, byte_table(), letters, offsets, foreign)
    ascii_texts = Texts(letters[: offsets[-1]], offsets)
    if not foreign.any():
        return ascii_texts
    other = normalised(pl.when(pl.col("foreign")).then(pl.col("text")))
    frame = pl.DataFrame({"text": texts, "ascii": ascii_texts.series(), "foreign": foreign})
    return as_texts(frame.select(pl.coalesce(other, "ascii"))["text"])


def byte_table() -> NDArray[np.uint8]:
    """Return what each ASCII byte becomes: lower case, a kept mark, or a space."""
    table = np.full(128, SPACE, dtype=np.uint8)
    for byte in range(128):
        character = chr(byte)
        if character.isalnum() or byte in KEPT_MARKS:
            table[byte] = ord(character.lower())
    return table


@compiled
def _fold_ascii(  # noqa: PLR0917 (compiled functions are called by position)
    letters: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    table: NDArray[np.uint8],
    out: NDArray[np.uint8],
    bounds: NDArray[np.int64],
    foreign: NDArray[np.bool_],
) -> None:
    write = 0
    for row in range(len(offsets) - 1):
        start = write
        gap = False  # a space is due before the next letter
        for place in range(offsets[row], offsets[row + 1]):
            byte = letters[place]
            if byte > 127:
                foreign[row] = True
                write = start
                break
            folded_byte = table[byte]
            if folded_byte == SPACE:
                gap = write > start
            else:
                if gap:
                    out[write] = SPACE
                    write += 1
                    gap = False
                out[write] = folded_byte
                write += 1
        bounds[row + 1] = write
