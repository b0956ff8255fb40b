"""Which pictures of an index share keypoints with a picture, in one place, scale and turn: candidates for a crop.

Hashes are found by four bands of 16 bits: a hash at most 8 bits away agrees in at least one band with a probability of
about one half, and a handful of the hundred keypoints is enough. Importing this module imports numba.
"""

from __future__ import annotations

from cmath import phase
from collections.abc import Iterator, Sequence
from math import radians
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lingshu.core.compiled import compiled
from lingshu.decontam.keypoints import TURNS, Keypoints
from lingshu.decontam.looks import AS_IT_IS, Look, keypoints_in

BANDS = 4
KEYS = 1 << 16
NEAR_TURN = radians(6)  # of the turn that windows had: another fit is of matches that say nothing of it
NEAR_SCALE = 1.5  # likewise of the proposer's scale
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
    """A picture of the index that another picture may overlap.

    Attributes:
        picture: its number.
        look: of the other picture.
        guesses: where the other picture may lie on it: that of one keypoint, and that of all which agree with it.
    """

    picture: int
    look: Look
    guesses: tuple[Guess, Guess]


class Guess(NamedTuple):
    """Where a picture lies on another: turned back by `turn` radians about its middle, `x * scale + right`, …"""

    turn: float
    scale: float
    right: float
    down: float


def keypoint_index(pictures: Sequence[Keypoints]) -> KeypointIndex:
    """Return the index of pictures; their numbers are their places in the sequence."""
    lengths = [len(picture) for picture in pictures]
    hashes = np.concatenate([np.empty(0, np.uint64), *(picture.hashes[0] for picture in pictures)])
    columns = [np.stack([p.x, p.y, p.sigma], axis=1) for p in pictures]
    place = np.concatenate([np.empty((0, 3), np.float32), *columns])
    order = np.empty((BANDS, len(hashes)), dtype=np.int32)
    starts = np.zeros((BANDS, KEYS + 1), dtype=np.int64)
    for band in range(BANDS):
        keys = (hashes >> np.uint64(16 * band)) & np.uint64(KEYS - 1)
        order[band] = np.argsort(keys, kind="stable")
        starts[band, 1:] = np.cumsum(np.bincount(keys.astype(np.int64), minlength=KEYS))
    return KeypointIndex(np.repeat(np.arange(len(pictures), dtype=np.int32), lengths), place, hashes, order, starts)


def candidates(  # noqa: PLR0917
    picture: Keypoints, index: KeypointIndex, radius: int, least: int, most: int, looks: Sequence[Look] = (AS_IT_IS,)
) -> list[Candidate]:
    """Return the pictures of the index with at least `least` agreeing votes, the most votes first, each once.

    Args:
        picture: to look for.
        index: where to look.
        radius: bits by which the hashes of one keypoint in two pictures differ at most.
        least: votes of a candidate.
        most: candidates.
        looks: that the picture may have; turned by a few degrees is it only as it is.
    """
    best: dict[int, tuple[Look, tuple[int, int], _Proposal]] = {}
    for look in looks:
        seen = picture if look == AS_IT_IS else keypoints_in(look, picture)
        for hashes, turn in zip(seen.hashes, TURNS, strict=False):
            for one in _at(turn, _upright(seen, turn), _matches(hashes, index, radius), index, least):
                if one.picture not in best or one.votes > best[one.picture][2].votes:
                    best[one.picture] = look, seen.size, one
    ranked = sorted(best.values(), key=lambda found: (-found[2].votes, found[2].picture))[:most]
    return [Candidate(one.picture, look, _guesses(one, complex(*size) / 2)) for look, size, one in ranked]


class _Proposal(NamedTuple):
    """Places of matching keypoints of a picture and of one of the index, and the match with the most votes."""

    picture: int
    votes: int
    turn: float
    mine: NDArray[np.float32]
    theirs: NDArray[np.float32]
    proposer: int


