"""Whether two pictures show the same thing where one is laid over the other: correlation of their details.

Broad light and dark are alike in all chest films; edges and texture are not. So what is correlated is each picture less
its local mean. Importing this module imports numba.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import radians
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lingshu.core.compiled import compiled
from lingshu.decontam.keypoints import blur
from lingshu.decontam.votes import Guess

GRID = 64  # samples a side of the part that both show
RADIUS = 5  # samples that the local mean reaches to each side
CELLS = 4  # parts a side that are also looked at one by one
QUIET = 0.1  # of the mean energy: a cell with less in both pictures shows nothing
ROUNDS = 6  # of the search; each halves its steps
FIRST_SHIFT = 4.0  # pixels
FIRST_STRETCH = 0.06
FIRST_TURN = radians(2)  # as far as a keypoint's window is from the turn at most
HOPELESS = 0.5  # agreement after a round below which a guess is given up: no copy of `perf/crops.py` is lost by it
SOFTNESS = 1.2  # pixels of blur before two pictures are laid on each other


class Overlay(NamedTuple):
    """Where a picture lies on another: `x * wide + right`, `y * high + down`, and how well they agree there.

    Attributes:
        turn: radians by which this picture is turned about its middle; x and y are those of the picture turned back.
        agreement: correlation of details over all of the common part, in [-1, 1].
        weakest: of the `CELLS` x `CELLS` parts that show something, the correlation that a quarter stays below.
        mine: share of this picture's area in the common part; of a turned one, of what has no empty corner.
        theirs: share of the other picture's area.
    """

    wide: float
    high: float
    right: float
    down: float
    turn: float
    agreement: float
    weakest: float
    mine: float
    theirs: float


@compiled
def details(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return samples, shape (n, n), less the mean of those at most `RADIUS` away."""
    size = len(grid)
    total = np.zeros((size + 1, size + 1), dtype=np.float64)
    for y in range(size):
        line = 0.0
        for x in range(size):
            line += grid[y, x]
            total[y + 1, x + 1] = total[y, x + 1] + line
    out = np.empty_like(grid)
    for y in range(size):
        top, bottom = max(0, y - RADIUS), min(size, y + RADIUS + 1)
        for x in range(size):
            left, right = max(0, x - RADIUS), min(size, x + RADIUS + 1)
            inside = total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
            out[y, x] = grid[y, x] - inside / ((bottom - top) * (right - left))
    return out


@compiled
def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> tuple[float, float]:
    """Return the correlation of two details, and the smaller of their energies."""
    cross = mine = theirs = 0.0
    for y in range(one.shape[0]):
        for x in range(one.shape[1]):
            cross += one[y, x] * other[y, x]
            mine += one[y, x] * one[y, x]
            theirs += other[y, x] * other[y, x]
    energy = min(mine, theirs) / one.size
    return (cross / np.sqrt(mine * theirs) if energy > 1e-3 else 0.0), energy


