"""What is known of a picture for comparing it: a digest of its bytes, two perceptual hashes, a thumbnail, keypoints."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from lingshu.core.hashes import dhash, dhash_thumbnail, phash, phash_thumbnail
from lingshu.core.ids import sha256_bytes
from lingshu.core.picture_errors import said
from lingshu.core.shown import eight_bits
from lingshu.decontam.alignment import GRID
from lingshu.decontam.keypoints import SIDE, TURNS, Keypoints, find_keypoints

BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)  # fmt: skip - what Pillow's readers raise on damaged files
REMEMBERED = 32
NO_KEYPOINTS = np.empty(0, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class PicturePrint:
    """One picture.

    Attributes:
        digest: SHA-256 of its bytes.
        phash: 64 bits.
        dhash: 64 bits.
        thumbnail: its grey levels, uint8 (GRID, GRID).
        keypoints: none where no crop is looked for.
        pixels: grey, at working size, of a picture whose crops are looked for; None of one of an index.
    """

    digest: str
    phash: int
    dhash: int
    thumbnail: NDArray[np.uint8]
    keypoints: Keypoints
    pixels: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a picture's bytes are no picture."""

    reason: str


@lru_cache(maxsize=REMEMBERED)
def picture_print(data: bytes, *, crops: bool = True, indexed: bool = False) -> PicturePrint | Unreadable:
    """Return the print of encoded bytes. The last are remembered: rows share them.

    Args:
        data: of a picture file.
        crops: whether crops are looked for, which takes keypoints.
        indexed: the picture is to be found, not looked for: its windows are upright, and its pixels let go.
    """
    grey = decoded(data)
    if isinstance(grey, Unreadable):
        return grey
    small = working_size(grey) if crops else None
    none = Keypoints(NO_KEYPOINTS, NO_KEYPOINTS, NO_KEYPOINTS, np.empty((1, 0), dtype=np.uint64), (0, 0))
    return PicturePrint(
        sha256_bytes(data),
        int(phash(phash_thumbnail(grey)[None])[0]),
        int(dhash(dhash_thumbnail(grey)[None])[0]),
        np.asarray(grey.resize((GRID, GRID), Image.Resampling.BOX)),
        none if small is None else find_keypoints(small, TURNS[:1] if indexed else TURNS),
        None if indexed else small,
    )


def decoded(data: bytes) -> Image.Image | Unreadable:
    """Return the picture in grey, upright and over white; the first one of several.

    A large JPEG comes reduced to `SIDE` or more.
    """
    try:
        with Image.open(io.BytesIO(data)) as opened:
            if opened.format == "JPEG":
                opened.draft("L", (SIDE, SIDE))
            upright = ImageOps.exif_transpose(opened)
            return Image.fromarray(eight_bits(upright)).convert("L")
    except BROKEN as error:
        lines = said(error).splitlines()
        return Unreadable(f"not a picture that can be decoded: {lines[0] if lines else repr(error)}")


def working_size(grey: Image.Image) -> NDArray[np.uint8]:
    """Return the picture with a longer side of `SIDE` pixels, shape (height, width)."""
    factor = SIDE / max(grey.size)
    size = (max(2, round(grey.width * factor)), max(2, round(grey.height * factor)))
    return np.asarray(grey.resize(size, Image.Resampling.BOX if factor < 1 else Image.Resampling.BICUBIC))
