"""DICOM files into pictures: any transfer syntax that an installed decoder reads, shown as a viewer would show it.

Grey values go through the modality LUT and the first display window (DICOM PS3.3 C.11.1 and C.11.2); colour comes as
RGB whatever it was stored as. A file without pixels, or one that can't be decoded, is refused with its reason.
"""

from __future__ import annotations

import warnings
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import FileDataset, dcmread
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from lingshu.core.ids import sha256_bytes
from lingshu.core.shown import Pixels, stretch, stretch_percentiles
from lingshu.sources.crash_proof import survive
from lingshu.sources.dicom_facts import tagged_facts
from lingshu.sources.dicom_profile import identifying
from lingshu.sources.frames import (
    BROKEN,
    Frame,
    LeftOut,
    RawFile,
    Readings,
    Refused,
    check_size,
    undecodable,
    with_note,
)
from lingshu.sources.params import NormalizeParams

NOT_PICTURES = {"SEG": "a segmentation mask", "RTDOSE": "a dose grid", "REG": "a registration", "KO": "a selection"}
NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
PREAMBLE_BYTES = 132  # with the letters DICM
MAX_DATASET_BYTES = 1 << 30  # of a dataset that was stored deflated
PALETTES = tuple(f"{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue"))
SOFT_TISSUE_HU = (40.0, 400.0)  # centre and width: the usual abdomen window, for a CT that brings none