@compiled
def agreement(one: NDArray[np.float32], other: NDArray[np.float32]) -> tuple[float, float]:
    """Return the correlation of two details, shape (GRID, GRID), and its lower quartile over cells that show something.

    A picture without details agrees with none.
    """
    whole, _ = _correlation(one, other)
    step = len(one) // CELLS
    strength = np.empty(CELLS * CELLS)
    values = np.empty(CELLS * CELLS)
    energy, their_energy = max((one * one).mean(), 1e-6), max((other * other).mean(), 1e-6)
    for cell in range(CELLS * CELLS):
        y, x = cell // CELLS * step, cell % CELLS * step
        mine, theirs = one[y : y + step, x : x + step], other[y : y + step, x : x + step]
        values[cell], _ = _correlation(mine, theirs)
        strength[cell] = max((mine * mine).mean() / energy, (theirs * theirs).mean() / their_energy)
    seen = np.sort(values[strength >= QUIET])
    return whole, (seen[len(seen) // 4] if len(seen) else 0.0)


@compiled
def _sampled(
    image: NDArray[np.float32], box: tuple[float, float, float, float], turn: float, size: int
) -> NDArray[np.float32]:
    """Return bilinear samples of `image` at the middles of size x size cells of the box (left, top, right, bottom).

    The box is one of the picture turned back by `turn` about its middle.
    """
    height, width = image.shape
    cosine, sine = np.cos(turn), np.sin(turn)
    out = np.empty((size, size), dtype=np.float32)
    for i in range(size):
        below = box[1] + (i + 0.5) * (box[3] - box[1]) / size - height / 2.0
        for j in range(size):
            across = box[0] + (j + 0.5) * (box[2] - box[0]) / size - width / 2.0
            y = min(max(height / 2.0 + sine * across + cosine * below - 0.5, 0.0), height - 1.001)
            x = min(max(width / 2.0 + cosine * across - sine * below - 0.5, 0.0), width - 1.001)
            top, left = int(y), int(x)
            upper = image[top, left] * (1 - x + left) + image[top, left + 1] * (x - left)
            lower = image[top + 1, left] * (1 - x + left) + image[top + 1, left + 1] * (x - left)
            out[i, j] = upper * (1 - y + top) + lower * (y - top)
    return out


@compiled
def _largest(width: float, height: float, turn: float) -> float:
    """Return the share of its sides that a picture turned back by `turn` can be cut to without an empty corner."""
    cosine, sine = np.cos(turn), abs(np.sin(turn))
    return float(min(width / (width * cosine + height * sine), height / (width * sine + height * cosine)))


@compiled
def _common(
    mine: NDArray[np.float32], theirs: NDArray[np.float32], where: NDArray[np.float64]
) -> tuple[tuple[float, float, float, float], tuple[float, float, float, float]]:
    """Return the part that both show as a box in each picture; an empty one has no width or height.

    Of a picture that is turned back it is within the largest box of its shape that has no empty corner.
    """
    wide, high, right, down, turn = where
    across, below = mine.shape[1] / 2.0, mine.shape[0] / 2.0
    share = _largest(mine.shape[1], mine.shape[0], turn)
    left, top = max(across * (1 - share), -right / wide), max(below * (1 - share), -down / high)
    end = min(across * (1 + share), (theirs.shape[1] - right) / wide)
    bottom = min(below * (1 + share), (theirs.shape[0] - down) / high)
    other = (left * wide + right, top * high + down, end * wide + right, bottom * high + down)
    return (left, top, end, bottom), other


@compiled
def _agree_at(
    mine: NDArray[np.float32], theirs: NDArray[np.float32], where: NDArray[np.float64], size: int
) -> tuple[float, float]:
    box, other = _common(mine, theirs, where)
    if box[2] - box[0] < 8 or box[3] - box[1] < 8 or other[2] - other[0] < 8 or other[3] - other[1] < 8:
        return -1.0, -1.0
    return agreement(details(_sampled(mine, box, where[4], size)), details(_sampled(theirs, other, 0.0, size)))


@compiled
def _climb(mine: NDArray[np.float32], theirs: NDArray[np.float32], where: NDArray[np.float64]) -> float:
    """Move `where` to the best agreement near it, one number at a time in ever smaller steps; return that agreement."""
    best, _ = _agree_at(mine, theirs, where, GRID)
    steps = np.array([FIRST_STRETCH, FIRST_STRETCH, FIRST_SHIFT, FIRST_SHIFT, FIRST_TURN])
    middle = (mine.shape[1] / 2.0, mine.shape[0] / 2.0)
    for _ in range(ROUNDS):
        for _again in range(2):
            for axis in range(5):
                for sign in (-1.0, 1.0):
                    moved = where.copy()
                    if axis < 2:  # stretch about the middle, so that the shift stays right
                        moved[axis] *= 1 + sign * steps[axis]
                        moved[axis + 2] -= middle[axis] * (moved[axis] - where[axis])
                    else:
                        moved[axis] += sign * steps[axis]
                    value, _ = _agree_at(mine, theirs, moved, GRID)
                    if value > best:
                        best = value
                        where[:] = moved
        if best < HOPELESS:
            break
        steps /= 2
    return best


def overlay(mine: NDArray[np.float32], theirs: NDArray[np.float32], guesses: Sequence[Guess]) -> Overlay:
    """Return the best overlay near the best of some guesses.

    Args:
        mine: grey picture, shape (height, width), blurred a little.
        theirs: the other one.
        guesses: where `mine` lies on `theirs`.
    """
    tried = [np.array([guess.scale, guess.scale, guess.right, guess.down, guess.turn]) for guess in guesses]
    where = max(tried, key=lambda one: _agree_at(mine, theirs, one, GRID)[0])
    _climb(mine, theirs, where)
    whole, weakest = _agree_at(mine, theirs, where, GRID)
    box, other = _common(mine, theirs, where)
    all_mine = _largest(mine.shape[1], mine.shape[0], where[4]) ** 2 * mine.size
    area = max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]) / all_mine
    their_area = max(0.0, other[2] - other[0]) * max(0.0, other[3] - other[1]) / theirs.size
    wide, high, across, below, turn = where.tolist()
    return Overlay(wide, high, across, below, turn, whole, weakest, area, their_area)


def common_parts(
    mine: NDArray[np.float32], theirs: NDArray[np.float32], laid: Overlay
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the part that both pictures show, sampled from each, shape (GRID, GRID)."""
    box, other = _common(mine, theirs, np.array([laid.wide, laid.high, laid.right, laid.down, laid.turn]))
    return _sampled(mine, box, laid.turn, GRID), _sampled(theirs, other, 0.0, GRID)


def levelled(mine: NDArray[np.float32], theirs: NDArray[np.float32]) -> tuple[float, float]:
    """Return `agreement` of two parts once the levels of one are those of the other, the better of both ways.

    The n-th darkest sample of one takes the level of the n-th darkest of the other: so a window or a curve that keeps
    the order of levels makes no difference, even one that cuts levels off.
    """
    both = (_with_levels(mine, theirs), theirs), (mine, _with_levels(theirs, mine))
    return max(agreement(details(one), details(other)) for one, other in both)


def _with_levels(part: NDArray[np.float32], of: NDArray[np.float32]) -> NDArray[np.float32]:
    out = np.empty_like(part)
    out.ravel()[np.argsort(part, axis=None, kind="stable")] = np.sort(of, axis=None)
    return out


def softened(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a picture blurred a little, so that samples between pixels vary smoothly."""
    return blur(picture.astype(np.float32), SOFTNESS)
