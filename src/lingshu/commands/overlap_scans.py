"""DICOM files and volumes as pictures for `lingshu overlap`, by the pipeline's own readers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lingshu.core.errors import UserError
from lingshu.sources.catalog import Package
from lingshu.sources.dicom import read_dicom
from lingshu.sources.frames import Frame, LeftOut, RawFile, Refused, png
from lingshu.sources.nifti import load_nifti
from lingshu.sources.notes import Note
from lingshu.sources.nrrd import load_nrrd
from lingshu.sources.params import NormalizeParams
from lingshu.sources.volumes import Loader, read_volume

PIXEL_MM = 1.0  # of a slice's side: pictures are compared at 64 x 64 and at 384 pixels, so more shows nothing new
LEAST_TISSUE = 0.02  # of a slice
VOLUMES: dict[str, Loader] = {".nii": load_nifti, ".nii.gz": load_nifti, ".nrrd": load_nrrd}
AIR = -500.0  # a volume with voxels below it is a CT in Hounsfield units
CT_WINDOWS = {"": (-160.0, 240.0), "-lung": (-1000.0, 400.0)}  # HU: soft tissue, and lung with all else


def scan_pictures(path: Path, slices: int) -> Iterator[tuple[str, bytes]]:
    """Yield (label, PNG) of the frames of a DICOM file ("" where it has one) or the slices of a volume.

    Of a CT each slice is shown twice, as papers and data sets do: through a soft-tissue and a lung window.

    Args:
        path: the file.
        slices: at most so many of each plane of a volume, evenly spread over those that show tissue.

    Raises:
        UserError: it gives no picture; or, behind the pictures, how many slices of it were left out.
    """
    left = 0
    try:
        for ending, found in _readings(path, slices):
            if not isinstance(found, LeftOut):
                label = found.origin.partition("#")[2]
                yield label + ending, png(found.pixels)
            elif found.reason == "SLICE_STEP":
                left += found.number
    except Refused as refused:
        raise UserError(f"no picture is taken from it: {refused}", "give the pictures themselves") from None
    if left:
        raise UserError(f"{left} more slices of it show tissue and are not compared", "give --slices a larger number")


def _readings(path: Path, slices: int) -> Iterator[tuple[str, Frame | LeftOut]]:
    load = next((own for ending, own in VOLUMES.items() if path.name.lower().endswith(ending)), None)
    package = Package.model_construct(name=path.name)  # of no registry
    if load is None:
        file = RawFile("overlap", package, path.parent, path.name)
        yield from (("", one) for one in read_dicom(file, _params(slices)))
        return
    volume = load(path)
    windows = CT_WINDOWS if float(volume[0].min()) < AIR else {"": ()}
    for ending, window in windows.items():
        note = Note(paths=[path.name], seen="a volume", window=list(window))
        file = RawFile("overlap", package, path.parent, path.name, note)
        yield from ((ending, one) for one in read_volume(file, _params(slices), lambda _: volume))


def _params(slices: int) -> NormalizeParams:
    return NormalizeParams(
        seed=0, held_out_share=0.5, max_side_px=4096, clip_frame_step=1, slices_per_plane=slices,
        slice_pixel_mm=PIXEL_MM, tile_px=4096, field_tile_px=4096, slide_region_tiles=1, field_region_tiles=1,
        region_gap_px=0, min_tissue_share=LEAST_TISSUE,
    )  # fmt: skip
