"""Volumes into slices along the three anatomical planes, oriented as radiology shows them.

A format's loader turns a volume to the closest canonical axes (right, anterior, superior), as every viewer labels
planes; an oblique acquisition keeps its own axes. Left of an axial or coronal picture is the patient's right; sagittal
ones look left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lingshu.core.shown import HIGH, Pixels, stretch
from lingshu.sources.frames import Frame, LeftOut, RawFile, Readings, Refused, check_size, with_note
from lingshu.sources.params import NormalizeParams

Volume = NDArray[np.float32]
Loader = Callable[[Path], tuple[Volume, NDArray[np.float64]]]
AXES: dict[str, int] = {"axial": 2, "coronal": 1, "sagittal": 0}
# A voxel shows tissue when it is above this share of the way from dark to bright: background noise lies below it.
TISSUE_LEVEL = 0.1
CLEAR_LEAD = 1.1  # of one tissue's volume over the other's in a slice, to be called the dominant one


def read_volume(file: RawFile, params: NormalizeParams, load: Loader) -> Readings:
    """Yield slices of a volume (of a series its first) that show tissue: as many of each plane, evenly spread.

    Were one plane of a volume shown more often, a model could tell the plane from the volume's look alone.

    Args:
        file: the volume.
        params: how many slices, at which scale.
        load: reads a file of its format, see `Loader`: shape (right, anterior, superior), and voxel sizes in mm.

    Raises:
        Refused: as `load`, NO_SPACING (voxel sizes that are none), TOO_LARGE (a slice), or NO_TISSUE (nothing
            above zero).
    """
    values, spacing = load(file.path)
    if not (np.isfinite(spacing).all() and (spacing > 0).all()):
        raise Refused("NO_SPACING", f"voxel sizes {spacing.tolist()} mm")
    dark, bright = _window(file, values)
    maps = _tissue_maps(file, values.shape, load)
    pixel_mm = file.note.pixel_mm if file.note and file.note.pixel_mm else params.slice_pixel_mm
    planes = file.note.planes if file.note and file.note.planes else list(AXES)
    level = dark + TISSUE_LEVEL * (bright - dark)
    shown = {plane: slices_with_tissue(values, AXES[plane], level, params.min_tissue_share) for plane in planes}
    number = min([params.slices_per_plane, *(len(indices) for indices in shown.values() if indices)])
    for plane, indices in shown.items():
        for index in spread(indices, number):
            facts = {"plane": plane, **_dominant_tissue(maps, AXES[plane], index)}
            pixels = stretch(upright(section_of(values, AXES[plane], index)), dark, bright)
            yield Frame(
                pixels=scaled(pixels, np.delete(spacing, AXES[plane]), pixel_mm),
                origin=f"{file.origin}#{plane}-{index:03d}",
                group=f"{file.source}/volume/{file.origin}",
                facts=with_note(facts, file.note),
            )
    every = sum(values.shape[AXES[plane]] for plane in planes)
    with_tissue = sum(map(len, shown.values()))
    if with_tissue < every:
        yield LeftOut("NO_TISSUE", every - with_tissue)
    if taken_less := with_tissue - sum(min(number, len(indices)) for indices in shown.values()):
        yield LeftOut("SLICE_STEP", taken_less)


def _window(file: RawFile, values: Volume) -> tuple[float, float]:
    """Return the values shown as black and white: the catalogue's, or zero and the bright end of what is above it.

    Raises:
        Refused: NO_TISSUE (nothing above zero).
    """
    if file.note and file.note.window:
        dark, bright = file.note.window
        return dark, bright
    positive = values[values > 0]
    if positive.size == 0:
        raise Refused("NO_TISSUE", "no voxel above zero")
    return 0.0, float(np.percentile(positive, HIGH))


def spread(indices: Sequence[int], number: int) -> list[int]:
    """Return up to `number` of the indices, evenly spread and not at the very ends."""
    if len(indices) <= number:
        return list(indices)
    return [indices[int((place + 0.5) * len(indices) / number)] for place in range(number)]


def slices_with_tissue(values: Volume, axis: int, level: float, least: float) -> list[int]:
    """Return the slices of which at least the share `least` is above `level`."""
    shares = (values > level).mean(axis=tuple(other for other in range(3) if other != axis))
    return [int(index) for index in np.flatnonzero(shares >= least)]


def _tissue_maps(file: RawFile, shape: tuple[int, ...], load: Loader) -> dict[str, Volume]:
    """Return the tissue maps that the catalogue names for the volume.

    Raises:
        Refused: a map has another shape.
    """
    named = file.note.atlas if file.note else {}
    maps = {str(tissue): load(file.companion(inner))[0] for tissue, inner in sorted(named.items())}
    for tissue, values in maps.items():
        if values.shape != shape:
            raise Refused("MASK_DIFFERS", f"the map of {tissue} has shape {values.shape}, the volume {shape}")
    return maps


def _dominant_tissue(maps: dict[str, Volume], axis: int, index: int) -> dict[str, str]:
    """Return the tissue with more volume in a slice, where it leads by a clear margin."""
    sums = sorted((float(section_of(values, axis, index).sum()), tissue) for tissue, values in maps.items())
    if len(sums) < 2 or sums[-1][0] < CLEAR_LEAD * sums[-2][0]:
        return {}
    return {"dominant_tissue": sums[-1][1]}


def section_of(values: Volume, axis: int, index: int) -> Volume:
    """Return a slice without copying it (`take` copies, and is slow across a volume's memory order)."""
    section: Volume = np.moveaxis(values, axis, 0)[index]
    return section


def upright(section: NDArray[Any]) -> NDArray[Any]:
    """Return a slice (first axis to the patient's right or front, second up or front) with its top row first."""
    return section[::-1, ::-1].T


def scaled(pixels: Pixels, spacing: NDArray[np.float64], pixel_mm: float) -> Pixels:
    """Return the picture with square pixels of `pixel_mm`; `spacing` is that of columns, then rows, in mm.

    Raises:
        Refused: TOO_LARGE (voxels of metres, as a broken header says).
    """
    width, height = (max(1, round(n * s / pixel_mm)) for n, s in zip(pixels.shape[::-1], spacing, strict=True))
    check_size(width * height, f"a slice of {width} x {height} px at {pixel_mm} mm")
    if (height, width) == pixels.shape:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))
