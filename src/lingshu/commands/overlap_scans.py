"""DICOM files and volumes as pictures for `lingshu overlap`, by the pipeline's own readers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lingshu.core.errors import UserError
from lingshu.sources.catalog import Package
from lingshu.sources.dicom import read_dicom
from lingshu.sources.frames import LeftOut, RawFile, Refused, png
from lingshu.sources.nifti import read_nifti
from lingshu.sources.nrrd import read_nrrd
from lingshu.sources.params import NormalizeParams

PIXEL_MM = 1.0  # of a slice's side: pictures are compared at 64 x 64 and at 384 pixels, so more shows nothing new
LEAST_TISSUE = 0.02  # of a slice
VOLUMES = {".nii": read_nifti, ".nii.gz": read_nifti, ".nrrd": read_nrrd}


def scan_pictures(path: Path, slices: int) -> Iterator[tuple[str, bytes]]:
    """Yield (label, PNG) of the frames of a DICOM file ("" where it has one) or the slices of a volume.

    Args:
        path: the file.
        slices: at most so many of each plane of a volume, evenly spread over those that show tissue.

    Raises:
        UserError: it gives no picture; or, behind the pictures, how many slices of it were left out.
    """
    read = next((reader for ending, reader in VOLUMES.items() if path.name.lower().endswith(ending)), read_dicom)
    package = Package.model_construct(name=path.name)  # of no registry
    try:
        for found in read(RawFile("overlap", package, path.parent, path.name), _params(slices)):
            if not isinstance(found, LeftOut):
                yield found.origin.partition("#")[2], png(found.pixels)
            elif found.reason == "SLICE_STEP":
                raise UserError(
                    f"{found.number} more slices show tissue, not compared", "give --slices a larger number"
                )
    except Refused as refused:
        raise UserError(f"no picture is taken from it: {refused}", "give the pictures themselves") from None


def _params(slices: int) -> NormalizeParams:
    return NormalizeParams(
        seed=0, held_out_share=0.5, max_side_px=4096, clip_frame_step=1, slices_per_plane=slices,
        slice_pixel_mm=PIXEL_MM, tile_px=4096, field_tile_px=4096, slide_region_tiles=1, field_region_tiles=1,
        region_gap_px=0, min_tissue_share=LEAST_TISSUE,
    )  # fmt: skip
