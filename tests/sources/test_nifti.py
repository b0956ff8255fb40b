"""NIfTI volumes: every stored orientation gives the same pictures, at one scale, and only where there is tissue."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu.sources.frames import Refused
from lingshu.sources.nifti import load_nifti, read_nifti
from lingshu.sources.volumes import AXES, spread
from tests.sources.made import PARAMS, frames, left_out, raw_file

SHAPE = (10, 12, 14)


def marked() -> np.ndarray:
    """A head-like block, brighter in the patient's left, front, upper corner (axes right, anterior, superior)."""
    values = np.full(SHAPE, 100.0, np.float32)
    values[0:3, 9:12, 11:14] = 200.0
    return values


def write(path: Path, values: np.ndarray, axes: str = "RAS", spacing: tuple[float, ...] = (1.0, 1.0, 1.0)) -> Path:
    """Store a volume whose content is given along (right, anterior, superior) with other axes."""
    affine = np.diag([*spacing, 1.0])
    image = nib.Nifti1Image(values, affine)
    change = nib.orientations.ornt_transform(nib.io_orientation(affine), nib.orientations.axcodes2ornt(tuple(axes)))
    nib.save(image.as_reoriented(change), path)
    return path


def corner(pixels: np.ndarray) -> tuple[str, str]:
    row, column = np.argwhere(pixels == pixels.max()).mean(0)
    return ("top" if row < pixels.shape[0] / 2 else "bottom", "left" if column < pixels.shape[1] / 2 else "right")


@pytest.mark.parametrize("axes", ["RAS", "LAS", "LPS", "RPI", "SAR", "PSL"])
def test_pictures_do_not_depend_on_the_stored_axes(tmp_path: Path, axes: str) -> None:
    """As in radiology: the patient's left is on the right, front and head are at the top, sagittal ones look left."""
    path = write(tmp_path / "a.nii.gz", marked(), axes)
    readings = [frame for plane in AXES for frame in frames(read_nifti(raw_file(path, planes=[plane]), PARAMS))]
    found = {f.origin.split("#")[1]: f.pixels for f in readings}
    assert len(found) == sum(SHAPE)
    assert found["axial-012"].shape == (12, 10)
    assert corner(found["axial-012"]) == ("top", "right")
    assert found["coronal-010"].shape == (14, 10)
    assert corner(found["coronal-010"]) == ("top", "right")
    assert found["sagittal-001"].shape == (14, 12)
    assert corner(found["sagittal-001"]) == ("top", "left")


