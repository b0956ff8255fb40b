"""Perceptual hashes of pictures, 64 bits each, computed for many pictures at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PHASH_SIDE = 32
PHASH_LOW = 8
DHASH_SIZE = (9, 8)
DECIMALS = 6


def phash_thumbnail(grey: Image.Image) -> NDArray[np.uint8]:
    """Return the picture (mode L) averaged by area to (32, 32)."""
    return np.asarray(grey.resize((PHASH_SIDE, PHASH_SIDE), Image.Resampling.BOX))


def dhash_thumbnail(grey: Image.Image, extent: tuple[float, float, float, float] | None = None) -> NDArray[np.uint8]:
    """Return the picture (mode L), or its part `extent` (left, top, right, bottom), averaged to 8 rows of 9 columns."""
    return np.asarray(grey.resize(DHASH_SIZE, Image.Resampling.BOX, extent))


def phash(thumbnails: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.uint64]:
    """Return the DCT hash of each thumbnail, shape (n, 32, 32) to (n,) uint64.

    Two-dimensional DCT-II, its 8x8 lowest frequencies, bit = coefficient above their median, row by row from the
    most significant bit: the pHash of C. Zauner (2010) as the `imagehash` library computes it, except that the
    picture is shrunk by area averaging instead of Lanczos, which survives re-encoding and resizing better.
    Coefficients are rounded to 6 decimals, so that a picture without content has the same hash on every machine.
    """
    basis = _dct_basis()
    low = basis @ thumbnails.astype(np.float64) @ basis.T
    low = np.round(low, DECIMALS).reshape(len(thumbnails), PHASH_LOW * PHASH_LOW)
    return _pack(low > np.median(low, axis=1, keepdims=True))


def dhash(thumbnails: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the difference hash of each thumbnail, shape (n, 8, 9) to (n,) uint64: bit = brighter than to its left.

    N. Krawetz, "Kind of Like That" (2013); row by row from the most significant bit.
    """
    return _pack((thumbnails[:, :, 1:] > thumbnails[:, :, :-1]).reshape(len(thumbnails), -1))


def _dct_basis() -> NDArray[np.float64]:
    """Return the 8 lowest DCT-II basis vectors of length 32, unscaled (scipy's default), shape (8, 32)."""
    frequency = np.arange(PHASH_LOW)[:, None]
    place = np.arange(PHASH_SIDE)[None, :]
    return 2.0 * np.cos(np.pi * frequency * (2 * place + 1) / (2 * PHASH_SIDE))


def _pack(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    packed = np.packbits(bits, axis=1)
    return packed.view(">u8").reshape(-1).astype(np.uint64)
