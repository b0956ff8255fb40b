"""PNG, JPEG and TIFF: whole, cut and stacked; nuclei are counted where most of them lies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lingshu.sources.frames import Refused, png, shrunk
from lingshu.sources.raster import read_raster
from tests.sources.made import PARAMS, frames, left_out, noise, raw_file


def save(path: Path, *pages: np.ndarray) -> Path:
    first, *rest = [Image.fromarray(page) for page in pages]
    if rest:
        first.save(path, save_all=True, append_images=rest)
    else:
        first.save(path)
    return path


def test_a_picture_without_a_note_is_taken_whole(tmp_path: Path) -> None:
    pixels = noise(20, 30, 3)
    (found,) = frames(read_raster(raw_file(save(tmp_path / "a.png", pixels)), PARAMS))
    assert (found.pixels == pixels).all()
    assert (found.origin, found.group, found.facts) == ("pack/a.png", "src/file/pack/a.png", {})


def test_transparency_goes_and_grey_stays_grey(tmp_path: Path) -> None:
    (colour,) = frames(read_raster(raw_file(save(tmp_path / "a.png", noise(8, 8, 4))), PARAMS))
    (grey,) = frames(read_raster(raw_file(save(tmp_path / "b.png", noise(8, 8))), PARAMS))
    assert (colour.pixels.shape, grey.pixels.shape) == ((8, 8, 3), (8, 8))


def test_regions_come_with_their_tiles_and_never_the_whole(tmp_path: Path) -> None:
    pixels = np.full((70, 140, 3), 120, np.uint8)
    found = frames(read_raster(raw_file(save(tmp_path / "a.png", pixels), cut="regions"), PARAMS))
    assert len(found) == 2 * 5
    assert {f.group for f in found} == {"src/region/pack/a.png/r00c00", "src/region/pack/a.png/r00c01"}
    assert max(f.pixels.shape[0] for f in found) == 64


def test_tiles_of_a_photograph_stay_in_its_group_and_black_ones_are_left_out(tmp_path: Path) -> None:
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:, :64] = 120
    readings = list(read_raster(raw_file(save(tmp_path / "a.png", pixels), cut="tiles"), PARAMS))
    assert len(frames(readings)) == 1 + 4
    assert {f.group for f in frames(readings)} == {"src/file/pack/a.png"}
    assert left_out(readings) == {"NO_TISSUE": 2}


def test_nuclei_are_counted_in_the_box_that_holds_most_of_them(tmp_path: Path) -> None:
    mask = np.zeros((64, 64), np.uint16)
    mask[4:8, 4:8] = 1  # first tile
    mask[20:24, 30:40] = 2  # 2 of 10 columns in the first tile, 8 in the second
    mask[60:64, 60:64] = 7  # last tile; labels have gaps
    save(tmp_path / "mask.tif", mask)
    path = save(tmp_path / "a.tif", noise(64, 64).astype(np.uint16) + 500)
    found = frames(read_raster(raw_file(path, cut="regions", mask="mask.tif"), PARAMS))
    counts = {f.origin.split("#")[1]: f.facts["nuclei_count"] for f in found}
    assert counts == {"r00c00": 3, "r00c00-00": 1, "r00c00-01": 1, "r00c00-10": 0, "r00c00-11": 1}


def test_a_stack_is_stretched_as_one_and_thinned(tmp_path: Path) -> None:
    pages = [np.full((8, 9), level, np.uint16) for level in (100, 200, 300, 400, 500)]
    masks = [np.full((8, 9), label, np.uint16) for label in (0, 1, 1, 1, 3)]
    save(tmp_path / "mask.tif", *masks)
    readings = list(read_raster(raw_file(save(tmp_path / "a.tif", *pages), mask="mask.tif"), PARAMS))
    assert [int(f.pixels[0, 0]) for f in frames(readings)] == [0, 128, 255]
    assert [f.facts["nuclei_count"] for f in frames(readings)] == [0, 1, 1]
    assert [f.origin[-4:] for f in frames(readings)] == ["#000", "#002", "#004"]
    assert left_out(readings) == {"FRAME_STEP": 2}


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_what_is_no_picture_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(Refused, match="UNDECODABLE"):
        list(read_raster(raw_file(tmp_path / "a.png"), PARAMS))


def test_a_cut_off_picture_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", noise(90, 90, 3))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(Refused, match="UNDECODABLE"):
        list(read_raster(raw_file(path), PARAMS))


def test_a_mask_of_another_shape_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "mask.tif", np.zeros((8, 9), np.uint16))
    with pytest.raises(Refused, match="MASK_DIFFERS"):
        list(read_raster(raw_file(save(tmp_path / "a.tif", np.zeros((9, 9), np.uint16)), mask="mask.tif"), PARAMS))


def test_a_picture_too_small_for_a_region_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="TOO_SMALL"):
        list(read_raster(raw_file(save(tmp_path / "a.png", noise(40, 40)), cut="regions"), PARAMS))


def test_shrinking_averages_areas_and_never_enlarges() -> None:
    checked = np.kron(np.indices((8, 16)).sum(0) % 2 * 200, np.ones((4, 4))).astype(np.uint8)
    assert shrunk(checked, 8).shape == (4, 8)
    assert (shrunk(checked, 8) == 100).all()
    assert shrunk(checked, 999) is checked


def test_equal_channels_are_stored_as_one() -> None:
    grey = noise(9, 9)
    assert png(np.stack([grey] * 3, axis=-1)) == png(grey)