def test_volumes_are_shown_at_one_scale(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", marked(), spacing=(2.0, 2.0, 5.0))
    shapes = {f.facts["plane"]: f.pixels.shape for f in frames(read_nifti(raw_file(path), PARAMS))}
    assert shapes == {"axial": (24, 20), "coronal": (70, 20), "sagittal": (70, 24)}


def test_a_note_may_state_another_scale(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", marked(), spacing=(2.0, 2.0, 5.0))
    found = frames(read_nifti(raw_file(path, pixel_mm=0.5), PARAMS))
    shapes = {f.facts["plane"]: f.pixels.shape for f in found}
    assert shapes == {"axial": (48, 40), "coronal": (140, 40), "sagittal": (140, 48)}
    assert len(found) == len(frames(read_nifti(raw_file(path), PARAMS)))


@pytest.mark.parametrize("most", [1, 4, 40])
def test_every_plane_of_a_volume_is_shown_equally_often(tmp_path: Path, most: int) -> None:
    path = write(tmp_path / "a.nii", marked())
    readings = list(read_nifti(raw_file(path), PARAMS.model_copy(update={"slices_per_plane": most})))
    number = min(most, *SHAPE)
    assert Counter(f.facts["plane"] for f in frames(readings)) == dict.fromkeys(AXES, number)
    assert left_out(readings) == {"SLICE_STEP": sum(SHAPE) - 3 * number}


@given(st.lists(st.integers(0, 500), min_size=1, max_size=60, unique=True), st.integers(1, 50))
def test_slices_are_spread_evenly(places: list[int], number: int) -> None:
    indices = sorted(places)
    chosen = spread(indices, number)
    assert len(chosen) == min(number, len(indices))
    ranks = [indices.index(place) for place in chosen]
    steps = np.diff(ranks)
    assert not len(steps) or (steps.min() >= 1 and steps.max() - steps.min() <= 1)
    assert abs(ranks[0] - (len(indices) - 1 - ranks[-1])) <= 1


def test_empty_slices_are_left_out_and_counted(tmp_path: Path) -> None:
    values = marked()
    values[:, :, :4] = 0
    readings = list(read_nifti(raw_file(write(tmp_path / "a.nii", values), planes=["axial"]), PARAMS))
    assert [f.origin[-3:] for f in frames(readings)] == [f"{i:03d}" for i in range(4, 14)]
    assert left_out(readings) == {"NO_TISSUE": 4}


def test_missing_values_are_dark_and_a_series_gives_its_first_volume(tmp_path: Path) -> None:
    values = marked()
    values[0, 0, :] = np.nan
    path = write(tmp_path / "a.nii", np.stack([values, np.zeros_like(values)], axis=-1))
    pixels = frames(read_nifti(raw_file(path, planes=["axial"]), PARAMS))[0].pixels
    assert pixels[-1, -1] == 0
    assert pixels[0, 0] > 0


def test_a_volume_is_one_group_and_notes_name_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", marked())
    found = frames(read_nifti(raw_file(path, facts={"modality": "mri", "body_part": "brain"}), PARAMS))
    assert {f.group for f in found} == {"src/volume/pack/a.nii"}
    assert found[0].facts == {"plane": "axial", "modality": "mri", "body_part": "brain"}


def test_the_larger_tissue_is_named_where_it_leads_clearly(tmp_path: Path) -> None:
    grey, white = np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.float32)
    grey[:, :, :5], white[:, :, :5] = 200, 100
    grey[:, :, 5:9], white[:, :, 5:9] = 100, 101
    grey[:, :, 9:], white[:, :, 9:] = 100, 130
    for name, values in (("a.nii", marked()), ("g.nii", grey), ("w.nii", white)):
        write(tmp_path / name, values, "LPS")
    note: dict[str, Any] = {"planes": ["axial"], "atlas": {"grey matter": "g.nii", "white matter": "w.nii"}}
    found = frames(read_nifti(raw_file(tmp_path / "a.nii", **note), PARAMS))
    told = [f.facts.get("dominant_tissue") for f in found]
    assert told == ["grey matter"] * 5 + [None] * 4 + ["white matter"] * 5


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_bytes(b"no volume" * 99), "UNDECODABLE"),
        (lambda path: path.write_bytes(gzip.compress(b"no volume" * 99)), "UNDECODABLE"),
        (lambda path: path.write_bytes(write(path, marked()).read_bytes()[:-900]), "UNDECODABLE"),
        (lambda path: write(path, np.zeros(SHAPE, np.float32)), "NO_TISSUE"),
        (lambda path: nib.save(nib.Nifti1Image(np.ones((9, 9), np.float32), np.eye(4)), path), "NOT_A_VOLUME"),
    ],
)
def test_what_is_no_volume_is_refused(tmp_path: Path, make, reason: str) -> None:
    path = tmp_path / "a.nii.gz"
    make(path)
    with pytest.raises(Refused) as refused:
        list(read_nifti(raw_file(path), PARAMS))
    assert refused.value.reason == reason


def test_a_verdict_does_not_depend_on_where_the_file_lies(tmp_path: Path) -> None:
    details = set()
    for folder in ("here", "there/below"):
        place = tmp_path / folder / "broken.nii.gz"
        place.parent.mkdir(parents=True)
        place.write_bytes(b"no gzip file, and no volume")
        with pytest.raises(Refused) as refused:
            load_nifti(place)
        details.add(refused.value.detail)
    [detail] = details
    assert "broken.nii.gz" in detail
    assert "here" not in detail.split()


def test_a_map_of_another_shape_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.nii", marked())
    write(tmp_path / "g.nii", marked()[:5])
    with pytest.raises(Refused, match="MASK_DIFFERS"):
        list(read_nifti(raw_file(tmp_path / "a.nii", atlas={"grey matter": "g.nii"}), PARAMS))


def test_spacing_belongs_to_the_turned_axes(tmp_path: Path) -> None:
    values, spacing = load_nifti(write(tmp_path / "a.nii", marked(), "SAR", spacing=(1.0, 2.0, 3.0)))
    assert values.shape == SHAPE
    assert spacing.tolist() == [1.0, 2.0, 3.0]
