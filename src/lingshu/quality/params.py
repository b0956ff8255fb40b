"""The `quality` section of params.yaml."""

from __future__ import annotations

from pydantic import Field, model_validator

from lingshu.core.params import Strict


class TokenRange(Strict):
    """Allowed numbers of tokens, both ends included."""

    min: int = Field(ge=0)
    max: int = Field(ge=1)

    @model_validator(mode="after")
    def _ordered(self) -> TokenRange:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


class QualityParams(Strict):
    """Thresholds of the gate.

    Attributes:
        min_side: pixels; pictures with a shorter side below it are dropped (paper, section 2.1.4: 64).
        max_blank_share: largest share of a picture's pixels at its commonest grey level.
        min_entropy: bits of the grey histogram, 0..8.
        caption_tokens: allowed length of captions (paper, section 2.1.4: 10 to 1,024).
        max_repetition: largest share of a reply's three-word runs that occurred before in it.
        max_markup: HTML elements, entities and picture markers a sample may hold.
        max_assistant_phrases: phrases of `signals.assistant_phrases` a sample may hold.
        min_kept_share: share of each source that must pass; less stops the stage (a threshold or source is wrong).
    """

    min_side: int = Field(ge=1)
    max_blank_share: float = Field(gt=0, le=1)
    min_entropy: float = Field(ge=0, le=8)
    caption_tokens: TokenRange
    max_repetition: float = Field(ge=0, le=1)
    max_markup: int = Field(ge=0)
    max_assistant_phrases: int = Field(ge=0)
    min_kept_share: float = Field(ge=0, le=1)
