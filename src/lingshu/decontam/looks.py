"""The looks that a crop may have: turned by quarters, mirrored, in negative; of keypoints and of pixels.

A hash holds the signs of DCT coefficients (u, v): mirroring changes those with an odd v, turning upside down those with
an odd u, a negative all, and to swap x and y swaps u and v. So no window is sampled again.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lingshu.decontam.keypoints import LOW, Keypoints

COEFFICIENTS = [(u, v) for u, v in product(range(LOW), repeat=2) if u + v]  # the highest bit first
SHIFTS = np.arange(len(COEFFICIENTS), dtype=np.uint64)[::-1]  # of their bits
SWAPPED = [COEFFICIENTS.index((v, u)) for u, v in COEFFICIENTS]
ALL = np.uint64((1 << len(COEFFICIENTS)) - 1)


class Look(NamedTuple):
    """What is done, in this order; nothing of a picture as it is."""

    swapped: bool  # x and y
    mirrored: bool
    upside_down: bool
    negative: bool


LOOKS = [Look(*made) for made in product((False, True), repeat=4)]
AS_IT_IS = LOOKS[0]


def pixels_in(look: Look, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture, shape (height, width), in a look."""
    seen = pixels.T if look.swapped else pixels
    seen = seen[:, ::-1] if look.mirrored else seen
    seen = seen[::-1] if look.upside_down else seen
    return np.ascontiguousarray(255 - seen if look.negative else seen)


def keypoints_in(look: Look, picture: Keypoints) -> Keypoints:
    """Return the keypoints that a picture has in a look, with the hashes of upright windows."""
    x, y, size, hashes = picture.x, picture.y, picture.size, picture.hashes[:1]
    if look.swapped:
        x, y, size, hashes = y, x, (size[1], size[0]), _swapped(hashes)
    if look.mirrored:
        x, hashes = size[0] - 1 - x, hashes ^ _signs(odd_u=False)
    if look.upside_down:
        y, hashes = size[1] - 1 - y, hashes ^ _signs(odd_u=True)
    return replace(picture, x=x, y=y, size=size, hashes=hashes ^ ALL if look.negative else hashes)


def _signs(*, odd_u: bool) -> np.uint64:
    bits = [(u if odd_u else v) % 2 for u, v in COEFFICIENTS]
    return np.uint64(int("".join(map(str, bits)), 2))


def _swapped(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = (hashes[..., None] >> SHIFTS[SWAPPED]) & np.uint64(1)
    swapped: NDArray[np.uint64] = np.bitwise_or.reduce(bits << SHIFTS, axis=-1)
    return swapped
