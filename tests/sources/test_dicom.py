"""DICOM files, written here in many forms, come out as a viewer shows them; the others are refused by reason."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence
from pydicom.uid import JPEGLSLossless, RLELossless

from lingshu.sources.dicom import read_dicom
from lingshu.sources.dicom_facts import plane, sequence, tagged_facts
from lingshu.sources.frames import Refused
from tests.sources.made import PARAMS, dicom, frames, left_out, noise, raw_file, save

RAMP = np.arange(256, dtype=np.uint16).reshape(16, 16) * 16


def shown(tmp_path: Path, made: FileDataset, **note: Any) -> np.ndarray:
    return frames(read_dicom(raw_file(save(made, tmp_path / "a.dcm"), **note), PARAMS))[0].pixels


def test_the_window_is_applied_after_the_rescale(tmp_path: Path) -> None:
    """PS3.3 C.11.2.1.2.1: below c - 0.5 - (w - 1) / 2 is black, above c - 0.5 + (w - 1) / 2 is white."""
    stored = np.array([[0, 923, 1024, 1124, 2000, 1024]], dtype=np.uint16)
    made = dicom(stored, WindowCenter=[0, 500], WindowWidth=[201, 9], RescaleSlope=1, RescaleIntercept=-1024)
    assert shown(tmp_path, made).tolist() == [[0, 0, 128, 255, 255, 128]]


def test_monochrome1_is_inverted(tmp_path: Path) -> None:
    window: dict[str, Any] = {"WindowCenter": 2048, "WindowWidth": 4096}
    plain = shown(tmp_path, dicom(RAMP, **window))
    turned = shown(tmp_path, dicom(RAMP, PhotometricInterpretation="MONOCHROME1", **window))
    assert (turned == 255 - plain).all()
    assert plain[0, 0] < plain[-1, -1]


def test_signed_values_keep_their_order(tmp_path: Path) -> None:
    signed = RAMP.astype(np.int16) - 2048
    pixels = shown(tmp_path, dicom(signed, Modality="MR"))
    assert (np.diff(pixels.ravel().astype(int)) >= 0).all()
    assert pixels.min() == 0
    assert pixels.max() == 255


def test_a_ct_without_a_window_gets_the_soft_tissue_window(tmp_path: Path) -> None:
    hounsfield = np.array([[-1000, -160, 40, 240, 3000, 40]], dtype=np.int16)
    assert shown(tmp_path, dicom(hounsfield)).tolist() == [[0, 0, 128, 255, 255, 128]]


@pytest.mark.parametrize("function", ["LINEAR_EXACT", "SIGMOID"])
def test_other_window_functions_meet_in_the_middle(tmp_path: Path, function: str) -> None:
    stored = np.array([[0, 1000, 2000, 4000]], dtype=np.uint16)
    pixels = shown(tmp_path, dicom(stored, WindowCenter=1000, WindowWidth=1000, VOILUTFunction=function))[0]
    assert 126 <= pixels[1] <= 129
    assert pixels[0] < 30
    assert pixels[-1] > 250


def test_a_voi_table_is_looked_up(tmp_path: Path) -> None:
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [4, 0, 8], [255, 0, 128, 64]
    table["LUTDescriptor"].VR = table["LUTData"].VR = "US"
    made = dicom(np.array([[0, 1, 2, 3]], dtype=np.uint8), VOILUTSequence=Sequence([table]))
    assert shown(tmp_path, made).tolist() == [[255, 0, 128, 64]]


@pytest.mark.parametrize("big_endian", [False, True])
def test_a_palette_gives_its_colours_in_either_byte_order(tmp_path: Path, big_endian: bool) -> None:
    colours = {"Red": [0, 255, 10], "Green": [0, 128, 20], "Blue": [0, 0, 30]}
    made = dicom(np.array([[0, 1], [2, 1]], dtype=np.uint8), big_endian, PhotometricInterpretation="PALETTE COLOR")
    for name, values in colours.items():
        setattr(made, f"{name}PaletteColorLookupTableDescriptor", [3, 0, 16])
        made[f"{name}PaletteColorLookupTableDescriptor"].VR = "US"
        kind = ">u2" if big_endian else "<u2"
        setattr(made, f"{name}PaletteColorLookupTableData", (np.array(values) << 8).astype(kind).tobytes())
    pixels = shown(tmp_path, made)
    assert pixels.tolist() == [[[0, 0, 0], [255, 128, 0]], [[10, 20, 30], [255, 128, 0]]]


def test_ybr_becomes_rgb(tmp_path: Path) -> None:
    """PS3.3 C.7.6.3.1.2: full red is Y 76, Cb 85, Cr 255."""
    made = dicom(np.full((2, 2, 3), (76, 85, 255), np.uint8), PhotometricInterpretation="YBR_FULL")
    assert np.abs(shown(tmp_path, made).astype(int) - (254, 0, 0)).max() <= 2


def test_16_bit_colour_keeps_its_upper_bits(tmp_path: Path) -> None:
    made = dicom(np.full((2, 2, 3), (0x1234, 0xFF00, 0x00FF), np.uint16))
    assert (shown(tmp_path, made) == (0x12, 0xFF, 0x00)).all()


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_lossless_syntaxes_give_the_same_picture(tmp_path: Path, syntax: str) -> None:
    plain = dicom(noise(24, 20).astype(np.uint16), WindowCenter=100, WindowWidth=90)
    expected = shown(tmp_path, plain)
    plain.compress(syntax, generate_instance_uid=False)
    assert (shown(tmp_path, plain) == expected).all()


def test_every_second_frame_of_a_clip_is_taken(tmp_path: Path) -> None:
    clip = np.stack([np.full((8, 8), value, np.uint8) for value in (10, 20, 30, 40, 50)])
    made = dicom(clip, Modality="US", WindowCenter=128, WindowWidth=256)
    readings = list(read_dicom(raw_file(save(made, tmp_path / "a.dcm")), PARAMS))
    taken = frames(readings)
    assert [frame.origin for frame in taken] == ["pack/a.dcm#0", "pack/a.dcm#2", "pack/a.dcm#4"]
    assert [int(frame.pixels[0, 0]) for frame in taken] == [10, 30, 50]
    assert left_out(readings) == {"FRAME_STEP": 2}
    assert {frame.group for frame in taken} == {"src/patient/P1"}


def test_groups_of_hospital_data_hide_their_ids(tmp_path: Path) -> None:
    hidden = PARAMS.model_copy(update={"identifying_tags": True})
    groups = {}
    for name, patient in (("a", "P1"), ("b", "P1"), ("c", "P2")):
        made = dicom(noise(5, 8, 8), PatientID=patient)
        groups[name] = frames(read_dicom(raw_file(save(made, tmp_path / f"{name}.dcm")), hidden))[0].group
    assert groups["a"] == groups["b"] != groups["c"]
    assert re.fullmatch(r"src/patient/[0-9a-f]{16}", groups["a"])


def test_a_note_limits_the_frames(tmp_path: Path) -> None:
    path = save(dicom(noise(5, 8, 8)), tmp_path / "a.dcm")
    assert len(frames(read_dicom(raw_file(path, frames=1), PARAMS))) == 1


def test_windows_and_planes_of_enhanced_files_are_found_in_their_groups(tmp_path: Path) -> None:
    def group(sequence: str, **tags: Any) -> Dataset:
        item, outer = Dataset(), Dataset()
        for keyword, value in tags.items():
            setattr(item, keyword, value)
        setattr(outer, sequence, Sequence([item]))
        return outer

    made = dicom(np.full((2, 4, 4), 100, np.uint8))
    made.SharedFunctionalGroupsSequence = Sequence(
        [group("PlaneOrientationSequence", ImageOrientationPatient=[0, 1, 0, 0, 0, -1])]
    )
    made.PerFrameFunctionalGroupsSequence = Sequence(
        [group("FrameVOILUTSequence", WindowCenter=centre, WindowWidth=2) for centre in (50, 150)]
    )
    path = save(made, tmp_path / "a.dcm")
    first, second = frames(read_dicom(raw_file(path), PARAMS.model_copy(update={"clip_frame_step": 1})))
    assert (first.pixels.max(), second.pixels.max()) == (255, 0)
    assert first.facts["plane"] == "sagittal"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Modality": "SEG"}, "NOT_A_PICTURE"),
        ({"Modality": "RTDOSE"}, "NOT_A_PICTURE"),
        ({"PixelData": None}, "NO_PIXELS"),
        ({"PixelData": b""}, "NO_PIXELS"),
        ({"PixelData": b"\0" * 10}, "UNDECODABLE"),
        ({"Rows": 900}, "UNDECODABLE"),
        ({"BitsAllocated": 13}, "UNDECODABLE"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    made = dicom(noise(16, 16))
    for keyword, value in change.items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    with pytest.raises(Refused) as refused:
        list(read_dicom(raw_file(save(made, tmp_path / "a.dcm")), PARAMS))
    assert refused.value.reason == reason


@pytest.mark.parametrize("data", [b"", b"no picture at all" * 20, b"\0" * 128 + b"DICM"])
def test_garbage_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.dcm").write_bytes(data)
    with pytest.raises(Refused) as refused:
        list(read_dicom(raw_file(tmp_path / "a.dcm"), PARAMS))
    assert refused.value.reason in {"NOT_DICOM", "NO_PIXELS"}


def test_a_cut_off_file_is_refused(tmp_path: Path) -> None:
    path = save(dicom(noise(64, 64)), tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes()[:-1500])
    with pytest.raises(Refused):
        list(read_dicom(raw_file(path), PARAMS))


def test_a_note_overrides_tags_and_takes_them_back(tmp_path: Path) -> None:
    made = dicom(noise(8, 8), BodyPartExamined="NECK", ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    path = save(made, tmp_path / "a.dcm")
    assert frames(read_dicom(raw_file(path), PARAMS))[0].facts["body_part"] == "neck"
    seen = {"facts": {"body_part": "spine", "plane": None}}
    assert frames(read_dicom(raw_file(path, **seen), PARAMS))[0].facts == {"modality": "ct", "body_part": "spine"}


def tags(**values: Any) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


@pytest.mark.parametrize(
    ("values", "facts"),
    [
        ({"Modality": "DX", "ViewPosition": "PA", "BodyPartExamined": "CHEST"}, ("x-ray", "chest", "frontal")),
        ({"Modality": "CR", "ViewPosition": "LL"}, ("x-ray", None, "lateral")),
        ({"Modality": "US", "ViewPosition": "PA", "BodyPartExamined": "SOMEWHERE"}, ("ultrasound", None, None)),
        ({"Modality": "OT", "BodyPartExamined": "CHEST"}, (None, None, None)),
    ],
)
def test_tags_become_facts(values: dict[str, str], facts: tuple[str | None, ...]) -> None:
    found = tagged_facts(tags(**values))
    assert (found.get("modality"), found.get("body_part"), found.get("view")) == facts


@pytest.mark.parametrize(("agent", "told"), [("11 ml Omniscan", True), ("", None), ("NONE", None)])
def test_contrast_is_stated_only_when_an_agent_is_named(agent: str, told: bool | None) -> None:
    assert tagged_facts(tags(Modality="MR", ContrastBolusAgent=agent)).get("contrast") is told


@given(st.floats(-25, 25), st.sampled_from([("axial", 0, 1), ("coronal", 0, 2), ("sagittal", 1, 2)]))
def test_a_slightly_tilted_slice_keeps_its_plane(degrees: float, named: tuple[str, int, int]) -> None:
    name, first, second = named
    axes = np.eye(3)
    normal = np.cross(axes[first], axes[second])
    turn = np.radians(degrees)
    column = axes[second] * np.cos(turn) + normal * np.sin(turn)
    assert plane(tags(ImageOrientationPatient=[*axes[first].tolist(), *column.tolist()])) == name


def test_obliques_and_projections_have_no_plane() -> None:
    oblique = [0.569, 0.822, 0.0, 0.0, 0.0, -1.0]
    assert plane(tags(ImageOrientationPatient=oblique)) is None
    kind = ["DERIVED", "SECONDARY", "PROJECTION IMAGE"]
    assert plane(tags(ImageOrientationPatient=[1, 0, 0, 0, 1, 0], ImageType=kind)) is None


@pytest.mark.parametrize(
    ("kind", "repetition", "echo", "named"),
    [
        ("SE", 350, 27, "T1-weighted"),
        ("SE", 4000, 240, "T2-weighted"),
        ("SE", 2000, 20, None),
        ("GR", 5, 3, "gradient echo"),
        ("EP", 3000, 90, None),
    ],
)
def test_a_sequence_is_named_where_its_times_are_clear(kind: str, repetition: float, echo: float, named: str) -> None:
    assert sequence(tags(ScanningSequence=kind, RepetitionTime=repetition, EchoTime=echo)) == named
