"""Broken, hostile and unusual picture files: each ends in pictures or in a reason; nothing large is allocated."""

import gzip
import io
import struct
import zlib
from pathlib import Path

import nibabel as nib
import nrrd
import numpy as np
import pytest
from fuzz_readers import PARAMS, read_file
from fuzz_seeds import Seed, make_seeds, mutate
from PIL import Image
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian

from lingshu.sources import dicom, frames
from lingshu.sources.catalog import Package, Take
from lingshu.sources.frames import LeftOut, RawFile, Refused
from lingshu.sources.normalize import PICTURE_READERS

PACKAGE = Package(
    name="p", version="1", file="p-1.zip", sha256="0" * 64, bytes=1, licence="MIT", visible="files",
    take=[Take(paths=["*"], reader="raster")],
)  # fmt: skip
SEEDS = {seed.name: seed for seed in make_seeds(None) if seed.reader != "parquet"}


def read(folder: Path, name: str, data: bytes, reader: str = "raster") -> list[np.ndarray]:
    (folder / name).write_bytes(data)
    found = list(PICTURE_READERS[reader](RawFile("s", PACKAGE, folder, name), PARAMS))
    return [item.pixels for item in found if not isinstance(item, LeftOut)]


def refusal(folder: Path, name: str, data: bytes, reader: str = "raster") -> Refused:
    with pytest.raises(Refused) as caught:
        read(folder, name, data, reader)
    assert len(caught.value.detail) <= 220
    return caught.value


@pytest.mark.parametrize("seed", [s for s in SEEDS.values() if s.name != "holes.nii"], ids=lambda seed: seed.name)
def test_every_drawn_format_is_read(tmp_path: Path, seed: Seed) -> None:
    pictures = read(tmp_path, seed.name, seed.data, seed.reader)
    assert pictures
    assert all(pixels.dtype == np.uint8 for pixels in pictures)
    assert any(np.ptp(pixels) > 0 for pixels in pictures)


def test_cmyk_becomes_rgb_and_deep_grey_is_stretched(tmp_path: Path) -> None:
    (ink,) = read(tmp_path, "ink.jpg", SEEDS["ink.jpg"].data)
    assert ink.shape == (24, 24, 3)
    (deep,) = read(tmp_path, "deep.png", SEEDS["deep.png"].data)
    assert (deep.min(), deep.max()) == (0, 255)


def test_of_an_animation_every_fourth_page_is_taken(tmp_path: Path) -> None:
    assert len(read(tmp_path, "moving.gif", SEEDS["moving.gif"].data)) == 2


@pytest.mark.parametrize(
    "name", ["colour.png", "colour.jpg", "pages.tif", "moving.gif", "ct1.dcm", "whole.nii.gz", "gzip.nrrd"]
)
def test_cut_files_are_refused(tmp_path: Path, name: str) -> None:
    seed = SEEDS[name]
    found = refusal(tmp_path, name, seed.data[: len(seed.data) // 2], seed.reader)
    assert found.reason in {"UNDECODABLE", "NOT_DICOM", "NO_PIXELS"}


@pytest.mark.parametrize(
    ("name", "reader", "reason"),
    [
        ("plain.jp2", "dicom", "NOT_DICOM"),
        ("ct1.dcm", "raster", "UNDECODABLE"),
        ("grey.png", "nifti", "UNDECODABLE"),
        ("whole.nii", "nrrd", "UNDECODABLE"),
        ("raw.nrrd", "raster", "UNDECODABLE"),
        ("grey.jpg", "slide", "UNDECODABLE"),
    ],
)
def test_files_of_another_format(tmp_path: Path, name: str, reader: str, reason: str) -> None:
    assert refusal(tmp_path, f"a.{reader}", SEEDS[name].data, reader).reason == reason


def test_a_jpeg_called_png_is_read_for_what_it_is(tmp_path: Path) -> None:
    assert read(tmp_path, "a.png", SEEDS["colour.jpg"].data)[0].shape == (24, 24, 3)


def test_postscript_is_never_run(tmp_path: Path) -> None:
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n"
    assert refusal(tmp_path, "a.png", eps).reason == "UNDECODABLE"


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that claims side x side pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def test_a_decompression_bomb_is_too_large(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a.png", bomb(60_000)).reason == "TOO_LARGE"


def test_many_pages_together_are_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_VALUES", 24 * 24 * 3)
    found = refusal(tmp_path, "pages.tif", SEEDS["pages.tif"].data)
    assert (found.reason, "4 pages" in found.detail) == ("TOO_LARGE", True)


def test_deep_pages_of_two_sizes_are_refused(tmp_path: Path) -> None:
    pages = [Image.fromarray(np.full((side, 24), 900 * side, dtype=np.uint16)) for side in (24, 20)]
    buffer = io.BytesIO()
    pages[0].save(buffer, format="TIFF", save_all=True, append_images=pages[1:])
    assert refusal(tmp_path, "a.tif", buffer.getvalue()).reason == "PAGES_DIFFER"


def changed_dicom(name: str, **tags: object) -> bytes:
    dataset = dcmread(io.BytesIO(SEEDS[name].data))
    for keyword, value in tags.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"PixelData": None}, "NO_PIXELS"),
        ({"Modality": "SEG"}, "NOT_A_PICTURE"),
        ({"NumberOfFrames": 2_000_000_000}, "TOO_LARGE"),
        ({"Rows": 65_535, "Columns": 65_535}, "TOO_LARGE"),
        ({"Rows": None}, "UNDECODABLE"),
        ({"BitsAllocated": 12}, "UNDECODABLE"),
    ],
)
def test_dicom(tmp_path: Path, tags: dict, reason: str) -> None:
    assert refusal(tmp_path, "a.dcm", changed_dicom("ct1.dcm", **tags), "dicom").reason == reason


