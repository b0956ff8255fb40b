"""Section `evalkit` of params.yaml: who judges open answers, and how accuracies and differences are stated."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from lingshu.core.params import Strict

Rules = Literal["strict", "official"]


class RulesJudging(Strict):
    """Open answers are judged by normalised texts and parsed facts."""

    judge: Literal["rules"]


class NoJudging(Strict):
    """Open answers stay unscored."""

    judge: Literal["none"]


class ModelJudge(Strict):
    """One language model that judges.

    Attributes:
        model: as `lingshu eval --judge` names it: `openai:NAME@URL`, a hub id or a folder.
        options: those of `lingshu eval --judge-options`, but keys come from the environment alone (`api_key_env`).
    """

    model: str = Field(min_length=1)
    options: dict[str, Any] = Field(default_factory=dict)


class ModelJudging(Strict):
    """Open answers are judged by language models, by majority where there are several.

    Attributes:
        max_failed: share of a judge's calls on one benchmark of one checkpoint; if more fail, so does the stage.
    """

    judge: Literal["llm"]
    judges: list[ModelJudge] = Field(min_length=1)
    max_failed: float = Field(default=0.01, ge=0, le=1)


JudgeParams = Annotated[RulesJudging | NoJudging | ModelJudging, Field(discriminator="judge")]


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
