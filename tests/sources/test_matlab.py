"""Arrays of MATLAB files: read as written, and refused by reason where there is none."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from lingshu.intake.errors import Reason, RowError
from lingshu.sources.annotations import Masks
from lingshu.sources.matlab import matlab_array
from tests.sources.invented_photographs import snow
from tests.sources.test_mutated_files import mutated
from tests.sources.test_row_records import run

NUCLEI = np.arange(48, dtype=np.int32).reshape(6, 8)


def held(compressed: bool = False, **arrays: object) -> bytes:
    buffer = io.BytesIO()
    savemat(buffer, arrays or {"inst_map": NUCLEI}, do_compression=compressed)
    return buffer.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
def test_an_array_is_read_as_written(compressed: bool) -> None:
    read = matlab_array(held(compressed), "inst_map", "a.mat", NUCLEI.size)
    assert read.dtype == np.int32
    assert np.array_equal(read, NUCLEI)


@pytest.mark.parametrize(
    ("data", "reason", "said"),
    [
        (held(other=NUCLEI), Reason.UNREADABLE_PICTURE, "a.mat: no array 'inst_map', but other"),
        (held(inst_map="text"), Reason.UNREADABLE_PICTURE, "is no array of numbers"),
        (held(inst_map={"x": 1}), Reason.UNREADABLE_PICTURE, "is no array of numbers"),
        (held(inst_map=np.zeros((7, 7))), Reason.PICTURE_TOO_LARGE, "(7, 7) values"),
        (b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(400), Reason.UNREADABLE_PICTURE, "HDF"),
        (held()[:200], Reason.UNREADABLE_PICTURE, "a.mat: "),
        (b"", Reason.UNREADABLE_PICTURE, "a.mat: "),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), Reason.UNREADABLE_PICTURE, "a.mat: "),
    ],
)
def test_what_is_no_such_array_is_refused_by_name(data: bytes, reason: Reason, said: str) -> None:
    with pytest.raises(RowError, match=r"a\.mat") as error:
        matlab_array(data, "inst_map", "a.mat", NUCLEI.size)
    assert error.value.reason is reason
    assert said in error.value.detail


@pytest.mark.parametrize("compressed", [False, True])
def test_mutated_files_are_read_or_refused(compressed: bool, request: pytest.FixtureRequest) -> None:
    chance, data = random.Random(7), held(compressed)
    for _ in range(request.config.getoption("mutations")):
        try:
            read = matlab_array(mutated(data, chance), "inst_map", "a.mat", NUCLEI.size)
        except RowError:
            continue
        assert read.size <= NUCLEI.size


def test_a_record_names_an_array_only_of_a_mask_in_a_file() -> None:
    with pytest.raises(ValueError, match="array goes with file"):
        Masks(field="nuclei", array="inst_map", label="x")
    with pytest.raises(ValueError, match="array goes with file"):
        Masks(file="{stem}.json", array="inst_map", kind="polygon", label="x")


def test_a_mask_that_is_a_link_to_nothing_costs_its_row_only(tmp_path: Path) -> None:
    snow("Image", "Mask")(tmp_path / "raw")
    mask = tmp_path / "raw/SNOW_Dataset_20k/Mask/seed0000.mat"
    mask.unlink()
    mask.symlink_to(tmp_path / "gone.mat")
    summary = run("breast_cancer", {}, tmp_path)
    assert (summary.rows, summary.kept) == (2, 1)
    assert {reason.name: number for reason, number in summary.refused.items()} == {"UNREADABLE_PICTURE": 1}
