"""Pictures of row sources as they are kept: the file's own bytes where any reader shows them alike, else a new file.

Kept as they are: PNG and JPEG of 8 bits in grey or colour, upright, one picture, within the size limit; what a camera
or scanner wrote beside the pixels (EXIF, comments) is cut out, and the coded pixels stay byte for byte. Others are
decoded once and written anew: CMYK, 16 bits (stretched between percentiles), alpha (over white), turned by EXIF, other
formats, too large a side (averaged down; a JPEG stays one). What can't be shown whole is refused by reason.
"""

from __future__ import annotations

import io
import struct
import tokenize
import warnings
import zipfile
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_bytes
from lingshu.core.images import encode_png
from lingshu.core.picture_errors import said
from lingshu.core.shown import eight_bits, stretch_percentiles
from lingshu.intake.archive import NoRoomError
from lingshu.intake.errors import Reason, RowError
from lingshu.intake.pictures import FoundPicture
from lingshu.sources.frames import shrunk
from lingshu.sources.metadata import without_metadata

# MPO comes by way of JPEG's reader; Pillow has none of that name. No format that runs a program (EPS) or holds
# documents (PDF).
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000")
PLAIN = {"PNG": ("L", "RGB", "P"), "JPEG": ("L", "RGB")}
JPEG_QUALITY = 95
BYTES_PER_PIXEL = 24  # of an array: three channels of float64
ORIENTATION = 0x0112
# Pillow's readers raise what their parsers stumble over: a broken file is never a reason to stop.
BROKEN = (
    OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError, AttributeError, RuntimeError,
    EOFError, MemoryError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip
# Pillow warns of pictures beyond a limit of its own, without a name; those beyond `StillLimits` are refused by name.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class StillLimits:
    """What a picture may be: longer side as stored, pixels as found, and bytes of its file."""

    max_side: int
    max_pixels: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Still:
    """A picture as it is stored; `changed` says why its bytes are not the file's ("" where they are)."""

    image_id: str
    data: bytes
    format: str
    width: int
    height: int
    changed: str


def read_still(picture: FoundPicture, limits: StillLimits, array: str = "") -> Still:
    """Return a picture file as it is stored.

    Args:
        picture: the file.
        limits: what it may be.
        array: name of the picture's array where the file is a NumPy archive.


    Raises:
        RowError: it is too large, animated, broken, cut off, or no picture.
        NoRoomError: as `bytes_of`.
    """
    data = bytes_of(picture, limits)
    return still_of_array(data, array, picture.name, limits) if array else still_of(data, picture.name, limits)


def bytes_of(picture: FoundPicture, limits: StillLimits) -> bytes:
    """Return a picture file's bytes.

    Raises:
        RowError: it is too large, or can't be read.
        NoRoomError: it can't be copied out of its archive for want of space, whatever it is.
    """
    try:
        size = picture.size()
        if size is not None and size > limits.max_bytes:
            raise RowError(Reason.PICTURE_TOO_LARGE, f"{picture.name}: {size} bytes")
        data = picture.read()
    except NoRoomError:
        raise
    except UserError as error:
        raise RowError(Reason.UNREADABLE_PICTURE, error.what) from None
    if len(data) > limits.max_bytes:
        raise RowError(Reason.PICTURE_TOO_LARGE, f"{picture.name}: {len(data)} bytes")
    return data


def still_of_array(data: bytes, array: str, name: str, limits: StillLimits) -> Still:
    """Return the array of a NumPy archive as a PNG; values outside 0 to 255 are stretched between percentiles.

    Raises:
        RowError: it is too large, broken, of another shape, or not there; nothing pickled is ever loaded.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            size = opened.getinfo(f"{array}.npy").file_size
        if size > limits.max_pixels * BYTES_PER_PIXEL:
            raise RowError(Reason.PICTURE_TOO_LARGE, f"{name}: {array} has {size} bytes")
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            values = archive[array]
        if (
            values.dtype.kind not in "uif"
            or values.size == 0
            or not (values.ndim == 2 or (values.ndim == 3 and values.shape[2] == 3))
        ):
            raise RowError(Reason.UNREADABLE_PICTURE, f"{name}: {array} is {values.dtype} of shape {values.shape}")
    except (*BROKEN, zipfile.BadZipFile, tokenize.TokenError) as error:
        raise RowError(Reason.UNREADABLE_PICTURE, f"{name}: {type(error).__name__}: {said(error)}"[:200]) from None
    shown = bool(np.isfinite(values).all() and values.min() >= 0 and values.max() <= 255)
    pixels = shrunk(np.rint(values).astype(np.uint8) if shown else stretch_percentiles(values), limits.max_side)
    made = encode_png(np.ascontiguousarray(pixels))
    height, width = pixels.shape[:2]
    return Still(sha256_bytes(made), made, "PNG", width, height, "was an array")


def still_of(data: bytes, name: str, limits: StillLimits) -> Still:
    """Return the bytes of a picture file as they are stored; errors as `read_still`."""
    Image.init()  # without it the readers of TIFF, WebP and JPEG 2000 are not known by name, and a file seems broken
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            return _kept(opened, data, name, limits)
    except Image.DecompressionBombError as error:
        raise RowError(Reason.PICTURE_TOO_LARGE, f"{name}: {error}"[:200]) from None
    except BROKEN as error:
        raise RowError(Reason.UNREADABLE_PICTURE, f"{name}: {type(error).__name__}: {said(error)}"[:200]) from None


def _kept(opened: Image.Image, data: bytes, name: str, limits: StillLimits) -> Still:
    width, height = opened.size
    if width * height > limits.max_pixels:
        raise RowError(Reason.PICTURE_TOO_LARGE, f"{name}: {width} x {height} pixels")
    number = getattr(opened, "n_frames", 1)  # Pillow gives it only to formats that may hold several
    if number > 1 and opened.format != "MPO":
        raise RowError(Reason.ANIMATED_PICTURE, f"{name}: {number} pictures")
    if why := _why_changed(opened, limits.max_side):
        return _anew(opened, why, limits.max_side)
    if opened.format == "JPEG":
        opened.draft(opened.mode, (max(width // 8, 1), max(height // 8, 1)))  # every bit is read all the same
    opened.load()
    try:
        bare = without_metadata(data)
    except ValueError:
        return _anew(opened, "had parts out of order", limits.max_side)
    why = "" if bare is data else "had metadata"
    return Still(sha256_bytes(bare), bare, str(opened.format), width, height, why)


def _why_changed(opened: Image.Image, max_side: int) -> str:
    if opened.format not in PLAIN:
        return f"was {opened.format}"
    if opened.mode not in PLAIN[opened.format]:
        return f"was {opened.mode}"
    if "transparency" in opened.info:
        return "had transparency"
    if opened.getexif().get(ORIENTATION, 1) != 1:
        return "was turned"
    return "was larger" if max(opened.size) > max_side else ""


def _anew(opened: Image.Image, why: str, max_side: int) -> Still:
    was_jpeg = opened.format in ("JPEG", "MPO")
    upright = ImageOps.exif_transpose(opened)
    pixels = shrunk(eight_bits(upright), max_side)
    height, width = pixels.shape[:2]
    if was_jpeg and why != "was CMYK":
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format="JPEG", quality=JPEG_QUALITY, subsampling=0)
        data, kind = buffer.getvalue(), "JPEG"
    else:
        data, kind = encode_png(np.ascontiguousarray(pixels)), "PNG"
    return Still(sha256_bytes(data), data, kind, width, height, why)
