"""NIfTI files into volumes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.orientations import OrientationError
from nibabel.spatialimages import HeaderDataError, HeaderTypeError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from lingshu.sources.frames import BROKEN, RawFile, Readings, Refused, check_size, undecodable
from lingshu.sources.params import NormalizeParams
from lingshu.sources.volumes import Volume, read_volume


def read_nifti(file: RawFile, params: NormalizeParams) -> Readings:
    """Yield slices, see `volumes.read_volume`; raises what it and `load_nifti` raise."""
    return read_volume(file, params, load_nifti)


def load_nifti(path: Path) -> tuple[Volume, NDArray[np.float64]]:
    """Return a volume, shape (right, anterior, superior), NaN as 0, and its voxel sizes in mm.

    Raises:
        Refused: UNDECODABLE, NOT_A_VOLUME or TOO_LARGE.
    """
    try:
        image: Any = nib.load(path)
        if len(image.shape) < 3 or min(image.shape[:3]) < 2:
            raise Refused("NOT_A_VOLUME", f"shape {image.shape}")
        check_size(math.prod(image.shape[:3]), f"shape {image.shape}")
        if len(image.shape) > 3:  # before it is turned: turning a series would read all of it
            image = image.slicer[(slice(None),) * 3 + (0,) * (len(image.shape) - 3)]
        image = nib.as_closest_canonical(image)  # type: ignore[no-untyped-call]
        values = _real(np.asanyarray(image.dataobj))
        spacing = np.asarray(image.header.get_zooms()[:3], dtype=np.float64)
    except (*BROKEN, ImageFileError, HeaderDataError, HeaderTypeError, OrientationError, WrapStructError) as error:
        raise undecodable(error, path) from None
    return np.nan_to_num(values), spacing


def _real(values: NDArray[Any]) -> Volume:
    """Return grey values as float32.

    Raises:
        Refused: NOT_A_VOLUME for colours and complex numbers.
    """
    if values.dtype.kind not in "biuf":
        raise Refused("NOT_A_VOLUME", f"values of type {values.dtype}")
    with np.errstate(over="ignore"):
        return values.astype(np.float32)
