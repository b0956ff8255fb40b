"""Slides: regions lie apart, tiles fill them, and glass without tissue is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lingshu.sources.frames import Refused
from lingshu.sources.slide import read_slide
from lingshu.sources.tiling import Box, regions, tiles
from tests.sources.made import PARAMS, frames, left_out, noise, raw_file

PINK = np.array([220, 130, 170], np.uint8)


def slide(path: Path, width: int = 150, height: int = 80) -> Path:
    """White glass whose left 64 px are tissue."""
    pixels = np.full((height, width, 3), 243, np.uint8)
    pixels[:, :64] = PINK - noise(height, min(width, 64), 3) // 16
    Image.fromarray(pixels).save(path, format="TIFF")
    return path


def test_tiles_without_tissue_are_left_out(tmp_path: Path) -> None:
    readings = list(read_slide(raw_file(slide(tmp_path / "a.svs"), facts={"stain": "hematoxylin and eosin"}), PARAMS))
    found = frames(readings)
    assert [f.origin for f in found] == [f"pack/a.svs#r00c00{part}" for part in ("", "-00", "-01", "-10", "-11")]
    assert {f.group for f in found} == {"src/region/pack/a.svs/r00c00"}
    assert [f.pixels.shape for f in found] == [(64, 64, 3), *[(32, 32, 3)] * 4]
    assert left_out(readings) == {"NO_TISSUE": 5}
    assert found[0].facts == {"stain": "hematoxylin and eosin"}


def test_what_is_no_slide_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.svs").write_bytes(b"II*\0 no slide")
    with pytest.raises(Refused, match="UNDECODABLE"):
        list(read_slide(raw_file(tmp_path / "a.svs"), PARAMS))
    with pytest.raises(Refused, match="TOO_SMALL"):
        list(read_slide(raw_file(slide(tmp_path / "b.svs", 60, 60)), PARAMS))


SIZES = st.integers(1, 400)


@given(SIZES, SIZES, st.integers(1, 40), st.integers(1, 4), st.integers(0, 30))
def test_regions_lie_inside_and_apart_and_hold_their_tiles(
    width: int, height: int, tile: int, number: int, gap: int
) -> None:
    boxes = list(regions(width, height, tile, number, gap))
    whole = {box.region: box for box in boxes if box.name == box.region}
    for box in boxes:
        assert 0 <= box.left <= width - box.side
        assert 0 <= box.top <= height - box.side
        outer = whole[box.region]
        assert outer.left <= box.left and box.left + box.side <= outer.left + outer.side
        assert outer.top <= box.top and box.top + box.side <= outer.top + outer.side
    assert len(boxes) == len(whole) * (number * number + 1)
    for one in whole.values():
        for other in whole.values():
            assert one == other or apart(one, other) >= gap


def apart(one: Box, other: Box) -> int:
    across = max(one.left, other.left) - min(one.left, other.left) - one.side
    down = max(one.top, other.top) - min(one.top, other.top) - one.side
    return max(across, down)


@given(SIZES, SIZES, st.integers(1, 60))
def test_tiles_do_not_overlap_and_leave_less_than_a_tile(width: int, height: int, tile: int) -> None:
    covered = np.zeros((height, width), int)
    for box in tiles(width, height, tile):
        assert box.cut(covered).shape == (tile, tile)
        box.cut(covered)[...] += 1
    assert covered.max() <= 1
    assert covered.sum() == (width // tile) * (height // tile) * tile * tile
