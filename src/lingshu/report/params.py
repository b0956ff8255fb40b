"""Knobs of `report`."""

from __future__ import annotations

from pydantic import Field

from lingshu.core.params import Strict


class ReportParams(Strict):
    """Section `report`. Numbers of pictures and examples; `thumbnail_px` is the longer side of a written thumbnail."""

    seed: int = Field(ge=0)
    pictures_per_modality: int = Field(ge=1)
    examples_per_benchmark: int = Field(ge=1)
    thumbnail_px: int = Field(ge=32, le=1024)
