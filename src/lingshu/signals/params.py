"""The `signals` section of params.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lingshu.core.parallel import Workers
from lingshu.core.params import Strict

Phrase = Annotated[str, Field(min_length=3)]


class SignalsParams(Strict):
    """What counts as the same grey level, and the phrases looked for in texts (case does not matter).

    Attributes:
        workers: who decodes and measures pictures; the result does not depend on it.
        grey_tolerance: grey levels (of 255) by which two pixels may differ and still count as the same.
        assistant_phrases: what a chat assistant says about itself instead of answering.
        picture_phrases: how a prompt points at a picture.
    """

    workers: Workers
    grey_tolerance: int = Field(ge=0, le=64)
    assistant_phrases: tuple[Phrase, ...] = Field(min_length=1)
    picture_phrases: tuple[Phrase, ...] = Field(min_length=1)
