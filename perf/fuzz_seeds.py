"""Valid small files of every format, and ways to break them; everything follows from a seed and a case number."""

from __future__ import annotations

import gzip
import io
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nibabel as nib
import nrrd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from lingshu.core.sample import Answer, Sample, Synthetic, to_table, turn

MAX_SEED_BYTES = 60_000
SIDE = 24
READERS = {".dcm": "dicom", ".nii": "nifti", ".gz": "nifti", ".nrrd": "nrrd", ".svs": "slide", ".parquet": "parquet"}
EDGES: tuple[bytes, ...] = (
    b"\0",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xff\xff",
    b"\x7f\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\0\0\0\0",
)
EDGES += (b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0\0\x80\x7f", b"\0\0\xc0\x7f", b"1e999", b"-1", b"99999999999", b"nan")


@dataclass(frozen=True, slots=True)
class Seed:
    """A valid file: its name, the reader that takes it, and its bytes."""

    name: str
    reader: str
    data: bytes


@cache
def make_seeds(folder: Path | None) -> tuple[Seed, ...]:
    """Return the drawn files, then the small real ones of `folder`, in a fixed order."""
    drawn = [*_rasters(), *_dicoms(), *_volumes(), *_tables()]
    real = sorted(p for p in folder.rglob("*") if p.is_file() and p.stat().st_size <= MAX_SEED_BYTES) if folder else []
    found = [Seed(f"real{p.suffix or '.dcm'}", _reader(p.suffix or ".dcm"), p.read_bytes()) for p in real]
    return (*drawn, *(seed for seed in found if seed.reader))


def _reader(suffix: str) -> str:
    return READERS.get(suffix, "raster" if suffix in {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".gif"} else "")


def mutate(seeds: tuple[Seed, ...], seed: int, case: int) -> tuple[str, str, bytes]:
    """Return name, reader and bytes of a case: a file broken in one to eight places, or under another name."""
    draw = random.Random(f"{seed}:{case}")
    chosen = draw.choice(seeds)
    data = bytearray(chosen.data)
    packed = chosen.data[:2] == b"\x1f\x8b" and draw.random() < 0.7
    if packed:
        data = bytearray(gzip.decompress(chosen.data))
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        draw.choice(WAYS)(data, draw, seeds)
    made = gzip.compress(bytes(data), 1, mtime=0) if packed else bytes(data)
    if draw.random() < 0.05:  # mislabelled: another format's name and reader
        other = draw.choice(seeds)
        return other.name, other.reader, made
    return chosen.name, chosen.reader, made


Way = Callable[[bytearray, random.Random, tuple[Seed, ...]], None]


def _place(data: bytearray, draw: random.Random) -> int:
    """Return a place: half of them in the first 512 bytes, where headers are, or the last 2048 of a Parquet file."""
    if not data:
        return 0
    if draw.random() < 0.5:
        return draw.randrange(len(data))
    if data.endswith(b"PAR1"):
        return draw.randrange(max(len(data) - 2048, 0), len(data))
    return draw.randrange(min(len(data), 512))


def _flip(data: bytearray, draw: random.Random, _: tuple[Seed, ...]) -> None:
    if data:
        data[_place(data, draw)] ^= 1 << draw.randrange(8)


def _set(data: bytearray, draw: random.Random, _: tuple[Seed, ...]) -> None:
    value = draw.choice(EDGES)
    place = _place(data, draw)
    data[place : place + len(value)] = value


def _cut(data: bytearray, draw: random.Random, _: tuple[Seed, ...]) -> None:
    del data[_place(data, draw) :]


def _drop(data: bytearray, draw: random.Random, _: tuple[Seed, ...]) -> None:
    place = _place(data, draw)
    del data[place : place + draw.choice((1, 2, 4, 16, 256))]


def _insert(data: bytearray, draw: random.Random, _: tuple[Seed, ...]) -> None:
    place = _place(data, draw)
    data[place:place] = draw.randbytes(draw.choice((1, 2, 4, 16, 256)))


def _repeat(data: bytearray, draw: random.Random, _: tuple[Seed, ...]) -> None:
    place = _place(data, draw)
    piece = data[place : place + draw.choice((4, 16, 256, 4096))]
    data[place:place] = piece * draw.choice((1, 2, 16))


def _splice(data: bytearray, draw: random.Random, seeds: tuple[Seed, ...]) -> None:
    other = draw.choice(seeds).data
    start = draw.randrange(len(other))
    place = _place(data, draw)
    data[place : place + 64] = other[start : start + draw.choice((8, 64, 1024))]


def _digits(data: bytearray, draw: random.Random, _: tuple[Seed, ...]) -> None:
    """Change a decimal digit, of which text headers (NRRD, DICOM numbers) consist."""
    places = [place for place, byte in enumerate(data[:2048]) if 48 <= byte <= 57]
    if places:
        data[draw.choice(places)] = draw.choice(b"0123456789-.e ")


WAYS: tuple[Way, ...] = (_flip, _flip, _set, _set, _set, _cut, _drop, _insert, _repeat, _splice, _digits)


def _pixels(channels: int = 1, kind: str = "uint8") -> NDArray[np.generic]:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    grey = (rows * 7 + columns * 5) % 200 + 30
    many = np.stack([grey + 3 * channel for channel in range(channels)], axis=-1) if channels > 1 else grey
    scale = 200 if kind in {"uint16", "int32", "float32"} else 1
    return (many * scale).astype(kind)


def _saved(name: str, picture: Image.Image, reader: str = "raster", **how: object) -> Seed:
    buffer = io.BytesIO()
    picture.save(buffer, **how)  # type: ignore[arg-type]
    return Seed(name, reader, buffer.getvalue())


def _rasters() -> list[Seed]:
    grey, colour = Image.fromarray(_pixels()), Image.fromarray(_pixels(3))
    deep, real = Image.fromarray(_pixels(kind="uint16")), Image.fromarray(_pixels(kind="float32"))
    pages = [Image.fromarray(np.roll(_pixels(3), shift, axis=0)) for shift in range(5)]
    return [
        _saved("grey.png", grey, format="PNG"),
        _saved("colour.png", colour, format="PNG"),
        _saved("deep.png", deep, format="PNG"),
        _saved("palette.png", colour.quantize(16), format="PNG"),
        _saved("alpha.png", Image.fromarray(_pixels(4)), format="PNG"),
        _saved("bits.png", grey.convert("1"), format="PNG"),
        _saved("grey.jpg", grey, format="JPEG"),
        _saved("colour.jpg", colour, format="JPEG", quality=80),
        _saved("steps.jpg", colour, format="JPEG", progressive=True),
        _saved("ink.jpg", colour.convert("CMYK"), format="JPEG"),
        _saved("grey.tif", grey, format="TIFF"),
        _saved("deep.tif", deep, format="TIFF", compression="tiff_lzw"),
        _saved("real.tif", real, format="TIFF", compression="tiff_adobe_deflate"),
        _saved("pages.tif", pages[0], format="TIFF", save_all=True, append_images=pages[1:], compression="tiff_lzw"),
        _saved("jpeg.tif", colour, format="TIFF", compression="jpeg"),
        _saved("moving.gif", pages[0], format="GIF", save_all=True, append_images=pages[1:]),
        _saved("plain.webp", colour, format="WEBP"),
        _saved("plain.jp2", colour, format="JPEG2000"),
        _saved("scan.svs", colour.resize((96, 96)), "slide", format="TIFF", compression="jpeg"),
    ]


def _dicoms() -> list[Seed]:
    made: list[Seed] = []
    for syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian):
        made.append(
            _dicom(
                f"ct{len(made)}.dcm",
                syntax,
                _pixels(kind="uint16"),
                Modality="CT",
                RescaleSlope="0.01",
                RescaleIntercept="-200",
            )
        )
    frames = np.stack([np.roll(_pixels(), shift, axis=0) for shift in range(6)])
    made.append(_dicom("clip.dcm", ExplicitVRLittleEndian, frames, Modality="US", NumberOfFrames=6))
    made.append(_dicom("colour.dcm", ExplicitVRLittleEndian, _pixels(3), Modality="US", BurnedInAnnotation="YES"))
    made.append(
        _dicom(
            "window.dcm",
            ExplicitVRLittleEndian,
            _pixels(kind="uint16"),
            Modality="CR",
            WindowCenter="9000",
            WindowWidth="20000",
        )
    )
    made.append(
        _dicom(
            "packed.dcm",
            ExplicitVRLittleEndian,
            _pixels(),
            compress=True,
            Modality="MR",
            PhotometricInterpretation="MONOCHROME1",
        )
    )
    return made


