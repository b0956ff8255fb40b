"""Semantic duplicates: pictures whose embeddings point the same way, every pair compared exactly in blocks.

As SemDeDup (Abbas et al. 2023), without its clustering, which misses pairs across clusters; cost grows with the square
of the pictures of a scope (100,000 of 512 numbers: some minutes of a core). Rows are visited in order of preference,
and one is dropped if it is near enough to a kept one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lingshu.dedup.copies import Copies, twins
from lingshu.dedup.params import SemanticParams

ROWS_A_BLOCK = 1024
DECIMALS = 6  # of a similarity: sums in another order differ beyond


def semantic_copies(
    rows: NDArray[np.int64],
    vectors: NDArray[np.float32],
    groups: NDArray[np.int64] | None,
    params: SemanticParams,
) -> Copies:
    """Return the rows whose cosine with an earlier, kept row reaches the threshold; the nearest, the first of several.

    Args:
        rows: those to compare, ascending: in order of preference.
        vectors: of each of `rows`, length one, shape (rows, numbers).
        groups: group of every row; rows of one group are never copies of each other. None: they may be.
        params: threshold.
    """
    own = np.arange(len(rows)) if groups is None else groups[rows]
    twin = np.full(len(rows), -1, dtype=np.int64)
    similarity = np.zeros(len(rows), dtype=np.float64)
    for start in range(0, len(rows), ROWS_A_BLOCK):
        end = min(start + ROWS_A_BLOCK, len(rows))
        _against_earlier(vectors, own, (start, end), (twin, similarity), params.threshold)
        _within(vectors, own, (start, end), (twin, similarity), params.threshold)
    twin[similarity < params.threshold] = -1
    return twins(rows, twin, 1.0 - similarity, similarity)


State = tuple[NDArray[np.int64], NDArray[np.float64]]


def _against_earlier(
    vectors: NDArray[np.float32], own: NDArray[np.int64], block: tuple[int, int], state: State, threshold: float
) -> None:
    """Find the nearest kept row of the blocks before."""
    twin, similarity = state
    start, end = block
    kept = np.flatnonzero(twin[:start] < 0)
    for begin in range(0, len(kept), ROWS_A_BLOCK):
        others = kept[begin : begin + ROWS_A_BLOCK]
        cosine = np.round((vectors[start:end] @ vectors[others].T).astype(np.float64), DECIMALS)
        cosine[own[start:end, None] == own[others][None, :]] = -1.0
        best = cosine.argmax(axis=1)  # the first of several
        value = cosine[np.arange(end - start), best]
        closer = (value >= threshold) & (value > similarity[start:end])
        twin[start:end][closer] = others[best[closer]]
        similarity[start:end][closer] = value[closer]


def _within(
    vectors: NDArray[np.float32], own: NDArray[np.int64], block: tuple[int, int], state: State, threshold: float
) -> None:
    """Go on with the kept rows of the block itself, one row after another."""
    twin, similarity = state
    start, end = block
    cosine = np.round((vectors[start:end] @ vectors[start:end].T).astype(np.float64), DECIMALS)
    for row in range(1, end - start):
        near = np.flatnonzero((cosine[row, :row] >= threshold) & (twin[start : start + row] < 0))
        near = near[own[start + near] != own[start + row]]
        if len(near) and cosine[row, near].max() > similarity[start + row]:
            best = near[cosine[row, near].argmax()]
            twin[start + row] = start + best
            similarity[start + row] = cosine[row, best]
