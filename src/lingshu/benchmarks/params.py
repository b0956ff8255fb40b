"""Knobs of `benchmark`: which benchmarks are built and how many items of each topic they hold."""

from __future__ import annotations

from pydantic import Field

from lingshu.core.params import Strict


class BenchmarksParams(Strict):
    """Section `benchmarks`. `items_per_topic` is spread evenly over the gold answers of a topic."""

    seed: int
    enabled: list[str] = Field(min_length=1)
    items_per_topic: int = Field(ge=1)
