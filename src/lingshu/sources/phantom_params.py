"""Knobs of the `phantom` source: how many pictures are drawn, how large, and which questions are asked of them."""

from __future__ import annotations

from pydantic import Field

from lingshu.core.params import Strict


class PhantomParams(Strict):
    """Section `sources.phantom`; a picture is its own group.

    Attributes:
        seed: of findings, geometry and noise.
        num_pictures: pictures of the main set (0 to `max_nodules` nodules).
        num_hard: pictures of the harder counting set (0 to `max_nodules_hard` smaller nodules), asked only for counts.
        size_px: height and width of a picture.
        held_out_share: share of pictures in the test split.
        max_nodules: most nodules in the main set.
        max_nodules_hard: most nodules in the harder set.
        topics: question types that are written; at most one question of each type is asked of a picture.
    """

    seed: int
    num_pictures: int = Field(ge=1)
    num_hard: int = Field(ge=0)
    size_px: int = Field(ge=64, le=1024)
    held_out_share: float = Field(gt=0, lt=1)
    max_nodules: int = Field(ge=1, le=3)
    max_nodules_hard: int = Field(ge=1, le=6)
    topics: list[str] = Field(min_length=1)
