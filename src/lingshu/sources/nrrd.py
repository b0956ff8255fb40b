"""NRRD files into volumes."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import nrrd
import numpy as np
from numpy.typing import NDArray

from lingshu.sources.frames import RawFile, Readings, Refused
from lingshu.sources.params import NormalizeParams
from lingshu.sources.volumes import Volume, read_volume

BAD_FILE = (nrrd.NRRDError, EOFError, OSError, ValueError, TypeError, KeyError, zlib.error)
# Named spaces of three axes, and what turns their directions to (right, anterior, superior).
SPACES: dict[str, tuple[int, int, int]] = {
    "right-anterior-superior": (1, 1, 1),
    "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1),
    "las": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1),
    "lps": (-1, -1, 1),
}


def read_nrrd(file: RawFile, params: NormalizeParams) -> Readings:
    """Yield slices, see `volumes.read_volume`; raises what it and `load_nrrd` raise."""
    return read_volume(file, params, load_nrrd)


def load_nrrd(path: Path) -> tuple[Volume, NDArray[np.float64]]:
    """Return a volume, shape (right, anterior, superior), NaN as 0, and its voxel sizes in mm.

    Raises:
        Refused: UNDECODABLE; NOT_A_VOLUME for other than three axes in space; NO_SPACE where the header does not tell
            how the axes lie in the patient.
    """
    try:
        values, header = nrrd.read(str(path))
    except BAD_FILE as error:
        raise Refused("UNDECODABLE", f"{type(error).__name__}: {error}"[:200]) from None
    if values.ndim != 3 or min(values.shape) < 2:
        raise Refused("NOT_A_VOLUME", f"shape {values.shape}")
    directions = _directions(header)
    affine = np.vstack([np.column_stack([directions.T, np.zeros(3)]), [0, 0, 0, 1]])
    axes = nib.io_orientation(affine)  # type: ignore[no-untyped-call]
    turned = nib.apply_orientation(values.astype(np.float32), axes)  # type: ignore[no-untyped-call]
    order = np.argsort(axes[:, 0])
    return np.nan_to_num(turned), np.linalg.norm(directions, axis=1)[order]


def _directions(header: dict[str, Any]) -> NDArray[np.float64]:
    """Return for each stored axis the step of one voxel to the patient's right, front and head, in mm.

    Raises:
        Refused: NO_SPACE.
    """
    signs = SPACES.get(str(header.get("space", "")).lower())
    steps = header.get("space directions")
    if signs is None or steps is None:
        raise Refused("NO_SPACE", f"space {header.get('space')!r}, space directions {steps is not None}")
    directions: NDArray[np.float64] = np.asarray(steps, dtype=np.float64) * np.asarray(signs)
    return directions
