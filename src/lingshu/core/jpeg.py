"""JPEG by libjpeg-turbo with nothing around it: Pillow's pixels in less time.

It takes bytes where they lie, in a mapped file for one; Pillow needs a copy that it can read like a file.
"""

from __future__ import annotations

import simplejpeg
from PIL import Image

START = b"\xff\xd8"


def decoded_jpeg(data: bytes | memoryview) -> Image.Image | None:
    """Return a JPEG of usual colours in mode RGB, or None: Pillow shall judge (no JPEG, damaged, huge).

    Slow transform and smooth upsampling, as Pillow has them; they make the pixels equal.
    """
    if data[:2] != START:
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
        if colours not in ("YCbCr", "Gray") or height * width > (Image.MAX_IMAGE_PIXELS or 0):
            return None
        return Image.fromarray(simplejpeg.decode_jpeg(data, "RGB", fastdct=False, fastupsample=False))
    except ValueError:  # what libjpeg-turbo has against the bytes
        return None