def read_dicom(file: RawFile, params: NormalizeParams) -> Readings:
    """Yield the frames of a DICOM file; of a clip every `clip_frame_step`-th.

    Raises:
        Refused: NOT_DICOM, NO_PIXELS, NOT_A_PICTURE (a mask or a dose grid), TOO_LARGE or UNDECODABLE.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's notes on invalid values: what matters is checked or seen below
        dataset = _open(file)
        frames, total = survive(_reopened, file, params) if _foreign(dataset) else _frames(dataset, file, params)
    yield from frames
    if total > len(frames):
        yield LeftOut("FRAME_STEP", total - len(frames))


def _foreign(dataset: FileDataset) -> bool:
    """Return whether the pixels go through a decoder in C or C++, which may end its process."""
    syntax = UID(str(dataset.file_meta.TransferSyntaxUID))
    return syntax not in (*NATIVE, RLELossless)


def _reopened(file: RawFile, params: NormalizeParams) -> tuple[list[Frame], int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _frames(_open(file), file, params)


def _frames(dataset: FileDataset, file: RawFile, params: NormalizeParams) -> tuple[list[Frame], int]:
    """Return the frames taken, and how many the file has.

    Raises:
        Refused: TOO_LARGE or UNDECODABLE.
    """
    try:
        frames, total = _decode(dataset, params, file)
        if params.identifying_tags:
            said = identifying(dataset)
            frames = [replace(frame, identifying=said) for frame in frames]
    except (*BROKEN, BytesLengthException) as error:
        raise undecodable(error, file.path) from None
    return frames, total


def _open(file: RawFile) -> FileDataset:
    """Return the dataset, also of a file without preamble or meta header, whose encoding is then found by trial."""
    try:
        try:
            _check_deflated(file.path)
            dataset = dcmread(file.path)
        except InvalidDicomError:
            dataset = dcmread(file.path, force=True)
        modality = str(dataset.get("Modality", ""))
    except (*BROKEN, BytesLengthException) as error:
        raise Refused("NOT_DICOM", undecodable(error, file.path).detail) from None
    if not dataset.preamble and "Rows" not in dataset and "SOPClassUID" not in dataset:
        raise Refused("NOT_DICOM", "no preamble, no SOP class and no image size")
    if modality in NOT_PICTURES:
        raise Refused("NOT_A_PICTURE", NOT_PICTURES[modality])
    if not dataset.get("PixelData"):  # absent, or an element that is empty
        raise Refused("NO_PIXELS", f"modality {modality or 'not stated'}, no pixel data")
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = _syntax(dataset)
    return dataset


def _check_deflated(path: Path) -> None:
    """Refuse a deflated dataset that inflates beyond all use: pydicom inflates it whole.

    Raises:
        InvalidDicomError: the file has no DICOM preamble.
        Refused: TOO_LARGE.
    """
    meta = read_file_meta_info(path)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return
    with path.open("rb") as stream:
        # Group length (0002,0000) counts from behind its own 12 bytes.
        stream.seek(PREAMBLE_BYTES + 12 + int(meta.get("FileMetaInformationGroupLength", 0)))
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        found = 0
        while found <= MAX_DATASET_BYTES and not inflate.eof and (chunk := stream.read(1 << 16)):
            found += len(inflate.decompress(chunk, MAX_DATASET_BYTES + 1 - found))
    if found > MAX_DATASET_BYTES:
        raise Refused("TOO_LARGE", f"inflates to more than {MAX_DATASET_BYTES:,} bytes")


def _syntax(dataset: FileDataset) -> UID:
    implicit, little = dataset.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def _decode(dataset: FileDataset, params: NormalizeParams, file: RawFile) -> tuple[list[Frame], int]:
    """Return the frames taken, and how many the file has."""
    total = int(dataset.get("NumberOfFrames", None) or 1)
    last = min(total, file.note.frames) if file.note and file.note.frames else total
    taken = range(0, last, params.clip_frame_step)
    size = int(dataset.get("Rows", 0)) * int(dataset.get("Columns", 0)) * int(dataset.get("SamplesPerPixel", 1))
    check_size(len(taken) * size, f"{len(taken)} of {total} frames, each of {size} values")
    frames: list[Frame] = []
    for index in taken:
        view = functional_groups(dataset, index)
        frames.append(
            Frame(
                pixels=to_display(pixel_array(dataset, index=index), view),
                origin=f"{file.origin}#{index}" if total > 1 else file.origin,
                group=f"{file.source}/{_group(dataset, file, pseudonyms=params.identifying_tags)}",
                facts=with_note(tagged_facts(view), file.note),
            )
        )
    return frames, total


def functional_groups(dataset: Dataset, index: int) -> Dataset:
    """Return the tags that hold for frame `index`: an enhanced multi-frame file keeps some per frame or shared."""
    shared = dataset.get("SharedFunctionalGroupsSequence", [])
    each = dataset.get("PerFrameFunctionalGroupsSequence", [])
    if not shared and not each:
        return dataset
    view = Dataset({element.tag: element for element in dataset if element.keyword != "PixelData"})
    for group in [*shared[:1], *each[index : index + 1]]:
        for element in group:
            if element.VR == "SQ" and len(element.value) == 1:
                view.update({inner.tag: inner for inner in element.value[0]})
    return view


def to_display(values: NDArray[Any], view: Dataset) -> Pixels:
    """Return one frame's stored values as uint8: grey (rows, columns) or RGB (rows, columns, 3).

    Args:
        values: as decoded, colour already RGB, shape (rows, columns) or (rows, columns, 3).
        view: the frame's tags.
    """
    interpretation = str(view.get("PhotometricInterpretation", ""))
    if interpretation == "PALETTE COLOR":
        return _to_8_bit(apply_color_lut(values, _little_endian_palette(view)), None)
    if values.ndim == 3:
        return _to_8_bit(values, int(view.BitsStored))
    grey = _windowed(np.asarray(apply_modality_lut(values, view)), view)
    inverted: Pixels = 255 - grey if interpretation == "MONOCHROME1" else grey
    return inverted


def _little_endian_palette(view: Dataset) -> Dataset:
    """Return the tags with 16-bit palettes in the byte order that pydicom's look-up assumes (it ignores the file's)."""
    if view.original_encoding[1] is not False or PALETTES[0] not in view:
        return view
    entries = int(view.RedPaletteColorLookupTableDescriptor[0]) or 1 << 16  # C.7.6.3.1.5: 0 stands for 65,536
    swapped = Dataset(view)
    for keyword in PALETTES:
        if len(data := view.get(keyword)) == 2 * entries:
            setattr(swapped, keyword, np.frombuffer(data, ">u2").astype("<u2").tobytes())
    return swapped


def _to_8_bit(values: NDArray[Any], bits: int | None) -> Pixels:
    """Return the upper eight of `bits` (default: of the type) as uint8."""
    stored = bits or values.dtype.itemsize * 8
    shifted: Pixels = (values >> max(stored - 8, 0)).astype(np.uint8)
    return shifted


def _windowed(values: NDArray[Any], view: Dataset) -> Pixels:
    if view.get("VOILUTSequence"):
        looked_up = apply_voi(values, view, index=0)
        bits = int(view.VOILUTSequence[0].LUTDescriptor[2])
        return stretch(looked_up, 0.0, float(2**bits - 1))
    if view.get("WindowCenter") is not None and view.get("WindowWidth") is not None:
        centre, width = _first(view.WindowCenter), _first(view.WindowWidth)
    elif view.get("Modality") == "CT":
        centre, width = SOFT_TISSUE_HU
    else:
        return stretch_percentiles(values)
    if str(view.get("VOILUTFunction", "LINEAR")) == "LINEAR":  # C.11.2.1.2.1: edges lie half a step inside
        return stretch(values, centre - 0.5 - (width - 1.0) / 2.0, centre - 0.5 + (width - 1.0) / 2.0)
    if view.VOILUTFunction == "SIGMOID":
        return stretch(1.0 / (1.0 + np.exp(-4.0 * (values - centre) / width)), 0.0, 1.0)
    return stretch(values, centre - width / 2.0, centre + width / 2.0)


def _first(value: Any) -> float:
    return float(value if isinstance(value, (int, float, str)) else value[0])


def _group(dataset: Dataset, file: RawFile, *, pseudonyms: bool) -> str:
    """Return what no split may cut: the patient, else the study, else the file; the first two under digests if asked.

    A digest hides an id from readers, not from who holds a list of ids: it is a pseudonym.
    """
    if file.note and file.note.group:
        return file.note.group
    for kind, keyword in (("patient", "PatientID"), ("study", "StudyInstanceUID")):
        if given := str(dataset.get(keyword, "") or "").strip():
            named = sha256_bytes(f"{file.source}/{kind}/{given}".encode())[:16] if pseudonyms else given
            return f"{kind}/{named}"
    return f"file/{file.origin}"
