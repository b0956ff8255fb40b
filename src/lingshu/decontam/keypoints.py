"""Places of a picture that survive cropping and scaling, each with a hash of its surroundings.

Extrema of differences of Gaussians (Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", 2004, sections 3
and 4). The hash is the sign of the lowest DCT coefficients of a window in proportion to the scale, so it does not
depend on brightness and contrast. Windows are upright, because a crop does not turn a picture, and tell more so than
ones that follow the gradient; small turns are looked for by windows at a few turns. Importing this module imports
numba.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, radians

import numpy as np
from numpy.typing import NDArray

from lingshu.core.compiled import compiled

SIDE = 256  # pixels of the longer side of the pictures looked at
MOST = 300  # keypoints of a picture, the strongest
INTERVALS = 3  # scales an octave
FIRST_SIGMA = 1.6  # pixels, of the first scale
GIVEN_SIGMA = 0.5  # pixels, blur that a picture comes with
SMALLEST_OCTAVE = 16  # pixels of the shorter side
CONTRAST = 0.6  # grey levels of 255 that an extremum differs by at least
EDGE = (10.0 + 1.0) ** 2 / 10.0  # largest (trace^2 / determinant) of the Hessian: an edge is no place
GRID = 16  # samples a side of a window
SPACING = 0.8  # of the samples, in sigmas
LOW = 8  # DCT coefficients a side that are kept
MARGIN = 3.0  # sigmas that a keypoint keeps from the border
TURNS = tuple(
    radians(degrees) for degrees in (0, -4, 4, -8, 8, -12, 12, -16, 16)
)  # of windows; others lie within two degrees


@dataclass(frozen=True, slots=True)
class Keypoints:
    """Keypoints of one picture.

    Attributes:
        x: in pixels of the picture at `SIDE`, shape (n,).
        y: likewise.
        sigma: likewise.
        hashes: of windows at each of `TURNS`, or upright ones only, shape (turns, n).
        size: width and height of the picture at `SIDE`.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    sigma: NDArray[np.float32]
    hashes: NDArray[np.uint64]
    size: tuple[int, int]

    def __len__(self) -> int:
        """Return their number."""
        return len(self.x)


def find_keypoints(grey: NDArray[np.uint8], turns: tuple[float, ...] = TURNS) -> Keypoints:
    """Return the strongest keypoints of a picture, shape (height, width), whose longer side is `SIDE`."""
    found = [np.empty((0, 5), dtype=np.float32)]
    hashes = [np.empty((len(turns), 0), dtype=np.uint64)]
    basis = _basis()
    image = blur(grey.astype(np.float32), float(np.sqrt(FIRST_SIGMA**2 - GIVEN_SIGMA**2)))
    factor = 1.0
    while min(image.shape) >= SMALLEST_OCTAVE:
        levels = _octave(image)
        rows = _extrema(np.diff(levels, axis=0), CONTRAST, EDGE, FIRST_SIGMA, INTERVALS, MARGIN)
        hashes.append(np.stack([_hash_windows(levels, rows, basis, SPACING, turn) for turn in turns]))
        rows[:, :3] *= factor
        found.append(rows)
        image = np.ascontiguousarray(levels[INTERVALS, ::2, ::2])
        factor *= 2.0
    rows = np.concatenate(found)
    order = np.argsort(-rows[:, 3], kind="stable")[:MOST]
    kept = np.concatenate(hashes, axis=1)[:, order]
    return Keypoints(rows[order, 0], rows[order, 1], rows[order, 2], kept, (grey.shape[1], grey.shape[0]))


