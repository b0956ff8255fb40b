"""Encoded pictures into values, and values into the 8 bits that are shown."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from lingshu.core.picture_errors import said
from lingshu.core.shown import Pixels, stretch, stretch_percentiles
from lingshu.intake.errors import Reason, RowError
from lingshu.sources.stills import BROKEN


def decode_values(data: bytes, name: str) -> NDArray[Any]:
    """Return a picture's values as stored, of a file with several pages the first: (height, width), or RGB last.

    Raises:
        RowError: UNREADABLE_PICTURE or PICTURE_TOO_LARGE (names the file).
    """
    try:
        with Image.open(io.BytesIO(data)) as opened:
            grey = opened.mode in ("1", "L", "F") or opened.mode.startswith("I")
            return np.array(opened.convert("L") if opened.mode == "1" else opened if grey else opened.convert("RGB"))
    except Image.DecompressionBombError as error:
        raise RowError(Reason.PICTURE_TOO_LARGE, f"{name}: {error}") from None
    except BROKEN as error:
        raise RowError(Reason.UNREADABLE_PICTURE, f"{name}: {type(error).__name__}: {said(error)}"[:200]) from None


@dataclass(frozen=True, slots=True)
class Header:
    """What a picture file says of itself: size in pixels as stored, and whether its EXIF tag turns it."""

    height: int
    width: int
    turned: bool


def read_header(data: bytes, name: str) -> Header:
    """Return a picture's header.

    Raises:
        RowError: UNREADABLE_PICTURE or PICTURE_TOO_LARGE (names the file).
    """
    try:
        with Image.open(io.BytesIO(data)) as opened:
            return Header(opened.height, opened.width, opened.getexif().get(ExifTags.Base.Orientation, 1) != 1)
    except Image.DecompressionBombError as error:
        raise RowError(Reason.PICTURE_TOO_LARGE, f"{name}: {error}") from None
    except BROKEN as error:
        raise RowError(Reason.UNREADABLE_PICTURE, f"{name}: {type(error).__name__}: {said(error)}"[:200]) from None


def shown(values: NDArray[Any], window: tuple[float, float] | None, offset: float) -> Pixels:
    """Return values as uint8: through the window, where there is one; 8 bits as they are; others by percentiles.

    Floating point values between 0 and 255 (as PanNuke's arrays) are 8 bits too.

    Raises:
        RowError: the values are no picture.
    """
    flat = values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values
    if flat.ndim not in (2, 3) or (flat.ndim == 3 and flat.shape[2] != 3) or 0 in flat.shape:
        raise RowError(Reason.UNREADABLE_PICTURE, f"values of shape {values.shape} are no picture")
    if window is not None:
        return stretch(flat.astype(np.float64) + offset, *window)
    if flat.dtype == np.uint8:
        return np.ascontiguousarray(flat)
    if flat.ndim == 3 and flat.min() >= 0 and flat.max() <= 255:
        rounded: Pixels = np.rint(flat).astype(np.uint8)
        return rounded
    return stretch_percentiles(flat)
