"""PNG, JPEG and TIFF files, single or stacks, whole or cut, with nuclei counted in the label mask beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from lingshu.core.shown import Pixels, stretch_percentiles
from lingshu.sources.frames import (
    BROKEN,
    Facts,
    Frame,
    LeftOut,
    RawFile,
    Readings,
    Refused,
    check_size,
    undecodable,
    with_note,
)
from lingshu.sources.params import NormalizeParams
from lingshu.sources.tiling import Box, count_labels, regions, shown_share, tiles

Stack = list[NDArray[Any]]
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000")  # none that runs a program (EPS)


def read_raster(file: RawFile, params: NormalizeParams) -> Readings:
    """Yield a picture whole, its regions and their tiles, or itself and its tiles, as the catalogue's note says.

    Of a stack every `clip_frame_step`-th page is taken. 16-bit grey is stretched by the percentiles of the whole file.

    Raises:
        Refused: UNDECODABLE, TOO_LARGE, TOO_SMALL (for one region), PAGES_DIFFER, or MASK_DIFFERS (a mask of another
            shape).
    """
    pages = _pages(file.path)
    masks = _pages(file.companion(file.note.mask)) if file.note and file.note.mask else None
    if masks is not None and [m.shape for m in masks] != [p.shape[:2] for p in pages]:
        raise Refused("MASK_DIFFERS", f"{file.note.mask if file.note else ''} has another shape than the picture")
    pictures = _to_8_bit(pages)
    taken = range(0, len(pages), params.clip_frame_step)
    empty = 0
    for index in taken:
        mask = masks[index] if masks is not None else None
        stem = f"{file.origin}#{index:03d}" if len(pages) > 1 else file.origin
        for box, pixels in _parts(pictures[index], file, params):
            if box is not None and shown_share(pixels) < params.min_tissue_share:
                empty += 1
                continue
            yield Frame(
                pixels=pixels,
                origin=(f"{stem}/{box.name}" if len(pages) > 1 else f"{stem}#{box.name}") if box else stem,
                group=_group(file, box),
                facts=with_note(_counted(mask, box), file.note),
            )
    if len(taken) < len(pages):
        yield LeftOut("FRAME_STEP", len(pages) - len(taken))
    if empty:
        yield LeftOut("NO_TISSUE", empty)


def _pages(path: Path) -> Stack:
    """Return the pages of a file: uint8 (height, width, 3) for colour, else (height, width) of the stored type.

    Raises:
        Refused: TOO_LARGE for one page or for all together, PAGES_DIFFER in size or type, else UNDECODABLE.
    """
    pages: Stack = []
    claimed = 0
    try:
        with Image.open(path, formats=FORMATS) as opened:
            for page in ImageSequence.Iterator(opened):
                claimed += page.width * page.height
                check_size(claimed, f"{len(pages) + 1} pages, the last of {page.width} x {page.height} px")
                pages.append(_plain(page))
    except Image.DecompressionBombError as error:
        raise Refused("TOO_LARGE", str(error)) from None
    except BROKEN as error:
        raise undecodable(error, path) from None
    shapes = {(page.dtype, page.shape) for page in pages if page.dtype != np.uint8}
    if shapes and len({(page.dtype, page.shape) for page in pages}) > 1:
        raise Refused("PAGES_DIFFER", f"{len(pages)} pages of different sizes or types, some of more than 8 bits")
    return pages


def _plain(page: Image.Image) -> NDArray[Any]:
    grey = page.mode in ("1", "L", "F") or page.mode.startswith("I")
    return np.array(page.convert("L") if page.mode == "1" else page if grey else page.convert("RGB"))


def _to_8_bit(pages: Stack) -> list[Pixels]:
    if pages[0].dtype == np.uint8:
        return pages
    return list(stretch_percentiles(np.stack(pages)))


def _parts(pixels: Pixels, file: RawFile, params: NormalizeParams) -> Iterator[tuple[Box | None, Pixels]]:
    """Yield the picture itself (without a box) and its parts."""
    height, width = pixels.shape[:2]
    cut = file.note.cut if file.note else "whole"
    if cut != "regions":
        yield None, pixels
    if cut == "tiles":
        yield from ((box, box.cut(pixels)) for box in tiles(width, height, params.tile_px))
    if cut == "regions":
        boxes = list(regions(width, height, params.field_tile_px, params.field_region_tiles, params.region_gap_px))
        if not boxes:
            raise Refused("TOO_SMALL", f"{width} x {height} px hold no region of the size that params ask for")
        yield from ((box, box.cut(pixels)) for box in boxes)


def _group(file: RawFile, box: Box | None) -> str:
    if box is not None and box.region:
        return f"{file.source}/region/{file.origin}/{box.region}"
    return f"{file.source}/{file.note.group}" if file.note and file.note.group else f"{file.source}/file/{file.origin}"


def _counted(mask: NDArray[Any] | None, box: Box | None) -> Facts:
    if mask is None:
        return {}
    height, width = mask.shape
    return {"nuclei_count": count_labels(mask, box or Box("", "", 0, 0, max(height, width)))}
