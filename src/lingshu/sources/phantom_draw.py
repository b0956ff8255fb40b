"""Drawing chest-film-like phantoms from a findings list. Generated pictures: no patient, no device, no diagnosis.

Geometry is in shares of the picture's side, x to the right and y down. As in a frontal film, the patient's left is on
the right of the picture. Brightness is 0 (black, air) to 1 (white). Nodules are the brightest thing in a picture, with
a radius of about 5 px when the picture is shown at 64 px, so that a 16-token vision tower can count them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]
AIR, TISSUE, LUNG, BONE, HEART, FLUID = 0.05, 0.42, 0.17, 0.07, 0.56, 0.58
OPACITY, NODULE = 0.6, 0.97
OPACITY_REACH = 0.18  # where the haze has fallen to 1 / e; half the height of a lung
LUNG_X, LUNG_Y, LUNG_RX, LUNG_RY = 0.225, 0.47, 0.17, 0.36
HEART_RX: dict[str, tuple[float, float]] = {"normal": (0.11, 0.13), "enlarged": (0.22, 0.25)}
FLUID_TOP: dict[str, tuple[float, float]] = {"small": (0.63, 0.67), "large": (0.41, 0.49)}
NODULE_RADIUS, NODULE_RADIUS_HARD = (0.068, 0.078), (0.048, 0.056)
NODULE_GAP = 0.03
NOISE = 0.018
NUM_RIBS = 7
TRIES = 200
IMAGE_SIDE: dict[str, float] = {"left": 1.0, "right": -1.0}


@dataclass(frozen=True, slots=True)
class Grid:
    """Body coordinates of every pixel: x to the right from the midline, y down, in shares of the picture's side."""

    x: Plane
    y: Plane


def draw(facts: Mapping[str, Any], rng: np.random.Generator, size: int, hard: bool) -> NDArray[np.uint8]:
    """Return a grey picture, shape (size, size), that shows the findings in `facts`.

    Args:
        facts: heart, effusion_side, effusion_level, nodule_count, nodule_side and opacity, checked.
        rng: all that varies without meaning (pose, exposure, noise, places within a lung) is drawn from it.
        size: height and width in pixels.
        hard: draws the smaller nodules of the harder counting set.
    """
    grid = _pose(rng, size)
    shade = _body(grid, rng)
    shade = _heart(shade, grid, facts["heart"], rng)
    shade = _effusion(shade, grid, facts, rng)
    shade = _opacity(shade, grid, facts["opacity"], rng)
    shade = shade + _exposure(rng, size)
    if count := facts["nodule_count"]:
        radius = rng.uniform(*(NODULE_RADIUS_HARD if hard else NODULE_RADIUS))
        for centre in _places(count, facts["nodule_side"], radius, rng):
            shade = shade + (NODULE - shade) * _ellipse(grid, centre, (radius, radius), 0.25)
    shade = shade + rng.normal(0.0, NOISE, shade.shape)
    pixels: NDArray[np.uint8] = np.clip(np.rint(shade * 255.0), 0, 255).astype(np.uint8)
    return pixels


def _pose(rng: np.random.Generator, size: int) -> Grid:
    """Return the coordinates of all pixels after a small random turn, shift and zoom of the body."""
    steps = (np.arange(size) + 0.5) / size - 0.5
    x, y = np.meshgrid(steps, steps)
    angle, zoom = rng.uniform(-0.06, 0.06), rng.uniform(0.95, 1.06)
    cos, sin = np.cos(angle) * zoom, np.sin(angle) * zoom
    shift_x, shift_y = rng.uniform(-0.03, 0.03, 2)
    turned_x, turned_y = x * cos - y * sin + shift_x, x * sin + y * cos + 0.5 + shift_y
    return Grid(turned_x, turned_y)


def _ellipse(grid: Grid, centre: tuple[float, float], radii: tuple[float, float], soft: float) -> Plane:
    """Return 1 inside, 0 outside, with an edge about `soft` wide (in shares of the radius)."""
    distance = np.sqrt(((grid.x - centre[0]) / radii[0]) ** 2 + ((grid.y - centre[1]) / radii[1]) ** 2)
    inside: Plane = np.clip((1.0 - distance) / soft + 0.5, 0.0, 1.0)
    return inside


