"""Copies: a row that may be dropped, and the row that is kept instead. Rows are numbers, the most preferred first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingshu.dedup.keys import KeyIndex

# In the order in which they are looked for; each sees only what those before it left.
METHODS: dict[str, str] = {
    "exact": "EXACT_DUPLICATE",
    "phash": "PICTURE_DUPLICATE",
    "variant": "PICTURE_VARIANT",
    "semantic": "SEMANTIC_DUPLICATE",
    "minhash": "NEAR_DUPLICATE_TEXT",
}


@dataclass(frozen=True, slots=True)
class Copies:
    """Rows to drop, shape (copies,) each.

    Attributes:
        rows: the copies, ascending; int64.
        kept: what is kept instead of each, always before it and no copy by this method; int64.
        distance: 0 for equal; bits of the pictures' hashes, or one less Jaccard or cosine similarity; float64.
        similarity: 1 for equal, 0 for nothing in common; float64.
    """

    rows: NDArray[np.int64]
    kept: NDArray[np.int64]
    distance: NDArray[np.float64]
    similarity: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of copies."""
        return len(self.rows)


def twins(
    rows: NDArray[np.int64], twin: NDArray[np.int64], distance: NDArray[np.float64], similarity: NDArray[np.float64]
) -> Copies:
    """Return the copies among `rows`.

    Args:
        rows: those that were compared, ascending.
        twin: index in `rows` of the kept twin of each, -1 where it has none.
        distance: to the twin.
        similarity: with the twin.
    """
    found = np.flatnonzero(twin >= 0)
    return Copies(rows[found], rows[twin[found]], distance[found], similarity[found])


def exact_copies(keys: NDArray[np.uint64]) -> Copies:
    """Return the rows whose key an earlier row has.

    Args:
        keys: shape (rows, 2): 128 bits of all pictures (in order) and of the text.
    """
    first = KeyIndex.of(keys).find(keys)
    rows = np.flatnonzero(first < np.arange(len(keys)))
    return Copies(rows, first[rows], np.zeros(len(rows)), np.ones(len(rows)))