def test_a_deflated_dicom_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert dcmread(io.BytesIO(SEEDS["ct3.dcm"].data)).file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian
    monkeypatch.setattr(dicom, "MAX_DATASET_BYTES", 500)
    assert refusal(tmp_path, "a.dcm", SEEDS["ct3.dcm"].data, "dicom").reason == "TOO_LARGE"


def nifti(values: np.ndarray, **header: object) -> bytes:
    image = nib.Nifti1Image(values, np.eye(4))
    data = bytearray(image.to_bytes())
    for name, value in header.items():
        offset, form = {"dim": (40, "<8h"), "pixdim": (76, "<8f")}[name]
        struct.pack_into(form, data, offset, *value)
    return bytes(data)


def test_nan_voxels_count_as_zero(tmp_path: Path) -> None:
    values = np.full((24, 24, 8), 50.0, dtype=np.float32)
    values[4:20, 4:20] = 100.0
    values[8:10, 8:10] = np.nan
    pictures = read(tmp_path, "a.nii", nifti(values), "nifti")
    assert all((pixels.min(), pixels.max()) == (0, 255) for pixels in pictures[:1])


def test_a_volume_of_nothing_but_nan(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a.nii", nifti(np.full((8, 8, 8), np.nan, np.float32)), "nifti").reason == "NO_TISSUE"


BLOCK = (np.arange(8**3).reshape(8, 8, 8) % 200 + 10).astype(np.int16)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"dim": (3, 30_000, 30_000, 30_000, 1, 1, 1, 1)}, "TOO_LARGE"),
        ({"dim": (3, 8, 8, 90, 1, 1, 1, 1)}, "UNDECODABLE"),
        ({"dim": (2, 8, 8, 1, 1, 1, 1, 1)}, "NOT_A_VOLUME"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_nifti_headers_that_claim_too_much(tmp_path: Path, header: dict, reason: str, packed: bool) -> None:
    data = nifti(BLOCK, **header)
    name = "a.nii.gz" if packed else "a.nii"
    assert refusal(tmp_path, name, gzip.compress(data) if packed else data, "nifti").reason == reason


def test_a_series_gives_its_first_volume_and_is_not_read_whole(tmp_path: Path) -> None:
    series = np.stack([BLOCK, BLOCK * 0], axis=-1)
    alone = read(tmp_path, "a.nii", nifti(BLOCK), "nifti")
    for values in (series, series[..., None]):
        shown = read(tmp_path, "b.nii", nifti(values), "nifti")
        assert [pixels.tolist() for pixels in shown] == [pixels.tolist() for pixels in alone]


def test_colour_volumes_are_no_volumes(tmp_path: Path) -> None:
    colour = np.zeros((8, 8, 8), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    assert refusal(tmp_path, "a.nii", nifti(colour), "nifti").reason == "NOT_A_VOLUME"


def nrrd_bytes(folder: Path, values: np.ndarray = BLOCK, encoding: str = "raw", spacing: float = 1.0) -> bytes:
    header = {"encoding": encoding, "space": "left-posterior-superior", "space directions": np.eye(3) * spacing}
    nrrd.write(str(folder / "made.nrrd"), values, header)
    return (folder / "made.nrrd").read_bytes()


@pytest.mark.parametrize(
    ("spacing", "reason"), [(1e9, "TOO_LARGE"), (float("nan"), "UNDECODABLE"), (0.0, "UNDECODABLE")]
)
def test_voxel_sizes_that_are_none(tmp_path: Path, spacing: float, reason: str) -> None:
    found = refusal(tmp_path, "a.nrrd", nrrd_bytes(tmp_path, spacing=spacing), "nrrd")
    assert found.reason in {reason, "NO_SPACING"}


def test_a_header_may_not_name_another_file(tmp_path: Path) -> None:
    (tmp_path / "secret.raw").write_bytes(BLOCK.tobytes())
    data = nrrd_bytes(tmp_path).split(b"\n\n")[0] + b"\ndata file: secret.raw\n\n"
    assert refusal(tmp_path, "a.nrrd", data, "nrrd").reason == "DETACHED"


@pytest.mark.parametrize("encoding", ["gzip", "bzip2"])
def test_an_nrrd_bomb(tmp_path: Path, encoding: str) -> None:
    big = nrrd_bytes(tmp_path, np.zeros((64, 64, 64), dtype=np.int16), encoding)
    assert refusal(tmp_path, "a.nrrd", big.replace(b"sizes: 64 64 64", b"sizes: 8 8 8"), "nrrd").reason == "TOO_LARGE"
    claims = nrrd_bytes(tmp_path).replace(b"sizes: 8 8 8", b"sizes: 80000 80000 80000")
    assert refusal(tmp_path, "a.nrrd", claims, "nrrd").reason == "TOO_LARGE"


def test_defects_that_fuzzing_found(tmp_path: Path) -> None:
    """An empty NRRD file raised StopIteration, a NIfTI affine of zeros an error of nibabel's own."""
    assert refusal(tmp_path, "a.nrrd", b"", "nrrd").reason == "UNDECODABLE"
    flat = bytearray(nifti(BLOCK))
    struct.pack_into("<h", flat, 254, 1)  # sform_code: the affine is the three rows that follow
    struct.pack_into("<12f", flat, 280, *([0.0] * 12))
    assert refusal(tmp_path, "a.nii", bytes(flat), "nifti").reason in {"UNDECODABLE", "NO_SPACING"}


def test_broken_files_end_in_pictures_or_a_reason(tmp_path: Path) -> None:
    """A short run of `perf/fuzz_readers.py`, which takes 100,000."""
    reasons = set()
    for case in range(300):
        name, reader, data = mutate(tuple(SEEDS.values()), 7, case)
        try:
            reasons.add("pictures" if read(tmp_path, name, data, reader) else "none")
        except Refused as refused:
            reasons.add(refused.reason)
    assert {"pictures", "UNDECODABLE", "NOT_DICOM"} <= reasons


def test_broken_parquet_files_end_in_rows_or_a_reason(tmp_path: Path) -> None:
    """As `normalize` and `lingshu overlap` read them."""
    seeds = tuple(seed for seed in make_seeds(None) if seed.reader == "parquet")
    for seed in seeds:
        (tmp_path / seed.name).write_bytes(seed.data)
        assert "refused" not in read_file(tmp_path, seed.name, "parquet").split(", "), seed.name
        (tmp_path / seed.name).unlink()
    ends = set()
    for case in range(150):
        name, reader, data = mutate(seeds, 7, case)
        (tmp_path / name).write_bytes(data)
        ends.update(read_file(tmp_path, name, reader).split(", "))
        (tmp_path / name).unlink()
    assert {"rows", "records", "refused"} <= ends
