"""Cutting large pictures: square tiles, gathered in square regions with a strip between them.

A region is what is held out. Regions keep a gap, so that no held-out pixel touches a training one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingshu.core.shown import Pixels

# A pixel shows something when it is neither the black around a fundus nor the white of an empty slide (of 255).
BLACK, WHITE = 20, 225


@dataclass(frozen=True, slots=True)
class Box:
    """A square of `side` pixels; `region` names the region it lies in, `name` the box itself."""

    name: str
    region: str
    left: int
    top: int
    side: int

    def cut(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return the part of a picture or mask, shape (height, width, ...), inside the box."""
        return pixels[self.top : self.top + self.side, self.left : self.left + self.side]


def regions(width: int, height: int, tile: int, tiles: int, gap: int) -> Iterator[Box]:
    """Yield every region as a whole, each followed by its tiles; the grid is centred, and what is left over is unused.

    Args:
        width: of the picture in pixels.
        height: of the picture in pixels.
        tile: side of a tile in pixels.
        tiles: tiles along a region's side.
        gap: pixels between regions.
    """
    side = tile * tiles
    for row, top in enumerate(_starts(height, side, gap)):
        for column, left in enumerate(_starts(width, side, gap)):
            region = f"r{row:02d}c{column:02d}"
            yield Box(region, region, left, top, side)
            for number in range(tiles * tiles):
                down, across = divmod(number, tiles)
                name = f"{region}-{down}{across}"
                yield Box(name, region, left + across * tile, top + down * tile, tile)


def tiles(width: int, height: int, tile: int) -> Iterator[Box]:
    """Yield the tiles of a centred grid without gaps; all lie in one region."""
    for row, top in enumerate(_starts(height, tile, 0)):
        for column, left in enumerate(_starts(width, tile, 0)):
            yield Box(f"t{row:02d}{column:02d}", "", left, top, tile)


def _starts(length: int, side: int, gap: int) -> list[int]:
    number = (length + gap) // (side + gap)
    margin = (length - number * side - max(number - 1, 0) * gap) // 2
    return [margin + index * (side + gap) for index in range(number)]


def shown_share(pixels: Pixels) -> float:
    """Return which share of a picture's pixels are neither black nor white background."""
    darkest = pixels.min(axis=2) if pixels.ndim == 3 else pixels
    brightest = pixels.max(axis=2) if pixels.ndim == 3 else pixels
    return float(((brightest > BLACK) & (darkest < WHITE)).mean())


def count_labels(mask: NDArray[Any], box: Box) -> int:
    """Return how many labelled objects (0 is background) have at least half of their area inside the box."""
    total = np.bincount(mask.ravel())
    inside = np.bincount(box.cut(mask).ravel(), minlength=len(total))
    return int((2 * inside[1:] >= np.maximum(total[1:], 1)).sum())
