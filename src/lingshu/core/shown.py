"""Values and pictures into the 8 bits that are shown: what is stored, and what is compared with it, go the same way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
LOW, HIGH = 0.5, 99.5  # percentiles


def stretch(values: NDArray[Any], low: float, high: float) -> Pixels:
    """Return `values` mapped linearly from [low, high] to 0..255, clipped; NaN becomes 0."""
    scaled = np.clip(np.rint((values.astype(np.float64) - low) * 255.0 / max(high - low, 1e-9)), 0, 255)
    scaled[np.isnan(scaled)] = 0.0
    return scaled.astype(np.uint8)


def stretch_percentiles(values: NDArray[Any]) -> Pixels:
    """Return `values` mapped from their 0.5th to their 99.5th percentile, for pictures without a display window."""
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, [LOW, HIGH]) if finite.size else (0.0, 1.0)
    return stretch(values, float(low), float(high))


def eight_bits(picture: Image.Image) -> Pixels:
    """Return a picture as it is shown, shape (height, width), or (height, width, 3) with colour.

    Deeper grey is stretched between percentiles, and what is transparent shows white.
    """
    if picture.mode.startswith("I") or picture.mode == "F":
        return stretch_percentiles(np.asarray(picture))
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        alpha = picture.convert("RGBA")
        white = Image.new("RGBA", alpha.size, "white")
        return np.asarray(Image.alpha_composite(white, alpha).convert("RGB"))
    return np.asarray(picture.convert("L" if picture.mode in ("1", "L") else "RGB"))
