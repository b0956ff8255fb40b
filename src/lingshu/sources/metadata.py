"""JPEG and PNG files without what cameras and scanners write beside the pixels: place, time, device, names, comments.

The coded pixels stay byte for byte, and so does what decides how they are shown (JFIF, ICC profile, Adobe's transform).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

JPEG_START = b"\xff\xd8"
PNG_START = b"\x89PNG\r\n\x1a\n"
SCAN, END = 0xDA, 0xD9
ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length (ITU-T T.81, B.1.1.3)
COMMENT = 0xFE
APPLICATION = range(0xE0, 0xF0)
JFIF, ICC, ADOBE = 0xE0, 0xE2, 0xEE
ICC_NAME = b"ICC_PROFILE\0"
PNG_DROPPED = {b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME"}  # PNG specification, third edition, 11.3


def without_metadata(data: bytes) -> bytes:
    """Return a JPEG or PNG file without metadata; the same object where it has none.

    Raises:
        ValueError: the file's parts can't be told apart.
    """
    if data.startswith(JPEG_START):
        parts = list(_jpeg_parts(data))
    elif data.startswith(PNG_START):
        parts = list(_png_parts(data))
    else:
        raise ValueError("neither JPEG nor PNG")
    return data if all(keep for _, keep in parts) else b"".join(part for part, keep in parts if keep)


def _jpeg_parts(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield the segments before the first scan, each with whether it stays; then the rest as it is."""
    yield JPEG_START, True
    place = len(JPEG_START)
    while True:
        start = place
        while data[place : place + 1] == b"\xff":  # any number of fill bytes may come before a marker
            place += 1
        if place == start or place >= len(data):
            raise ValueError("no marker where a segment is due")
        marker = data[place]
        place += 1
        if marker in {SCAN, END}:
            yield data[start:], True
            return
        if marker not in ALONE:
            (size,) = struct.unpack(">H", data[place : place + 2].rjust(2, b"\0"))
            if size < 2 or place + size > len(data):
                raise ValueError("a segment is longer than the file")
            place += size
        body = data[start:place].lstrip(b"\xff")[3:]
        yield data[start:place], _stays(marker, body)


def _stays(marker: int, body: bytes) -> bool:
    if marker == ICC:
        return body.startswith(ICC_NAME)
    return marker != COMMENT and (marker not in APPLICATION or marker in {JFIF, ADOBE})


def _png_parts(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield the chunks, each with whether it stays; what follows the last one as it is."""
    yield PNG_START, True
    place, kind = len(PNG_START), b""
    while kind != b"IEND":
        if place + 12 > len(data):
            raise ValueError("a chunk is longer than the file")
        size, kind = struct.unpack(">I4s", data[place : place + 8])
        end = place + 12 + size
        if end > len(data):
            raise ValueError("a chunk is longer than the file")
        yield data[place:end], kind not in PNG_DROPPED
        place = end
    yield data[place:], True
