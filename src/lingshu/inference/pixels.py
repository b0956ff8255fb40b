"""Pictures as engines take them: one rule of size and mode for all, so that scores of engines can be compared."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageOps

from lingshu.core.errors import UserError
from lingshu.core.picture_errors import said
from lingshu.core.question import PictureFile
from lingshu.inference.engine import Request
from lingshu.inference.settings import Decoding

_DEEP_MODES = {"I", "I;16", "I;16B", "I;16L", "F"}
_SENT_AS_THEY_ARE = {"PNG": "image/png", "JPEG": "image/jpeg"}


def decoded(picture: PictureFile, decoding: Decoding) -> Image.Image:
    """Return the picture in mode RGB, within the pixel limits.

    Grey values deeper than 8 bit are spread from the picture's own least to its greatest value: plain conversion would
    clip them to white. What is transparent becomes white, as on a page. A picture that its EXIF tag turns is turned, as
    vLLM and other servers do by themselves.

    Raises:
        UserError: the bytes are missing or no picture (names it).
    """
    return _sized(_opened(picture.read(), picture.name), decoding)


def data_url(picture: PictureFile, decoding: Decoding) -> str:
    """Return the picture as a `data:` URL: its own bytes if they are an RGB or grey PNG or JPEG within the limits.

    Bytes that readers understand in more than one way (an EXIF turn, transparency) are never sent as they are.

    Raises:
        UserError: the bytes are missing or no picture (names it).
    """
    data = picture.read()
    image = _opened(data, picture.name)
    sized = _sized(image, decoding)
    with Image.open(io.BytesIO(data)) as source:
        kind, mode = source.format or "", source.mode
        plain = mode in {"RGB", "L"} and not source.has_transparency_data and not _turned(source)
    if sized is not image or kind not in _SENT_AS_THEY_ARE or not plain:
        buffer = io.BytesIO()
        sized.save(buffer, format="PNG")
        data, kind = buffer.getvalue(), "PNG"
    return f"data:{_SENT_AS_THEY_ARE[kind]};base64,{base64.b64encode(data).decode('ascii')}"


def openai_messages(request: Request, decoding: Decoding) -> list[dict[str, Any]]:
    """Return a request's turns as the OpenAI chat API takes them: plain text, or parts with `data:` URLs.

    Raises:
        UserError: a picture is missing or unreadable.
    """
    pictures = iter(request.pictures)
    return [
        {"role": message["role"], "content": _content(message["content"], pictures, decoding)}
        for message in request.messages
    ]


def _content(parts: Sequence[dict[str, str]], pictures: Any, decoding: Decoding) -> str | list[dict[str, Any]]:
    if all(part["type"] == "text" for part in parts):
        return "\n".join(part["text"] for part in parts)
    return [
        {"type": "text", "text": part["text"]}
        if part["type"] == "text"
        else {"type": "image_url", "image_url": {"url": data_url(next(pictures), decoding)}}
        for part in parts
    ]


def _opened(data: bytes, name: str) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data)) as opened:
            return _in_rgb(ImageOps.exif_transpose(opened) if _turned(opened) else opened)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        what = said(error) if data else "it is empty"
        raise UserError(f"{name}: not a readable picture: {what}", "mend or replace the file") from None


def _turned(image: Image.Image) -> bool:
    return bool(image.getexif().get(ExifTags.Base.Orientation, 1) != 1)


def _in_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _DEEP_MODES:
        return _spread(image)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


def _spread(image: Image.Image) -> Image.Image:
    values = np.asarray(image, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    grey = (values - low) * (255.0 / (high - low)) if high > low else np.zeros_like(values)
    return Image.fromarray(np.rint(grey).astype(np.uint8)).convert("RGB")


def _sized(image: Image.Image, decoding: Decoding) -> Image.Image:
    pixels = image.width * image.height
    scale = 1.0
    if decoding.max_pixels is not None and pixels > decoding.max_pixels:
        scale = math.sqrt(decoding.max_pixels / pixels)
    elif decoding.min_pixels is not None and pixels < decoding.min_pixels:
        scale = math.sqrt(decoding.min_pixels / pixels)
    if scale == 1.0:
        return image
    rounded = math.floor if scale < 1 else math.ceil
    size = (max(1, rounded(image.width * scale)), max(1, rounded(image.height * scale)))
    return image.resize(size, Image.Resampling.BICUBIC)
