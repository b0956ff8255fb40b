"""Which pictures of an index share keypoints with a picture, in one place and at one scale: candidates for a crop.

Hashes are found by four bands of 16 bits: a hash at most 8 bits away agrees in at least one band with a probability of
about one half, and a handful of the hundred keypoints is enough. Importing this module imports numba.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lingshu.core.compiled import compiled
from lingshu.decontam.keypoints import Keypoints

BANDS = 4
KEYS = 1 << 16
CROWD = 4096  # keypoints with one band in common: more are a shape that every picture has, and are passed over
SIGNS = np.uint64(0x5555555555555555)
PAIRS = np.uint64(0x3333333333333333)
NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)
BYTES = np.uint64(0x0101010101010101)


class KeypointIndex(NamedTuple):
    """The keypoints of all pictures of an index.

    Attributes:
        picture: number of the picture of each keypoint.
        place: x, y, sigma of each, shape (keypoints, 3).
        hashes: of each.
        order: for each band the keypoints ordered by it, shape (BANDS, keypoints).
        starts: for each band and each of its values the first place in `order`, shape (BANDS, KEYS + 1).
    """

    picture: NDArray[np.int32]
    place: NDArray[np.float32]
    hashes: NDArray[np.uint64]
    order: NDArray[np.int32]
    starts: NDArray[np.int64]


class Candidate(NamedTuple):
    """A picture of the index: its number, votes, and where the other picture's x, y go: `x * scale + right`, …"""

    picture: int
    votes: int
    scale: float
    right: float
    down: float


def keypoint_index(pictures: Sequence[Keypoints]) -> KeypointIndex:
    """Return the index of pictures; their numbers are their places in the sequence."""
    lengths = [len(picture) for picture in pictures]
    hashes = np.concatenate([np.empty(0, np.uint64), *(picture.hashes for picture in pictures)])
    columns = [np.stack([p.x, p.y, p.sigma], axis=1) for p in pictures]
    place = np.concatenate([np.empty((0, 3), np.float32), *columns])
    order = np.empty((BANDS, len(hashes)), dtype=np.int32)
    starts = np.zeros((BANDS, KEYS + 1), dtype=np.int64)
    for band in range(BANDS):
        keys = (hashes >> np.uint64(16 * band)) & np.uint64(KEYS - 1)
        order[band] = np.argsort(keys, kind="stable")
        starts[band, 1:] = np.cumsum(np.bincount(keys.astype(np.int64), minlength=KEYS))
    return KeypointIndex(np.repeat(np.arange(len(pictures), dtype=np.int32), lengths), place, hashes, order, starts)


def candidates(picture: Keypoints, index: KeypointIndex, radius: int, least: int, most: int) -> list[Candidate]:
    """Return the pictures of the index with at least `least` agreeing votes, the most votes first, at most `most`.

    Args:
        picture: to look for.
        index: where to look.
        radius: bits by which the hashes of one keypoint in two pictures differ at most.
        least: votes of a candidate.
        most: candidates.
    """
    place = np.stack([picture.x, picture.y, picture.sigma], axis=1)
    matches = _matches(picture.hashes, index, radius)
    if len(matches) < least:
        return []
    owner = index.picture[matches[:, 1]]
    matches = matches[np.argsort(owner, kind="stable")]
    numbers, starts, counts = np.unique(index.picture[matches[:, 1]], return_index=True, return_counts=True)
    found: list[Candidate] = []
    for number, start, count in zip(numbers, starts, counts, strict=True):
        if count < least:
            continue
        part = matches[start : start + count]
        votes, scale, right, down = _consensus(place[part[:, 0]], index.place[part[:, 1]], part[:, 0])
        if votes >= least:
            found.append(Candidate(int(number), int(votes), scale, right, down))
    return sorted(found, key=lambda one: (-one.votes, one.picture))[:most]


@compiled
def _ones(value: np.uint64) -> np.uint64:
    value = value - ((value >> np.uint64(1)) & SIGNS)
    value = (value & PAIRS) + ((value >> np.uint64(2)) & PAIRS)
    value = (value + (value >> np.uint64(4))) & NIBBLES
    return (value * BYTES) >> np.uint64(56)


@compiled
def _matches(hashes: NDArray[np.uint64], index: KeypointIndex, radius: int) -> NDArray[np.int64]:
    """Return pairs (keypoint, keypoint of the index) within the radius that agree in a band, shape (n, 2)."""
    pairs = []
    limit = np.uint64(radius)
    for number in range(len(hashes)):
        for band in range(BANDS):
            key = np.int64((hashes[number] >> np.uint64(16 * band)) & np.uint64(KEYS - 1))
            start, end = index.starts[band, key], index.starts[band, key + 1]
            if end - start > CROWD:
                continue
            for at in range(start, end):
                other = np.int64(index.order[band, at])
                change = hashes[number] ^ index.hashes[other]
                if _ones(change) > limit:
                    continue
                below = (np.uint64(1) << np.uint64(16 * band)) - np.uint64(1)
                if not _agrees_below(change & below, band):
                    pairs.append((number, other))
    out = np.empty((len(pairs), 2), dtype=np.int64)
    for number in range(len(pairs)):
        out[number, 0], out[number, 1] = pairs[number][0], pairs[number][1]
    return out


@compiled
def _agrees_below(change: np.uint64, band: int) -> bool:
    """Tell whether an earlier band agrees, so that the pair was taken already."""
    agrees = False
    for earlier in range(band):
        agrees |= (change >> np.uint64(16 * earlier)) & np.uint64(KEYS - 1) == np.uint64(0)
    return agrees


@compiled
def _consensus(
    mine: NDArray[np.float32], theirs: NDArray[np.float32], keypoint: NDArray[np.int64]
) -> tuple[int, float, float, float]:
    """Return the most votes for one scale and shift, and these: each keypoint has one vote.

    Each match proposes; another agrees if its scale is within a third of an octave, and its place within an eighth of
    its distance from the proposer plus two sigmas.
    """
    best, best_scale, best_right, best_down = 0, 1.0, 0.0, 0.0
    for h in range(min(len(mine), 200)):
        scale = theirs[h, 2] / mine[h, 2]
        votes, last = 0, np.int64(-1)
        for m in range(len(mine)):
            ratio = theirs[m, 2] / mine[m, 2] / scale
            if keypoint[m] == last or ratio > 1.26 or ratio < 0.794:
                continue
            x = theirs[h, 0] + (mine[m, 0] - mine[h, 0]) * scale
            y = theirs[h, 1] + (mine[m, 1] - mine[h, 1]) * scale
            away = abs(mine[m, 0] - mine[h, 0]) + abs(mine[m, 1] - mine[h, 1])
            slack = away * scale / 8 + 2 * theirs[h, 2]
            if abs(x - theirs[m, 0]) <= slack and abs(y - theirs[m, 1]) <= slack:
                votes += 1
                last = keypoint[m]
        if votes > best:
            best, best_scale = votes, scale
            best_right, best_down = theirs[h, 0] - mine[h, 0] * scale, theirs[h, 1] - mine[h, 1] * scale
    return best, best_scale, best_right, best_down