def _dicom(name: str, syntax: UID, pixels: NDArray[np.generic], *, compress: bool = False, **tags: object) -> Seed:
    dataset = Dataset()
    dataset.file_meta, dataset.preamble = FileMetaDataset(), b"\0" * 128
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = UID("1.2.826.0.1.3680043.8.498.1")
    dataset.PatientName, dataset.PatientID, dataset.StudyInstanceUID = (
        "Invented^Person",
        "P1",
        "1.2.826.0.1.3680043.8.498.2",
    )
    colour = pixels.ndim == 3 and pixels.shape[-1] == 3
    bits = 8 * pixels.dtype.itemsize
    dataset.Rows = dataset.Columns = SIDE
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = (3, "RGB") if colour else (1, "MONOCHROME2")
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits, bits - 1, 0
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    big = syntax == ExplicitVRBigEndian
    dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder(">" if big else "<")).tobytes()
    dataset["PixelData"].VR = "OW" if bits > 8 else "OB"
    if compress:
        dataset.compress(RLELossless)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return Seed(name, "dicom", buffer.getvalue())


def _volumes() -> list[Seed]:
    values = np.tile(_pixels(kind="int16")[:12, :12, None], (1, 1, 6))
    holes = values.astype(np.float32)
    holes[2:4, 2:4] = np.nan
    made: list[Seed] = []
    for name, array in {"whole.nii": values, "holes.nii": holes, "series.nii": np.stack([values] * 3, axis=-1)}.items():
        image = nib.Nifti1Image(array, np.diag([1.0, 1.5, 2.0, 1.0]))  # type: ignore[no-untyped-call]
        data = image.to_bytes()
        made += [Seed(name, "nifti", data), Seed(f"{name}.gz", "nifti", gzip.compress(data, 1, mtime=0))]
    for encoding in ("raw", "gzip", "ascii", "bzip2"):
        header = {
            "encoding": encoding,
            "space": "left-posterior-superior",
            "space directions": np.diag([1.0, 1.5, 2.0]),
        }
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.nrrd"
            nrrd.write(str(path), values, header)
            made.append(Seed(f"{encoding}.nrrd", "nrrd", path.read_bytes()))
    return made


