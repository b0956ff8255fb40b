"""Masks into the smallest boxes around their regions (paper, section 2.2.1, stage 2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lingshu.intake.errors import Reason, RowError
from lingshu.sources.annotations import Masks
from lingshu.sources.labels import Region

Mask = NDArray[Any]
_TOUCHING = np.ones((3, 3), dtype=bool)  # parts that meet at a corner are one


def mask_regions(mask: Mask, spec: Masks) -> list[Region]:
    """Return what each region of a mask shows and the box around it: left, top, right, bottom; the last two excluded.

    Args:
        mask: (height, width), (height, width, 3) of colours, or (height, width, maps).
        spec: how it is to be read.

    Raises:
        RowError: the mask has another shape than the record says.
    """
    found: list[Region] = []
    for label, area in _areas(mask, spec):
        for rows, columns in _parts(area, spec):
            height, width = rows.stop - rows.start, columns.stop - columns.start
            if max(height, width) >= spec.least_px:
                found.append((label, (columns.start, rows.start, columns.stop, rows.stop)))
    return found


def outline_region(text: str, spec: Masks, name: str) -> list[Region]:
    """Return the box around an outline: lines `x y`, or a JSON list of points.

    Raises:
        RowError: the text is not points.
    """
    try:
        values = json.loads(text) if spec.kind == "polygon" else [line.split() for line in text.splitlines() if line]
        points = np.asarray(values, dtype=np.float64).reshape(-1, 2)
    except (ValueError, TypeError) as error:
        raise RowError(Reason.UNREADABLE_PICTURE, f"{name} is no outline: {error}"[:200]) from None
    if len(points) < 3 or not np.isfinite(points).all():
        raise RowError(Reason.UNREADABLE_PICTURE, f"{name} is no outline: {len(points)} points")
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return [(spec.label, (float(left), float(top), float(right), float(bottom)))]


def _areas(mask: Mask, spec: Masks) -> Iterator[tuple[str, Mask]]:
    """Yield what is shown, and where: a truth value a pixel, or for `instances` the number of an object."""
    if spec.kind == "colours":
        if mask.ndim != 3 or mask.shape[2] < 3:
            raise RowError(Reason.UNREADABLE_PICTURE, f"a mask of shape {mask.shape} has no colours")
        for colour, label in spec.names.items():
            wanted = [int(part) for part in colour.split(",")]
            yield label, (mask[..., :3] == wanted).all(axis=-1)
        return
    if mask.ndim == 3 and spec.field:
        for number, label in spec.names.items():
            area = mask[..., int(number)]
            yield label, area.astype(np.int64) if spec.kind == "instances" else area > 0
        return
    flat = mask.max(axis=2) if mask.ndim == 3 else mask
    if spec.kind == "instances":
        yield spec.label, flat.astype(np.int64)
    elif spec.names:
        for value, label in spec.names.items():
            yield label, flat == float(value)
    else:
        yield spec.label, flat > 0


def _parts(area: Mask, spec: Masks) -> list[tuple[slice, slice]]:
    if spec.kind == "instances":
        _, dense = np.unique(area, return_inverse=True)
        numbered = dense.reshape(area.shape) if (area == 0).any() else dense.reshape(area.shape) + 1
        return [part for part in ndimage.find_objects(numbered) if part is not None]
    if spec.whole:
        return [part for part in ndimage.find_objects(area.astype(np.int8)) if part is not None]
    labelled, _ = ndimage.label(area, structure=_TOUCHING)
    return [part for part in ndimage.find_objects(labelled) if part is not None]
