"""NIfTI files into volumes."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from numpy.typing import NDArray

from lingshu.sources.frames import RawFile, Readings, Refused
from lingshu.sources.params import NormalizeParams
from lingshu.sources.volumes import Volume, read_volume

BAD_FILE = (ImageFileError, EOFError, OSError, ValueError, zlib.error)


def read_nifti(file: RawFile, params: NormalizeParams) -> Readings:
    """Yield slices, see `volumes.read_volume`; raises what it and `load_nifti` raise."""
    return read_volume(file, params, load_nifti)


def load_nifti(path: Path) -> tuple[Volume, NDArray[np.float64]]:
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
