"""Keypoints in a look are those of the picture in that look."""

import numpy as np
import pytest

from lingshu.decontam.keypoints import find_keypoints
from lingshu.decontam.looks import LOOKS, Look, keypoints_in, pixels_in
from tests.corpora import scene


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_hashes_and_places_are_those_of_the_pixels(look: Look) -> None:
    pixels = scene(1, 256)[:200]
    told, seen = keypoints_in(look, find_keypoints(pixels)), find_keypoints(pixels_in(look, pixels))
    assert told.size == seen.size
    found = 0
    for x, y, sigma, code in zip(told.x, told.y, told.sigma, told.hashes[0], strict=True):
        near = np.hypot(seen.x - x, seen.y - y) < 2 * sigma  # octaves begin at the other side
        found += bool((np.bitwise_count(seen.hashes[0][near] ^ code) <= 8).any())
    assert found >= 0.9 * len(told)
    assert len(told) > 20