def _octave(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `INTERVALS` + 3 ever more blurred copies; the first has sigma `FIRST_SIGMA`."""
    step = 2.0 ** (1.0 / INTERVALS)
    levels = [image]
    for number in range(1, INTERVALS + 3):
        before = FIRST_SIGMA * step ** (number - 1)
        levels.append(blur(levels[-1], before * float(np.sqrt(step**2 - 1))))
    return np.stack(levels)


def blur(image: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Return the picture under a Gaussian of `sigma` pixels; beyond its border it goes on as its edge."""
    radius = ceil(3 * sigma)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return _convolve(image, (weights / weights.sum()).astype(np.float32))


def _basis() -> NDArray[np.float32]:
    """Return the `LOW` lowest DCT-II vectors of length `GRID`, shape (LOW, GRID)."""
    frequency, place = np.arange(LOW)[:, None], np.arange(GRID)[None, :]
    return np.cos(np.pi * frequency * (2 * place + 1) / (2 * GRID)).astype(np.float32)


@compiled
def _convolve(image: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the picture convolved along both axes; beyond its border it goes on as its edge."""
    height, width = image.shape
    radius = len(weights) // 2
    out = np.zeros_like(image)
    line = np.empty(width + 2 * radius, dtype=np.float32)
    for y in range(height):
        line[:] = 0
        for k in range(len(weights)):  # innermost loops over neighbours in memory: that is what vector registers do
            weight, source = weights[k], min(max(y + k - radius, 0), height - 1)
            for x in range(width):
                line[radius + x] += weight * image[source, x]
        for x in range(radius):
            line[x], line[radius + width + x] = line[radius], line[radius + width - 1]
        for k in range(len(weights)):
            weight = weights[k]
            for x in range(width):
                out[y, x] += weight * line[k + x]
    return out


@compiled
def _is_extremum(levels: NDArray[np.float32], s: int, y: int, x: int) -> bool:
    value = levels[s, y, x]
    for ds in range(-1, 2):
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                other = levels[s + ds, y + dy, x + dx]
                if (ds != 0 or dy != 0 or dx != 0) and (other >= value if value > 0 else other <= value):
                    return False
    return True


@compiled
def _on_edge(level: NDArray[np.float32], y: int, x: int, limit: float) -> bool:
    """Tell whether the level is curved much more in one direction than across it."""
    xx = level[y, x + 1] + level[y, x - 1] - 2 * level[y, x]
    yy = level[y + 1, x] + level[y - 1, x] - 2 * level[y, x]
    xy = (level[y + 1, x + 1] - level[y + 1, x - 1] - level[y - 1, x + 1] + level[y - 1, x - 1]) / 4
    determinant = xx * yy - xy * xy
    return bool(determinant <= 0 or (xx + yy) ** 2 / determinant >= limit)


@compiled
def _offset(before: float, middle: float, after: float) -> float:
    """Return where the parabola through three values has its extremum, within half a step."""
    curve = before + after - 2 * middle
    return 0.0 if curve == 0 else min(0.5, max(-0.5, 0.5 * (before - after) / curve))


@compiled
def _extrema(  # noqa: PLR0917 (compiled functions are called by position)
    levels: NDArray[np.float32], contrast: float, edge: float, first: float, intervals: int, margin: float
) -> NDArray[np.float32]:
    """Return x, y, sigma (pixels of this octave), strength and level of each extremum, shape (n, 5)."""
    scales, height, width = levels.shape
    rows = []
    for s in range(1, scales - 1):
        border = max(1, int(margin * first * 2.0 ** (s / intervals)))
        for y in range(border, height - border):
            for x in range(border, width - border):
                value = levels[s, y, x]
                if abs(value) < contrast or not _is_extremum(levels, s, y, x) or _on_edge(levels[s], y, x, edge):
                    continue
                right = x + _offset(levels[s, y, x - 1], value, levels[s, y, x + 1])
                low = y + _offset(levels[s, y - 1, x], value, levels[s, y + 1, x])
                scale = s + _offset(levels[s - 1, y, x], value, levels[s + 1, y, x])
                rows.append((right, low, first * 2.0 ** (scale / intervals), abs(value), float(s)))
    out = np.empty((len(rows), 5), dtype=np.float32)
    for number in range(len(rows)):
        out[number, 0], out[number, 1], out[number, 2] = rows[number][0], rows[number][1], rows[number][2]
        out[number, 3], out[number, 4] = rows[number][3], rows[number][4]
    return out


@compiled
def _sample(image: NDArray[np.float32], y: float, x: float) -> float:
    """Return the bilinear value; beyond its border the picture goes on as its edge."""
    height, width = image.shape
    y = min(max(y, 0.0), height - 1.001)
    x = min(max(x, 0.0), width - 1.001)
    top, left = int(y), int(x)
    dy, dx = y - top, x - left
    upper = image[top, left] * (1 - dx) + image[top, left + 1] * dx
    lower = image[top + 1, left] * (1 - dx) + image[top + 1, left + 1] * dx
    return float(upper * (1 - dy) + lower * dy)


@compiled
def _hash_windows(
    levels: NDArray[np.float32], rows: NDArray[np.float32], basis: NDArray[np.float32], spacing: float, turn: float
) -> NDArray[np.uint64]:
    """Return for each keypoint the signs of the lowest DCT coefficients but the first of its window, 63 bits.

    The window is turned by `turn` radians about the keypoint.
    """
    low, grid = basis.shape
    cosine, sine = np.cos(turn), np.sin(turn)
    window = np.empty((grid, grid), dtype=np.float32)
    rowwise = np.empty((grid, low), dtype=np.float32)
    hashes = np.zeros(len(rows), dtype=np.uint64)
    for number in range(len(rows)):
        x, y, sigma = rows[number, 0], rows[number, 1], rows[number, 2]
        level = levels[int(rows[number, 4])]
        for i in range(grid):
            for j in range(grid):
                down, right = (i - (grid - 1) / 2) * spacing * sigma, (j - (grid - 1) / 2) * spacing * sigma
                window[i, j] = _sample(level, y + sine * right + cosine * down, x + cosine * right - sine * down)
        for i in range(grid):
            for v in range(low):
                part = np.float32(0)
                for j in range(grid):
                    part += window[i, j] * basis[v, j]
                rowwise[i, v] = part
        value = np.uint64(0)
        for u in range(low):
            for v in range(low):
                if u + v == 0:
                    continue
                total = np.float32(0)
                for i in range(grid):
                    total += rowwise[i, v] * basis[u, i]
                value = (value << np.uint64(1)) | np.uint64(total > 0)
        hashes[number] = value
    return hashes
