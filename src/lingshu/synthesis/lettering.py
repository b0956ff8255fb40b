"""Pictures of short texts: black on white, one cell of equal width a character, so large that a tiny model can read."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lingshu.core.images import encode_png

MARGIN_SHARE = 0.04
FONT_SHARE = 1.2  # of a cell's width: most capitals and digits of Pillow's bundled font then nearly fill it
STROKE_SHARE = 0.05
GLYPH_SHARE = 0.95
STRETCH = 2  # characters are drawn at half their height, then stretched, to use the square


def letter(text: str, side: int) -> bytes:
    """Return a square grey PNG of `side` pixels that shows `text` on one line.

    Raises:
        ValueError: the text is empty.
    """
    if not text:
        raise ValueError("there is no text to draw")
    picture = Image.new("L", (side, side), 255)
    margin = round(side * MARGIN_SHARE)
    cell = (side - 2 * margin) // len(text)
    for number, character in enumerate(text):
        picture.paste(_glyph(character, cell, side), (margin + number * cell, 0))
    return encode_png(np.asarray(picture))


def _glyph(character: str, width: int, height: int) -> Image.Image:
    """Return one character, bold, in the middle of a `width` by `height` picture; a wide one (W) is squeezed to fit."""
    font, stroke = ImageFont.load_default(size=round(width * FONT_SHARE)), round(width * STROKE_SHARE)
    left, _, right, _ = font.getbbox(character, stroke_width=stroke)
    canvas = Image.new("L", (max(width, round((right - left) / GLYPH_SHARE)), height // STRETCH), 255)
    place = (canvas.width / 2, canvas.height / 2)
    ImageDraw.Draw(canvas).text(place, character, fill=0, font=font, anchor="mm", stroke_width=stroke)
    return canvas.resize((width, height), Image.Resampling.BILINEAR)
