"""Whether a picture is a crop of others that its keypoints propose: each is laid exactly, and compared there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lingshu.core.hashes import dhash, dhash_thumbnail, phash, phash_thumbnail
from lingshu.decontam.alignment import common_parts, levelled, overlay, softened
from lingshu.decontam.looks import Look, pixels_in
from lingshu.decontam.votes import Guess


class Other(NamedTuple):
    """A picture that is proposed: its number, its pixels, and where the one looked for may lie on it in which look."""

    number: int
    pixels: NDArray[np.uint8]
    look: Look
    guesses: tuple[Guess, Guess]


@dataclass(frozen=True, slots=True)
class Case:
    """A picture at working size, and those proposed."""

    pixels: NDArray[np.uint8]
    others: tuple[Other, ...]


@dataclass(frozen=True, slots=True)
class CropRule:
    """When one picture is a crop of another.

    Attributes:
        agreement: least correlation of details in the part that both show.
        weakest: least lower quartile of the correlations of its parts that show something.
        common: least share of one of the pictures that both show.
        radius: largest distance in bits of the parts' pHashes or dHashes.
    """

    agreement: float
    weakest: float
    common: float
    radius: int


def crops_among(case: Case, rule: CropRule) -> dict[int, int]:
    """Return the numbers of those that are crops, or hold one, and the distance in bits."""
    found: dict[int, int] = {}
    for other in case.others:
        mine = softened(pixels_in(other.look, case.pixels))
        theirs = softened(other.pixels)
        laid = overlay(mine, theirs, other.guesses)
        if max(laid.mine, laid.theirs) < rule.common:
            continue
        parts = common_parts(mine, theirs, laid)
        if not _agrees(laid.agreement, laid.weakest, rule) and not _agrees(*levelled(*parts), rule):
            continue
        distance = _distance(*parts)
        if distance <= rule.radius:
            found[other.number] = distance
    return found


def _agrees(whole: float, weakest: float, rule: CropRule) -> bool:
    return whole >= rule.agreement and weakest >= rule.weakest


def _distance(mine: NDArray[np.float32], theirs: NDArray[np.float32]) -> int:
    """Return the lesser of the bits between the pHashes and between the dHashes of two parts, shape (GRID, GRID)."""
    parts = [Image.fromarray(part.astype(np.uint8)) for part in (mine, theirs)]
    hashes = (
        phash(np.stack([phash_thumbnail(part) for part in parts])),
        dhash(np.stack([dhash_thumbnail(part) for part in parts])),
    )
    return min(int(one ^ other).bit_count() for one, other in (pair.tolist() for pair in hashes))