def _tables() -> list[Seed]:
    """Return Parquet files of six rows: pictures as the hub writes them, in lists and plain; codings, row groups."""
    pictures = [_saved("a.png", Image.fromarray(np.roll(_pixels(), n)), format="PNG").data for n in range(6)]
    hub = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    held: list[dict[str, object] | None] = [{"bytes": data, "path": f"{n}.png"} for n, data in enumerate(pictures)]
    words = {
        "question": pa.array([f"Is film {n % 2} normal?" for n in range(6)]),
        "choices": pa.array([["yes", "no"], [], None, ["left"], ["a", "b", "c"], ["no"]], pa.list_(pa.string())),
        "facts": pa.array([{"age": n, "share": n / 7} for n in range(6)]),
        "number": pa.array([0, None, 2, 3, None, 5], pa.int64()),
    }
    shapes: dict[str, pa.Array] = {
        "struct": pa.array([*held[:5], None], hub),
        "named": pa.array([*held[:4], {"bytes": None, "path": "x.png"}, None], hub),
        "plain": pa.array(pictures, pa.binary()),
        "large": pa.array(pictures, pa.large_binary()),
        "list": pa.array([held[:2], [], None, held[3:], [held[0]], [None]], pa.list_(hub)),
    }
    ways: tuple[dict[str, object], ...] = (
        {"compression": "none", "use_dictionary": False},
        {"compression": "snappy", "row_group_size": 2},
        {"compression": "zstd", "data_page_version": "2.0", "write_page_checksum": True},
        {"compression": "gzip", "use_dictionary": False, "column_encoding": {"question": "DELTA_BYTE_ARRAY"}},
    )
    made: list[Seed] = []
    for name, column in shapes.items():
        for number, way in enumerate(ways):
            buffer = io.BytesIO()
            pq.write_table(pa.table({"image": column, **words}), buffer, **way)
            made.append(Seed(f"{name}{number}.parquet", "parquet", buffer.getvalue()))
    return [*made, *(Seed("part-00000.parquet", "parquet", data) for data in [_samples()] * 4)]  # a fifth of the draws


def _samples() -> bytes:
    """Return a sample file of a lingshu project, which `overlap` takes as such."""
    samples = [
        Sample(
            source="films", split="train", revision="1", origin_id=str(n), group_id="g", task="vqa_closed", topic="t",
            messages=turn(f"Is film {n} normal?", "yes"), licence="MIT", modality=("x_ray",),
            answer=Answer("yesno", "yes", ("yes", "no"), "A"), synthetic=Synthetic("vqa", "t", "d", ("a:1",)),
        ).with_id()
        for n in range(4)
    ]  # fmt: skip
    buffer = io.BytesIO()
    pq.write_table(to_table(samples), buffer, compression="none", use_dictionary=False)
    return buffer.getvalue()
