"""Small files and records for the tests of sources: archives, wheels that pip takes, DICOM files, knobs."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmwrite
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, generate_uid

from lingshu.core.ids import sha256_file
from lingshu.sources.catalog import Package
from lingshu.sources.frames import Frame, LeftOut, RawFile
from lingshu.sources.notes import Note
from lingshu.sources.params import NormalizeParams

PARAMS = NormalizeParams(
    seed=3, held_out_share=0.3, max_side_px=64, clip_frame_step=2, slices_per_plane=100, slice_pixel_mm=1.0, tile_px=32,
    field_tile_px=32, slide_region_tiles=2, field_region_tiles=2, region_gap_px=8, min_tissue_share=0.1,
)  # fmt: skip
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"


def zip_bytes(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in files.items():
            opened.writestr(name, data)
    return buffer.getvalue()


def tar_bytes(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as opened:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def wheel(
    folder: Path, name: str, version: str, files: dict[str, bytes], *, tag: str = "py3-none-any", python: str = ">=3.8"
) -> Path:
    """Write a wheel that pip accepts, on the `python` it asks for, and return its path."""
    info = f"{name}-{version}.dist-info"
    pure = str(tag.endswith("any")).lower()
    described = {
        f"{info}/METADATA": (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: {python}\n".encode()
        ),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: {pure}\nTag: {tag}\n".encode(),
        f"{info}/RECORD": b"",
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-{tag}.whl"
    path.write_bytes(zip_bytes({**files, **described}))
    return path


def package(file: Path, name: str, version: str, paths: list[str], reader: str = "raster", **more: Any) -> Package:
    return Package(
        name=name,
        version=version,
        file=file.name,
        sha256=more.pop("sha256", None) or sha256_file(file),
        bytes=file.stat().st_size,
        licence="CC0-1.0",
        visible="made by the test",
        take=[{"paths": paths, "reader": reader}],
        **more,
    )


def raw_file(path: Path, **note: Any) -> RawFile:
    """Return `path` as a pulled file of a package; `note` is what the catalogue says about it."""
    record = Package(
        name="pack", version="1", file="pack-1.zip", sha256="0" * 64, bytes=1, licence="CC0-1.0",
        visible="made by the test", take=[{"paths": ["*"], "reader": "raster"}],
    )  # fmt: skip
    noted = Note(paths=[path.name], seen="made by the test", **note) if note else None
    return RawFile("src", record, path.parent, path.name, noted)


def frames(readings: Any) -> list[Frame]:
    return [item for item in readings if isinstance(item, Frame)]


def left_out(readings: Any) -> dict[str, int]:
    return {item.reason: item.number for item in readings if isinstance(item, LeftOut)}


def dicom(pixels: NDArray[Any], big_endian: bool = False, **tags: Any) -> FileDataset:
    """Return a dataset of grey (rows, columns), RGB (rows, columns, 3) or multi-frame pixels; `tags` override."""
    colour = pixels.ndim == 3 and pixels.shape[-1] == 3
    several = pixels.ndim == 3 and not colour
    bits = pixels.dtype.itemsize * 8
    syntax = ExplicitVRBigEndian if big_endian else ExplicitVRLittleEndian
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = syntax, CT_IMAGE
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["test"])
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID = CT_IMAGE, meta.MediaStorageSOPInstanceUID
    made.Modality, made.PatientID = "CT", "P1"
    made.Rows, made.Columns = pixels.shape[1:] if several else pixels.shape[:2]
    made.SamplesPerPixel = 3 if colour else 1
    made.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = bits
    made.HighBit = bits - 1
    made.PixelRepresentation = int(pixels.dtype.kind == "i")
    if colour:
        made.PlanarConfiguration = 0
    if several:
        made.NumberOfFrames = len(pixels)
    stored = pixels.astype(pixels.dtype.newbyteorder(">" if big_endian else "<")).tobytes()
    made.PixelData = stored + b"\0" * (len(stored) % 2)
    made["PixelData"].VR = "OB" if bits == 8 else "OW"
    for keyword, value in tags.items():
        setattr(made, keyword, value)
    return made


def save(made: FileDataset, path: Path) -> Path:
    dcmwrite(path, made, enforce_file_format=True)
    return path


def noise(*shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
