"""Showing a real picture a little differently each time: a thousand pictures are few, and a model learns their looks.

A variation changes size, place, tilt, brightness curve, grey scale, sharpness and noise, never left and right, so no
fact about modality, plane, side or body part changes. What is done depends on seed, stage and the picture's place in
the run's order alone: a run that was killed goes on with the same variations.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, conv2d, grid_sample

from lingshu.core.ids import stable_hash
from lingshu.modeling.collate import Grid, Pictures
from lingshu.modeling.load import Processor
from lingshu.training.params import VaryParams

DARK = 0.12  # of full brightness; what is darker is background and stays dark when the grey scale is turned round
WHITE = 1.1  # a turned grey scale is WHITE minus the old one, so that it stays brighter than the background
COLOUR = 0.05  # difference of channels from which a picture has colour: a stain must not become another one


@dataclass(frozen=True, slots=True)
class Patching:
    """How the processor lays pixels out as patches, and its colour scale (per channel)."""

    patch: int
    merge: int
    frames: int
    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, processor: Processor) -> Patching:
        """Return the processor's own."""
        settings = processor.image_processor
        mean, std = (torch.tensor(values)[:, None, None] for values in (settings.image_mean, settings.image_std))
        return cls(settings.patch_size, settings.merge_size, settings.temporal_patch_size, mean, std)

    def pixels(self, patches: Tensor, grid: Grid) -> Tensor:
        """Return patches of one picture as colours from 0 to 1, shape (3, height, width)."""
        _, height, width = grid
        size, merge = self.patch, self.merge
        parts = patches.reshape(height // merge, width // merge, merge, merge, 3, self.frames, size, size)[..., 0, :, :]
        scaled = parts.permute(4, 0, 2, 5, 1, 3, 6).reshape(3, height * size, width * size)
        return (scaled * self.std + self.mean).clamp(0.0, 1.0)

    def patches(self, pixels: Tensor, grid: Grid) -> Tensor:
        """Return colours, shape (pictures, 3, height, width), as patches, shape (pictures, patches, values)."""
        _, height, width = grid
        size, merge = self.patch, self.merge
        scaled = (pixels - self.mean) / self.std
        parts = scaled.reshape(-1, 3, height // merge, merge, size, width // merge, merge, size)
        laid = parts.permute(0, 2, 5, 3, 6, 1, 4, 7).unsqueeze(6)
        repeated = laid.expand(*laid.shape[:6], self.frames, *laid.shape[7:])
        return repeated.reshape(len(pixels), height * width, -1)


@dataclass(frozen=True, slots=True)
class Variation:
    """Varies the pictures of `varied` (image ids) and hands out the others as they are."""

    params: VaryParams
    patching: Patching
    varied: frozenset[str]
    key: str

    def __call__(self, image_ids: Sequence[str], places: Iterable[str], pictures: Pictures) -> list[Tensor]:
        """Return the patches of the pictures, in order.

        Args:
            image_ids: pictures of one batch.
            places: for each picture its place in the run, which comes only once.
            pictures: what the processor made of them.
        """
        patches = [pictures.patches[image_id] for image_id in image_ids]
        by_grid: dict[Grid, list[tuple[int, str]]] = {}
        for number, (image_id, place) in enumerate(zip(image_ids, places, strict=True)):
            if image_id in self.varied:
                by_grid.setdefault(pictures.grids[image_id], []).append((number, place))
        for grid, chosen in by_grid.items():
            pixels = torch.stack([self.patching.pixels(patches[number], grid) for number, _ in chosen])
            generators = [np.random.default_rng(stable_hash(self.key, place)) for _, place in chosen]
            changed = self.patching.patches(vary(pixels, generators, self.params), grid)
            for (number, _), new in zip(chosen, changed, strict=True):
                patches[number] = new
        return patches


def vary(pixels: Tensor, generators: Sequence[np.random.Generator], params: VaryParams) -> Tensor:
    """Return the pictures, each varied by draws of its own generator.

    Args:
        pixels: colours from 0 to 1, shape (pictures, 3, height, width).
        generators: one for each picture.
        params: how far variations go.
    """
    draws = torch.tensor(np.stack([generator.uniform(size=9) for generator in generators]), dtype=torch.float32)
    unit = list(draws.T)
    moved = _moved(pixels, unit[:4], params)
    curve = torch.exp((2 * unit[4] - 1) * math.log(params.gamma))
    shade = moved.clamp(0.0, 1.0) ** _each(curve)
    turned = torch.where(shade > DARK, WHITE - shade, shade).clamp(0.0, 1.0)
    grey = (pixels.amax(1) - pixels.amin(1)).amax((1, 2)) < COLOUR
    shade = torch.where(_each((unit[5] < params.invert_share) & grey), turned, shade)
    ranges = (params.gain, params.offset)
    gain, offset = (low + draw * (high - low) for draw, (low, high) in zip(unit[6:8], ranges, strict=True))
    shade = shade * _each(gain) + _each(offset)
    shade = torch.where(_each(unit[8]) < params.blur_share, _blurred(shade), shade)
    noise = np.stack([generator.standard_normal(pixels.shape[1:], dtype=np.float32) for generator in generators])
    return (shade + params.noise * torch.from_numpy(noise)).clamp(0.0, 1.0)


def _moved(pixels: Tensor, draws: Sequence[Tensor], params: VaryParams) -> Tensor:
    """Resize, turn and shift, black beyond the edges; `draws` are four uniform numbers a picture."""
    low, high = (math.log(bound) for bound in params.scale)
    scale = torch.exp(low + draws[0] * (high - low))
    angle = (2 * draws[1] - 1) * math.radians(params.turn_degrees)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    shift_x, shift_y = ((2 * draw - 1) * 2 * params.shift for draw in draws[2:4])
    rows = [torch.stack([cos, -sin, shift_x], -1), torch.stack([sin, cos, shift_y], -1)]
    grid = affine_grid(torch.stack(rows, 1), list(pixels.shape), align_corners=False)
    return grid_sample(pixels, grid, align_corners=False)


def _blurred(pixels: Tensor) -> Tensor:
    """Return the mean over 3 x 3 pixels, dark beyond the edges."""
    channels = pixels.shape[1]
    return conv2d(pixels, torch.full((channels, 1, 3, 3), 1 / 9), padding=1, groups=channels)


def _each(values: Tensor) -> Tensor:
    return values[:, None, None, None]
