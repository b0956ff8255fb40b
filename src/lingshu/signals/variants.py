"""Hashes that copies of a picture would have: turned, mirrored, inverted, cropped; and one that a window leaves alone.

A perceptual hash changes wholly under these, so `signals.variants` stores them beside it (72 numbers a picture), and
`dedup.variants` compares. What that finds, and what it takes for a copy, is measured by `python perf/variants.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lingshu.core.hashes import PHASH_SIDE, phash, phash_thumbnail

BASE_SIDE = 128  # of the averaged picture that crops are taken from
# Share of a side that a crop shows, and how many places along a side it is tried at.
CROPS: dict[float, int] = {0.95: 2, 0.9: 3, 0.8: 5, 0.7: 5}
TURNS = tuple(Image.Transpose)  # the seven others of a square's symmetries


def variant_hashes(greys: Sequence[Image.Image]) -> NDArray[np.uint64]:
    """Return for each picture (mode L) the hash of its ranks, then those of its variants, shape (pictures, 72).

    The first is that of the 32 x 32 average with each level replaced by its rank: brightness, contrast and any window
    that does not cut levels off leave it as it is. It is to be compared with other pictures' first, the others with
    their perceptual hashes.
    """
    thumbnails = np.stack([thumbnail for grey in greys for thumbnail in _thumbnails(grey)])
    return phash(thumbnails).reshape(len(greys), -1)


def _thumbnails(grey: Image.Image) -> list[NDArray[np.float32]]:
    plain = Image.fromarray(phash_thumbnail(grey))
    base = grey.resize((BASE_SIDE, BASE_SIDE), Image.Resampling.BOX)
    small = [plain.transpose(turn) for turn in TURNS]
    for share, places in CROPS.items():
        for top in range(places):
            for left in range(places):
                x, y = (BASE_SIDE * (1 - share) * place / (places - 1) for place in (left, top))
                box = (x, y, x + BASE_SIDE * share, y + BASE_SIDE * share)
                small.append(base.resize((PHASH_SIDE, PHASH_SIDE), Image.Resampling.BOX, box=box))
    levels = np.asarray(plain, dtype=np.float32)
    return [_ranks(levels), 255.0 - levels, *(np.asarray(one, dtype=np.float32) for one in small)]


def _ranks(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each value's rank among all, equal values the mean of theirs."""
    _, place, counts = np.unique(levels, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    return middle[place].reshape(levels.shape).astype(np.float32)