def _lung(grid: Grid, side: str) -> Plane:
    return _ellipse(grid, (IMAGE_SIDE[side] * LUNG_X, LUNG_Y), (LUNG_RX, LUNG_RY), 0.08)


def _body(grid: Grid, rng: np.random.Generator) -> Plane:
    trunk = _ellipse(grid, (0.0, 0.62), (rng.uniform(0.45, 0.5), rng.uniform(0.62, 0.7)), 0.06)
    shade = AIR + (TISSUE - AIR) * trunk
    for side in IMAGE_SIDE:
        shade += (rng.uniform(-0.03, 0.03) + LUNG - shade) * _lung(grid, side)
    spacing, phase, bend = rng.uniform(0.095, 0.115), rng.uniform(0.0, 0.1), rng.uniform(0.5, 0.9)
    below_first = grid.y - 0.12 - phase - bend * (np.abs(grid.x) - 0.22) ** 2
    nearest = np.clip(np.rint(below_first / spacing), 0, NUM_RIBS - 1)
    shade += BONE * trunk * np.clip(1.0 - np.abs(below_first - nearest * spacing) / 0.016, 0.0, 1.0)
    spine = np.clip((0.055 - np.abs(grid.x)) / 0.02 + 0.5, 0.0, 1.0) * trunk
    body: Plane = shade + (0.52 - shade) * spine * 0.8
    return body


def _heart(shade: Plane, grid: Grid, value: str, rng: np.random.Generator) -> Plane:
    centre = (0.035 + rng.uniform(-0.01, 0.01), 0.64 + rng.uniform(-0.02, 0.02))
    radii = (rng.uniform(*HEART_RX[value]), rng.uniform(0.14, 0.16))
    return shade + (HEART - shade) * _ellipse(grid, centre, radii, 0.12)


def _effusion(shade: Plane, grid: Grid, facts: Mapping[str, Any], rng: np.random.Generator) -> Plane:
    side = facts["effusion_side"]
    if side not in IMAGE_SIDE:
        return shade
    outward = np.abs(grid.x - IMAGE_SIDE[side] * LUNG_X)
    surface = rng.uniform(*FLUID_TOP[facts["effusion_level"]]) - 1.2 * outward**2
    fluid = np.clip((grid.y - surface) / 0.03 + 0.5, 0.0, 1.0) * _lung(grid, side)
    return shade + (FLUID - shade) * fluid


def _opacity(shade: Plane, grid: Grid, side: str, rng: np.random.Generator) -> Plane:
    if side not in IMAGE_SIDE:
        return shade
    centre = (IMAGE_SIDE[side] * (LUNG_X + rng.uniform(-0.03, 0.03)), rng.uniform(0.27, 0.36))
    squared = ((grid.x - centre[0]) ** 2 + (grid.y - centre[1]) ** 2) / OPACITY_REACH**2
    haze: Plane = np.exp(-squared)
    return shade + (OPACITY - shade) * rng.uniform(0.85, 1.0) * haze * _lung(grid, side)


def _exposure(rng: np.random.Generator, size: int) -> Plane:
    """Return a smooth random field (5 x 5 knots, bilinear): uneven exposure, which also keeps hashes apart."""
    knots = rng.uniform(-0.07, 0.07, (5, 5))
    place = np.linspace(0.0, 4.0, size)
    low = np.minimum(place.astype(int), 3)
    weights = np.zeros((size, 5))
    weights[np.arange(size), low] = 1.0 - (place - low)
    weights[np.arange(size), low + 1] = place - low
    field: Plane = weights @ knots @ weights.T
    return field


def _places(count: int, side: str, radius: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Return centres inside one lung that keep a gap between nodules; starts over when a lung is filled badly."""
    room = (LUNG_RX - 0.75 * radius, LUNG_RY - 0.9 * radius)
    while True:
        found: list[tuple[float, float]] = []
        for _ in range(TRIES):
            u, v = rng.uniform(-1.0, 1.0, 2)
            if u * u + v * v > 1.0:
                continue
            centre = (IMAGE_SIDE[side] * LUNG_X + u * room[0], LUNG_Y + v * room[1])
            if all(np.hypot(centre[0] - a, centre[1] - b) > 2 * radius + NODULE_GAP for a, b in found):
                found.append(centre)
            if len(found) == count:
                return found
