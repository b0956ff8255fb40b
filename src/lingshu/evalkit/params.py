"""Section `evalkit` of params.yaml: who judges open answers, and how accuracies and differences are stated."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lingshu.core.params import Strict

Rules = Literal["strict", "official"]


class JudgeParams(Strict):
    """`rules` compares normalised texts and parsed facts; `none` leaves open answers unscored."""

    judge: Literal["rules", "none"]


class Comparison(Strict):
    """Two checkpoints asked the same items."""

    before: str
    after: str


class ScoreParams(Strict):
    """Intervals and comparisons.

    Attributes:
        seed: of the bootstrap.
        resamples: of the bootstrap.
        confidence: of intervals; a difference counts if its interval excludes 0.
        comparisons: pairs of checkpoints to compare on every benchmark both were asked.
    """

    seed: int = Field(ge=0)
    resamples: int = Field(ge=100)
    confidence: float = Field(gt=0.5, lt=1)
    comparisons: list[Comparison]


class EvalkitParams(Strict):
    """Section `evalkit`."""

    judge: JudgeParams
    score: ScoreParams
