"""NRRD files into volumes."""

from __future__ import annotations

import bz2
import math
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import nibabel as nib
import nrrd
import numpy as np
from nibabel.orientations import OrientationError
from numpy.typing import NDArray

from lingshu.sources.frames import BROKEN, RawFile, Readings, Refused, check_size, undecodable
from lingshu.sources.params import NormalizeParams
from lingshu.sources.volumes import Volume, read_volume

COMPRESSED = ("gzip", "gz", "bzip2", "bz2")
MAX_VALUE_BYTES = 8  # of NRRD's widest type but `block`
CHUNK = 1 << 16
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
        Refused: UNDECODABLE, TOO_LARGE or DETACHED; NOT_A_VOLUME for other than three axes in space; NO_SPACE where the
            header does not tell how the axes lie in the patient.
    """
    try:
        with path.open("rb") as stream:
            header = nrrd.read_header(stream)
            _check_header(header)
            check_inflated(stream, header)
            values = nrrd.read_data(header, stream, str(path))
        directions = _directions(header)
        affine = np.vstack([np.column_stack([directions.T, np.zeros(3)]), [0, 0, 0, 1]])
        axes = nib.io_orientation(affine)  # type: ignore[no-untyped-call]
        turned = nib.apply_orientation(values.astype(np.float32), axes)  # type: ignore[no-untyped-call]
        order = np.argsort(axes[:, 0])
        return np.nan_to_num(turned), np.linalg.norm(directions, axis=1)[order]
    except (*BROKEN, nrrd.NRRDError, OrientationError, StopIteration) as error:
        raise undecodable(error, path) from None


def _check_header(header: dict[str, Any]) -> None:
    """Refuse by the header alone: nothing of a claimed size is read before."""
    shape = tuple(int(size) for size in header.get("sizes", ()))
    if len(shape) != 3 or min(shape) < 2:
        raise Refused("NOT_A_VOLUME", f"shape {shape}")
    check_size(math.prod(shape), f"shape {shape}")
    if "data file" in header or "datafile" in header:
        raise Refused("DETACHED", "its values lie in another file, which a header may not choose")
    if str(header.get("type", "")).lower() == "block":
        raise Refused("NOT_A_VOLUME", "values of type block")


def check_inflated(stream: BinaryIO, header: dict[str, Any]) -> None:
    """Refuse a compressed file that inflates to more than its header says; the stream is left where it was.

    Raises:
        Refused: TOO_LARGE.
    """
    encoding = str(header.get("encoding", "")).lower()
    if encoding not in COMPRESSED:
        return
    start = stream.tell()
    wanted = math.prod(int(size) for size in header["sizes"]) * MAX_VALUE_BYTES
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16) if encoding in ("gzip", "gz") else bz2.BZ2Decompressor()
    found = 0
    while found <= wanted and not inflate.eof and (chunk := stream.read(CHUNK)):
        found += len(inflate.decompress(chunk, wanted + 1 - found))
    stream.seek(start)
    if found > wanted:
        raise Refused("TOO_LARGE", f"inflates to more than the {wanted:,} bytes that its header can need")


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
