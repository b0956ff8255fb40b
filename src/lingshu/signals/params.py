"""The `signals` section of params.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lingshu.core.params import Strict

Phrase = Annotated[str, Field(min_length=2)]


class SignalsParams(Strict):
    """What counts as the same grey level, and the phrases looked for in texts (case does not matter).

    Attributes:
        processes: that decode and measure pictures; the result does not depend on it.
        grey_tolerance: grey levels (of 255) by which two pixels may differ and still count as the same.
        tokenizer: what counts tokens: "estimate", or a folder with a tokenizer.json (see `signals.tokens`).
        burned_in: which engine reads text burned into pictures; "none" leaves those columns empty, "rapidocr" takes
            about a second of CPU a picture and needs the extra `ocr`.
        variants: whether hashes of turned, cropped and re-windowed copies are computed, for `dedup.variants`.
        assistant_phrases: what a chat assistant says about itself instead of answering.
        refusal_phrases: how a reply declines to answer.
        picture_phrases: how a prompt points at a picture.
    """

    processes: int = Field(ge=1)
    grey_tolerance: int = Field(ge=0, le=64)
    tokenizer: str = Field(default="estimate", min_length=1)
    burned_in: Literal["none", "rapidocr"] = "none"
    variants: bool = False
    assistant_phrases: tuple[Phrase, ...] = Field(min_length=1)
    refusal_phrases: tuple[Phrase, ...] = ()
    picture_phrases: tuple[Phrase, ...] = Field(min_length=1)
