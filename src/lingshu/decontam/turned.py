"""The other looks of a picture that a copy may have: turned by quarters, mirrored, in negative."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lingshu.core.hashes import PHASH_SIDE, phash

TURNS = [(quarter, mirrored) for quarter in range(4) for mirrored in (False, True)]


def other_looks(thumbnails: Sequence[NDArray[np.uint8]]) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint64]]]:
    """Yield all pictures in each other look, shape (n, GRID, GRID), with their pHashes, shape (n,): fifteen looks.

    A thumbnail is square whatever the picture's sides are, so a turned one is that of the turned picture.
    """
    if not thumbnails:
        return
    stack = np.stack(thumbnails)
    for quarter, mirrored in TURNS:
        turned = np.rot90(stack[:, :, ::-1] if mirrored else stack, quarter, axes=(1, 2))
        for look in (turned, 255 - turned):
            if quarter or mirrored or look is not turned:
                yield look, phash(_halved(look))


def _halved(look: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return means of blocks, shape (n, PHASH_SIDE, PHASH_SIDE)."""
    number, side, _ = look.shape
    step = side // PHASH_SIDE
    blocks = look.reshape(number, PHASH_SIDE, step, PHASH_SIDE, step)
    means: NDArray[np.float32] = blocks.mean(axis=(2, 4), dtype=np.float32)
    return means
