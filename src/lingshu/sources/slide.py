"""Whole-slide scans into tiles and regions of the highest level that show tissue."""

from __future__ import annotations

import numpy as np
from PIL import Image

from lingshu.core.shown import Pixels
from lingshu.sources.frames import BROKEN, Frame, LeftOut, RawFile, Readings, Refused, undecodable, with_note
from lingshu.sources.params import NormalizeParams
from lingshu.sources.tiling import regions, shown_share


def read_slide(file: RawFile, params: NormalizeParams) -> Readings:
    """Yield the regions of a slide and the tiles in them; tiles and regions without tissue are left out.

    The first page of an Aperio file is the highest level; it is decoded whole, which suits a region of a slide.

    Raises:
        Refused: UNDECODABLE, TOO_LARGE (for decoding whole), or TOO_SMALL (for one region).
    """
    pixels = _highest_level(file)
    height, width = pixels.shape[:2]
    boxes = list(regions(width, height, params.tile_px, params.slide_region_tiles, params.region_gap_px))
    if not boxes:
        raise Refused("TOO_SMALL", f"{width} x {height} px hold no region of the size that params ask for")
    empty = 0
    for box in boxes:
        part: Pixels = box.cut(pixels)
        if shown_share(part) < params.min_tissue_share:
            empty += 1
            continue
        yield Frame(
            pixels=part,
            origin=f"{file.origin}#{box.name}",
            group=f"{file.source}/region/{file.origin}/{box.region}",
            facts=with_note({}, file.note),
        )
    if empty:
        yield LeftOut("NO_TISSUE", empty)


def _highest_level(file: RawFile) -> Pixels:
    try:
        with Image.open(file.path, formats=("TIFF",)) as opened:
            return np.asarray(opened.convert("RGB"))
    except Image.DecompressionBombError as error:
        raise Refused("TOO_LARGE", str(error)) from None
    except BROKEN as error:
        raise undecodable(error, file.path) from None
