"""Small invented pictures, masks and volumes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from PIL import Image

WIDE, HIGH = 96, 80


SQUARE = (30, 20, 60, 40)  # left, top, right, bottom of what is bright in a film


def film(kind: str = "PNG", shade: int = 60) -> bytes:
    """Bytes of a grey picture with a bright square, 96 x 80 px; `shade` tells pictures apart."""
    pixels = np.full((HIGH, WIDE), shade, dtype=np.uint8)
    pixels[20:40, 30:60] = 200
    return encoded(pixels, kind)


def encoded(pixels: np.ndarray[Any, Any], kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=kind)
    return buffer.getvalue()


def mask(*, size: tuple[int, int] = (HIGH, WIDE), box: tuple[int, int, int, int] = (30, 20, 60, 40)) -> bytes:
    """Bytes of a mask that is 255 in a box (left, top, right, bottom)."""
    pixels = np.zeros(size, dtype=np.uint8)
    pixels[box[1] : box[3], box[0] : box[2]] = 255
    return encoded(pixels)


def volume(path: Path, values: np.ndarray[Any, Any], spacing: tuple[float, float, float] = (1, 1, 1)) -> None:
    """Write a NIfTI volume, shape (right, anterior, superior)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(values, np.diag([*spacing, 1.0])), path)


def body(seed: int = 0) -> np.ndarray[Any, Any]:
    """A volume of 70 x 80 x 20 voxels that is bright in its middle."""
    values = np.random.default_rng(seed).integers(0, 20, (70, 80, 20)).astype(np.int16)
    values[10:60, 10:70, 2:18] += 400
    return values


def marks(*regions: tuple[int, tuple[slice, slice, slice]]) -> np.ndarray[Any, Any]:
    values = np.zeros((70, 80, 20), dtype=np.uint8)
    for value, where in regions:
        values[where] = value
    return values
