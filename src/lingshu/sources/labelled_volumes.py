"""Volumes with masks into slices with boxes, as in the paper (section 2.2.1, stage 2: cut along z with their masks)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingshu.core.shown import HIGH, Pixels, stretch
from lingshu.intake.errors import Reason, RowError
from lingshu.sources.annotations import Annotations, Masks
from lingshu.sources.frames import Refused
from lingshu.sources.labels import Region
from lingshu.sources.nifti import load_nifti
from lingshu.sources.nrrd import load_nrrd
from lingshu.sources.regions import mask_regions
from lingshu.sources.volumes import AXES, TISSUE_LEVEL, Volume, scaled, section_of, slices_with_tissue, spread, upright

VOLUMES = (".nii", ".nii.gz", ".nrrd")


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice: plane and number, pixels (square ones), and the regions in them."""

    plane: str
    index: int
    pixels: Pixels
    regions: list[Region]


@dataclass(frozen=True, slots=True)
class VolumeFile:
    """A file of a volume: its name as the user knows it, and where it lies, be it a copy out of an archive."""

    name: str
    path: Path


def volume_slices(
    file: VolumeFile,
    masks: Sequence[tuple[Masks, VolumeFile]],
    annotations: Annotations,
    window: tuple[float, float] | None,
) -> Iterator[Slice]:
    """Yield slices of a volume: of each plane at most `slices`, evenly spread over those a mask marks, or show tissue.

    Raises:
        RowError: volume or mask can't be read, they have different shapes, or no slice may be taken.
    """
    values, spacing = _load(file)
    values = values + np.float32(annotations.offset)
    marked = [(spec, _load(mask)[0]) for spec, mask in masks]
    for (_, mask), (_, found) in zip(marked, masks, strict=True):
        if mask.shape != values.shape:
            shapes = f"has shape {mask.shape}, the volume {values.shape}"
            raise RowError(Reason.UNREADABLE_PICTURE, f"mask {found.name} {shapes}")
    dark, bright = window or _bright_end(values, file.name)
    level = dark + TISSUE_LEVEL * (bright - dark)
    taken = 0
    for plane in annotations.planes:
        axis = AXES[plane]
        shown = _touched(marked, axis) if marked else slices_with_tissue(values, axis, level, annotations.least_tissue)
        for index in spread(shown, annotations.slices):
            pixels = stretch(upright(section_of(values, axis, index)), dark, bright)
            regions = [r for spec, m in marked for r in mask_regions(upright(section_of(m, axis, index)), spec)]
            wide = scaled(pixels, np.delete(spacing, axis), float(np.delete(spacing, axis).min()))
            yield Slice(plane, index, wide, _resized(regions, pixels.shape, wide.shape))
            taken += 1
    if not taken:
        raise RowError(Reason.UNREADABLE_PICTURE, f"{file.name}: no slice is marked or shows tissue")


def _load(file: VolumeFile) -> tuple[Volume, NDArray[np.float64]]:
    try:
        return load_nrrd(file.path) if file.name.lower().endswith(".nrrd") else load_nifti(file.path)
    except Refused as refused:
        raise RowError(Reason.UNREADABLE_PICTURE, f"{file.name}: {refused.reason}: {refused.detail}") from None


def _bright_end(values: Volume, name: str) -> tuple[float, float]:
    positive = values[values > 0]
    if positive.size == 0:
        raise RowError(Reason.UNREADABLE_PICTURE, f"{name}: no voxel above zero")
    return 0.0, float(np.percentile(positive, HIGH))


def _touched(marked: Sequence[tuple[Masks, Volume]], axis: int) -> list[int]:
    """Return the slices that a mask marks."""
    across = tuple(other for other in range(3) if other != axis)
    touched: NDArray[Any] = np.logical_or.reduce([(mask > 0).any(axis=across) for _, mask in marked])
    return [int(index) for index in np.flatnonzero(touched)]


def _resized(regions: list[Region], before: tuple[int, ...], after: tuple[int, ...]) -> list[Region]:
    high, wide = after[0] / before[0], after[1] / before[1]
    return [(label, (box[0] * wide, box[1] * high, box[2] * wide, box[3] * high)) for label, box in regions]
