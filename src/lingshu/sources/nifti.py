"""NIfTI volumes into slices along the three anatomical planes, oriented as radiology shows them.

A volume is turned to the closest canonical axes (right, anterior, superior), as every viewer labels planes; an oblique
acquisition keeps its own axes. Left of an axial or coronal picture is the patient's right; sagittal ones look left.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from numpy.typing import NDArray
from PIL import Image

from lingshu.sources.frames import HIGH, Frame, LeftOut, Pixels, RawFile, Readings, Refused, stretch, with_note
from lingshu.sources.params import NormalizeParams

Volume = NDArray[np.float32]
AXES: dict[str, int] = {"axial": 2, "coronal": 1, "sagittal": 0}
BAD_FILE = (ImageFileError, EOFError, OSError, ValueError, zlib.error)
# A voxel shows tissue when it is above this share of the volume's bright end: background noise lies below it.
TISSUE_LEVEL = 0.1
CLEAR_LEAD = 1.1  # of one tissue's volume over the other's in a slice, to be called the dominant one


def read_nifti(file: RawFile, params: NormalizeParams) -> Readings:
    """Yield slices of a volume (of a series its first) that show tissue: as many of each plane, evenly spread.

    Were one plane of a volume shown more often, a model could tell the plane from the volume's look alone.

    Raises:
        Refused: UNDECODABLE, NOT_A_VOLUME, or NO_TISSUE (nothing above zero).
    """
    values, spacing = load_volume(file.path)
    positive = values[values > 0]
    if positive.size == 0:
        raise Refused("NO_TISSUE", "no voxel above zero")
    bright = float(np.percentile(positive, HIGH))
    maps = _tissue_maps(file, values.shape)
    pixel_mm = file.note.pixel_mm if file.note and file.note.pixel_mm else params.slice_pixel_mm
    planes = file.note.planes if file.note and file.note.planes else list(AXES)
    shown = {
        plane: _with_tissue(values, AXES[plane], TISSUE_LEVEL * bright, params.min_tissue_share) for plane in planes
    }
    number = min([params.slices_per_plane, *(len(indices) for indices in shown.values() if indices)])
    for plane, indices in shown.items():
        for index in spread(indices, number):
            facts = {"plane": plane, **_dominant_tissue(maps, AXES[plane], index)}
            pixels = stretch(_upright(_slice(values, AXES[plane], index)), 0.0, bright)
            yield Frame(
                pixels=_scaled(pixels, np.delete(spacing, AXES[plane]), pixel_mm),
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


def spread(indices: Sequence[int], number: int) -> list[int]:
    """Return up to `number` of the indices, evenly spread and not at the very ends."""
    if len(indices) <= number:
        return list(indices)
    return [indices[int((place + 0.5) * len(indices) / number)] for place in range(number)]


def _with_tissue(values: Volume, axis: int, level: float, least: float) -> list[int]:
    """Return the slices of which at least the share `least` is above `level`."""
    shares = (values > level).mean(axis=tuple(other for other in range(3) if other != axis))
    return [int(index) for index in np.flatnonzero(shares >= least)]


def _tissue_maps(file: RawFile, shape: tuple[int, ...]) -> dict[str, Volume]:
    """Return the tissue maps that the catalogue names for the volume.

    Raises:
        Refused: a map has another shape.
    """
    named = file.note.atlas if file.note else {}
    maps = {str(tissue): load_volume(file.companion(inner))[0] for tissue, inner in sorted(named.items())}
    for tissue, values in maps.items():
        if values.shape != shape:
            raise Refused("MASK_DIFFERS", f"the map of {tissue} has shape {values.shape}, the volume {shape}")
    return maps


def _dominant_tissue(maps: dict[str, Volume], axis: int, index: int) -> dict[str, str]:
    """Return the tissue with more volume in a slice, where it leads by a clear margin."""
    sums = sorted((float(_slice(values, axis, index).sum()), tissue) for tissue, values in maps.items())
    if len(sums) < 2 or sums[-1][0] < CLEAR_LEAD * sums[-2][0]:
        return {}
    return {"dominant_tissue": sums[-1][1]}


def load_volume(path: Path) -> tuple[Volume, NDArray[np.float64]]:
    """Return a volume, shape (right, anterior, superior), NaN as 0, and its voxel sizes in mm.

    Raises:
        Refused: UNDECODABLE or NOT_A_VOLUME.
    """
    try:
        image: Any = nib.load(path)
        if len(image.shape) < 3 or min(image.shape[:3]) < 2:
            raise Refused("NOT_A_VOLUME", f"shape {image.shape}")
        image = nib.as_closest_canonical(image)  # type: ignore[no-untyped-call]
        values = np.asanyarray(image.dataobj[..., 0] if len(image.shape) > 3 else image.dataobj).astype(np.float32)
    except BAD_FILE as error:
        raise Refused("UNDECODABLE", f"{type(error).__name__}: {error}"[:200]) from None
    return np.nan_to_num(values), np.asarray(image.header.get_zooms()[:3], dtype=np.float64)


def _slice(values: Volume, axis: int, index: int) -> Volume:
    """Return a slice without copying it (`take` copies, and is slow across a volume's memory order)."""
    section: Volume = np.moveaxis(values, axis, 0)[index]
    return section


def _upright(section: NDArray[Any]) -> NDArray[Any]:
    """Return a slice (first axis to the patient's right or front, second up or front) with its top row first."""
    return section[::-1, ::-1].T


def _scaled(pixels: Pixels, spacing: NDArray[np.float64], pixel_mm: float) -> Pixels:
    """Return the picture with square pixels of `pixel_mm`; `spacing` is that of columns, then rows, in mm."""
    width, height = (max(1, round(n * s / pixel_mm)) for n, s in zip(pixels.shape[::-1], spacing, strict=True))
    if (height, width) == pixels.shape:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))
