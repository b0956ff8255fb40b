"""NRRD volumes: the same pictures as the same volume in NIfTI, whatever way its axes lie; no guess where they lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import nrrd
import numpy as np
import pytest

from lingshu.sources.frames import Refused
from lingshu.sources.nifti import read_nifti
from lingshu.sources.nrrd import SPACES, read_nrrd
from tests.sources.made import PARAMS, frames, raw_file
from tests.sources.test_nifti import marked
from tests.sources.test_nifti import write as write_nifti

SPACING = (2.0, 1.0, 3.0)


def write(path: Path, values: np.ndarray, axes: str = "RAS", space: str = "left-posterior-superior") -> Path:
    """Store a volume given along (right, anterior, superior) with other axes, described in `space`."""
    affine = np.diag([*SPACING, 1.0])
    change = nib.orientations.ornt_transform(nib.io_orientation(affine), nib.orientations.axcodes2ornt(tuple(axes)))
    image = nib.Nifti1Image(values, affine).as_reoriented(change)
    directions = image.affine[:3, :3].T * np.array(SPACES[space])
    header = {"space": space, "space directions": directions, "space origin": [0.0, 0.0, 0.0], "encoding": "gzip"}
    nrrd.write(str(path), np.asarray(image.dataobj), header)
    return path


@pytest.mark.parametrize("space", [name for name in SPACES if "-" in name])
@pytest.mark.parametrize("axes", ["RAS", "LPS", "SAR", "PIL"])
def test_pictures_are_those_of_the_same_nifti(tmp_path: Path, axes: str, space: str) -> None:
    wanted = frames(read_nifti(raw_file(write_nifti(tmp_path / "a.nii", marked(), spacing=SPACING)), PARAMS))
    found = frames(read_nrrd(raw_file(write(tmp_path / "a.nrrd", marked(), axes, space)), PARAMS))
    assert len(found) == len(wanted) > 0
    for one, other in zip(found, wanted, strict=True):
        assert one.facts == other.facts
        np.testing.assert_array_equal(one.pixels, other.pixels)


def test_a_window_sets_black_and_white_and_what_counts_as_tissue(tmp_path: Path) -> None:
    values = marked() - 1000.0
    path = write(tmp_path / "a.nrrd", values)
    found = frames(read_nrrd(raw_file(path, window=[-1000, -800], planes=["axial"]), PARAMS))
    assert len(found) == values.shape[2]
    assert {int(level) for level in np.unique(found[-1].pixels)} >= {128, 255}
    with pytest.raises(Refused, match="NO_TISSUE"):
        list(read_nrrd(raw_file(path), PARAMS))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"space": "scanner-xyz"}, "NO_SPACE"),
        ({"space": None, "space directions": None, "space origin": None}, "NO_SPACE"),
    ],
)
def test_a_volume_whose_place_in_the_patient_is_not_told_is_refused(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    header = {"space": "left-posterior-superior", "space directions": np.eye(3), "space origin": [0.0] * 3} | change
    nrrd.write(str(tmp_path / "a.nrrd"), marked(), {key: value for key, value in header.items() if value is not None})
    with pytest.raises(Refused) as refused:
        list(read_nrrd(raw_file(tmp_path / "a.nrrd"), PARAMS))
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda data: b"no volume" * 99, "UNDECODABLE"),
        (lambda data: data[:-40], "UNDECODABLE"),
        (lambda data: data.split(b"\n\n")[0], "UNDECODABLE"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, spoil: Any, reason: str) -> None:
    path = write(tmp_path / "a.nrrd", marked())
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(Refused) as refused:
        list(read_nrrd(raw_file(path), PARAMS))
    assert refused.value.reason == reason


def test_a_flat_picture_is_no_volume(tmp_path: Path) -> None:
    nrrd.write(str(tmp_path / "a.nrrd"), np.ones((9, 9), np.float32))
    with pytest.raises(Refused) as refused:
        list(read_nrrd(raw_file(tmp_path / "a.nrrd"), PARAMS))
    assert refused.value.reason == "NOT_A_VOLUME"
