"""The `signals` section of params.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lingshu.core.params import Strict

Phrase = Annotated[str, Field(min_length=3)]


class SignalsParams(Strict):
    """What counts as the same grey level, and the phrases looked for in texts (case does not matter).

    Attributes:
        processes: that decode and measure pictures; the result does not depend on it.
        grey_tolerance: grey levels (of 255) by which two pixels may differ and still count as the same.
        assistant_phrases: what a chat assistant says about itself instead of answering.
        picture_phrases: how a prompt points at a picture.
    """

    processes: int = Field(ge=1)
    grey_tolerance: int = Field(ge=0, le=64)
    assistant_phrases: tuple[Phrase, ...] = Field(min_length=1)
    picture_phrases: tuple[Phrase, ...] = Field(min_length=1)