def _at(
    turn: float, place: NDArray[np.float32], matches: NDArray[np.int64], index: KeypointIndex, least: int
) -> Iterator[_Proposal]:
    """Yield the pictures with votes enough for one turn."""
    if len(matches) < least:
        return
    owner = index.picture[matches[:, 1]]
    matches = matches[np.argsort(owner, kind="stable")]
    numbers, starts, counts = np.unique(index.picture[matches[:, 1]], return_index=True, return_counts=True)
    for number, start, count in zip(numbers, starts, counts, strict=True):
        if count < least:
            continue
        part = matches[start : start + count]
        mine, theirs = place[part[:, 0]], index.place[part[:, 1]]
        votes, proposer = _consensus(mine, theirs, part[:, 0])
        if votes >= least:
            yield _Proposal(int(number), int(votes), turn, mine, theirs, int(proposer))


def _guesses(one: _Proposal, middle: complex) -> tuple[Guess, Guess]:
    mine, theirs = one.mine[one.proposer], one.theirs[one.proposer]
    scale = float(theirs[2] / mine[2])
    right, down = (theirs[:2] - mine[:2] * scale).tolist()
    a, b = _fitted(one.mine, one.theirs, one.proposer)
    if abs(phase(a)) > NEAR_TURN or not 1 / NEAR_SCALE < abs(a) / scale < NEAR_SCALE:
        a, b = complex(scale), complex(right, down)  # too few matches, or on one line
    shift = a * middle + b - abs(a) * middle
    return Guess(one.turn, scale, right, down), Guess(one.turn - phase(a), abs(a), shift.real, shift.imag)


def _upright(picture: Keypoints, turn: float) -> NDArray[np.float32]:
    """Return x, y, sigma of keypoints in the picture turned back about its middle, shape (n, 3)."""
    if not turn:
        return np.stack([picture.x, picture.y, picture.sigma], axis=1)
    middle = picture.size[0] / 2, picture.size[1] / 2
    right, down = picture.x - middle[0], picture.y - middle[1]
    x = middle[0] + np.cos(turn) * right + np.sin(turn) * down
    y = middle[1] - np.sin(turn) * right + np.cos(turn) * down
    return np.stack([x, y, picture.sigma], axis=1).astype(np.float32)


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
def _consensus(mine: NDArray[np.float32], theirs: NDArray[np.float32], keypoint: NDArray[np.int64]) -> tuple[int, int]:
    """Return the most votes for one scale and shift, and the match that proposes these: each keypoint has one vote.

    Each match proposes; another agrees as `_agreeing` says.
    """
    best, proposer = 0, 0
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
            best, proposer = votes, h
    return best, proposer


def _agreeing(mine: NDArray[np.float32], theirs: NDArray[np.float32], proposer: int) -> NDArray[np.bool_]:
    """Tell which matches agree with one: shape (n,).

    Its scale is within a third of an octave, and its place within an eighth of its distance from the proposer plus two
    sigmas.
    """
    scale = theirs[proposer, 2] / mine[proposer, 2]
    ratio = theirs[:, 2] / mine[:, 2] / scale
    away = mine[:, :2] - mine[proposer, :2]
    apart = np.abs(theirs[proposer, :2] + away * scale - theirs[:, :2]).max(axis=1)
    slack = np.abs(away).sum(axis=1) * scale / 8 + 2 * theirs[proposer, 2]
    agrees: NDArray[np.bool_] = (ratio <= 1.26) & (ratio >= 0.794) & (apart <= slack)
    return agrees


def _fitted(mine: NDArray[np.float32], theirs: NDArray[np.float32], proposer: int) -> tuple[complex, complex]:
    """Return scale and turn `a`, and shift `b`: places as complex numbers go to `a * place + b`, least squares.

    Once more without the matches that are twice as far off as the one in the middle.
    """
    agrees = _agreeing(mine, theirs, proposer)
    one = mine[agrees, 0].astype(np.float64) + 1j * mine[agrees, 1]
    other = theirs[agrees, 0].astype(np.float64) + 1j * theirs[agrees, 1]
    a, b = _least_squares(one, other)
    off = np.abs(a * one + b - other)
    near = off <= 2 * np.median(off)
    return _least_squares(one[near], other[near])


def _least_squares(one: NDArray[np.complex128], other: NDArray[np.complex128]) -> tuple[complex, complex]:
    around = one - one.mean()
    spread = float(np.vdot(around, around).real)
    a = complex(np.vdot(around, other - other.mean())) / spread if spread else 1 + 0j
    return a, complex(other.mean() - a * one.mean())
