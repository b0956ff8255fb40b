"""The `decontam` section of params.yaml."""

from __future__ import annotations

from pydantic import Field

from lingshu.core.params import Strict


class DecontamParams(Strict):
    """What counts as a benchmark item seen in training. The paper (section 2.1.4) gives neither method nor threshold.

    Attributes:
        picture_radius: largest Hamming distance (of 64 bits) between perceptual hashes of overlapping pictures.
        ngram_words: words in a run; benchmark texts with fewer words overlap only when equal.
        coverage: least share of a benchmark text's runs that a training text must hold.
    """

    picture_radius: int = Field(ge=0, le=16)
    ngram_words: int = Field(ge=2, le=64)
    coverage: float = Field(gt=0, le=1)
