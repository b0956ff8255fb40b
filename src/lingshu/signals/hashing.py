"""Perceptual hashes of encoded pictures, decoded no further than the hash needs.

A hash looks at 32 x 32 averages, and a JPEG can be decoded at a half, a quarter or an eighth of its size for less. What
a picture's hash is depends on the mode by a bit or two, so hashes to be compared are made in one mode. `measure` makes
those of `full` from the one decode that its other signals need anyway.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Literal

import numpy as np
import pyarrow as pa
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from lingshu.core.errors import UserError
from lingshu.core.hashes import PHASH_SIDE, dhash, dhash_thumbnail, phash, phash_thumbnail
from lingshu.core.parallel import ALONE, Workers, in_order

HashMode = Literal["full", "scaled", "fast"]
# Least side in pixels that a JPEG is decoded to (libjpeg scales by 1/2, 1/4, 1/8). At 128, copies that were re-encoded
# or resized have the original's hash as often as at 256; see perf/README.md.
LEAST_SIDE: dict[HashMode, int] = {"scaled": 4 * PHASH_SIDE, "fast": PHASH_SIDE}
JPEG_START = b"\xff\xd8"
SCALES = (8, 4, 2, 1)  # of which Pillow's draft mode takes the first that leaves the least side
PICTURES_A_BATCH = 64
HASH_SCHEMA = pa.schema([("image_id", pa.string()), ("phash", pa.uint64()), ("dhash", pa.uint64())])

Encoded = tuple[str, bytes]  # image_id (or any name) and bytes
Extent = tuple[float, float, float, float]  # left, top, right, bottom


def hash_pictures(pictures: Iterable[Encoded], mode: HashMode, workers: Workers = ALONE) -> Iterator[pa.Table]:
    """Yield tables of `HASH_SCHEMA` in the order given.

    Args:
        pictures: names and bytes, read as they are needed.
        mode: full: every pixel, the hashes of `measure`; scaled: a JPEG's luma at 128 pixels or more a side; fast: at
            32 or more, for a first look.
        workers: who decodes; the result does not depend on it.

    Raises:
        UserError: a picture's bytes can't be decoded.
    """
    yield from in_order(partial(_hash_batch, mode), _batches(pictures), workers)


def _batches(pictures: Iterable[Encoded]) -> Iterator[list[Encoded]]:
    rest = iter(pictures)
    while batch := list(islice(rest, PICTURES_A_BATCH)):
        yield batch


def _hash_batch(mode: HashMode, batch: Sequence[Encoded]) -> pa.Table:
    greys = [grey_picture(name, data, mode) for name, data in batch]
    if mode == "full":
        perceptual = phash(np.stack([phash_thumbnail(grey) for grey, _ in greys]))
    else:
        perceptual = phash(np.stack([smooth_thumbnail(grey, extent) for grey, extent in greys]))
    difference = dhash(np.stack([dhash_thumbnail(grey, extent) for grey, extent in greys]))
    return pa.table([[name for name, _ in batch], perceptual, difference], schema=HASH_SCHEMA)


def smooth_thumbnail(grey: Image.Image, extent: Extent) -> NDArray[np.float32]:
    """Return that part of the picture (mode L) at (32, 32), by a Hamming window and without rounding.

    Of a picture that was decoded small, this keeps what area averaging of whole pixels loses: copies at another size or
    quality have the same hash oftener. See perf/README.md.
    """
    return np.asarray(grey.convert("F").resize((PHASH_SIDE, PHASH_SIDE), Image.Resampling.HAMMING, extent))


def grey_picture(name: str, data: bytes, mode: HashMode) -> tuple[Image.Image, Extent]:
    """Return the picture in grey (mode L), at the size that `mode` asks for or a little more, and its extent there.

    A JPEG of 515 pixels decoded at an eighth has 65, of which the picture is 64.375: to take all 65 for the picture
    would stretch it, and a copy at another size by another factor.

    Raises:
        UserError: the bytes can't be decoded.
    """
    try:
        if mode != "full" and data.startswith(JPEG_START):
            small = _small_jpeg(data, LEAST_SIDE[mode])
            if small is not None:
                return small
        with Image.open(io.BytesIO(data)) as opened:
            if mode != "full" and opened.format == "JPEG" and opened.mode in ("L", "RGB"):
                drafted = opened.draft("L", (LEAST_SIDE[mode], LEAST_SIDE[mode]))
                assert drafted is not None  # of a JPEG that was opened and not yet read
                opened.load()
                return opened.convert("L"), drafted[1]
            return opened.convert("RGB").convert("L"), (0, 0, *opened.size)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"picture {name}: can't be decoded: {error}", "mend the file, or leave it out") from error


def _small_jpeg(data: bytes, least: int) -> tuple[Image.Image, Extent] | None:
    """Return what Pillow's draft mode gives, by the same codec with less around it; None: let Pillow judge."""
    height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    if colours not in ("YCbCr", "Gray") or height * width > (Image.MAX_IMAGE_PIXELS or 0):
        return None
    scale = next(scale for scale in SCALES if scale == 1 or min(height, width) // least >= scale)
    high, wide = -(-height // scale), -(-width // scale)
    pixels = simplejpeg.decode_jpeg(data, "GRAY", min_height=high, min_width=wide)[:, :, 0]
    return Image.fromarray(pixels), (0, 0, width / scale, height / scale)
