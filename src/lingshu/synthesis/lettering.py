"""Pictures of short texts: black on white, one cell of equal width a character, so large that a tiny model can read."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lingshu.core.images import encode_png

MARGIN_SHARE = 0.03
FONT_SHARE = 1.2  # of a cell's width: the capitals and digits of Pillow's bundled font then nearly fill it
STROKE_SHARE = 0.05
STRETCH = 2  # letters are drawn at half their height, then stretched, to use the square


def letter(text: str, side: int) -> bytes:
    """Return a square grey PNG of `side` pixels that shows `text` on one line.

    Raises:
        ValueError: the text is empty.
    """
    if not text:
        raise ValueError("there is no text to draw")
    picture = Image.new("L", (side, side // STRETCH), 255)
    margin = side * MARGIN_SHARE
    cell = (side - 2 * margin) / len(text)
    font = ImageFont.load_default(size=round(cell * FONT_SHARE))
    pen = ImageDraw.Draw(picture)
    for number, character in enumerate(text):
        place = (margin + (number + 0.5) * cell, picture.height / 2)
        pen.text(place, character, fill=0, font=font, anchor="mm", stroke_width=round(cell * STROKE_SHARE))
    return encode_png(np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR)))
