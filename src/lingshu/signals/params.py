"""The `signals` section of params.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lingshu.core.parallel import Workers
from lingshu.core.params import Strict

Phrase = Annotated[str, Field(min_length=2)]


class EmbeddingsParams(Strict):
    """Which pictures are embedded, by the encoder of `modality`, and how.

    Attributes:
        sources: whose pictures; none leaves the step out.
        dtype: of the numbers at rest: float16 changes a cosine by less than 0.001.
        batch: pictures that go through the encoder at once.
        device: where an open_clip encoder runs.
        threads: of tensor arithmetic on the CPU, of each worker (0 leaves the choice to torch).
    """

    sources: tuple[str, ...]
    dtype: Literal["float16", "float32"]
    batch: int = Field(ge=1, le=1024)
    device: Literal["cpu", "cuda"]
    threads: int = Field(ge=0)

    @model_validator(mode="after")
    def _once(self) -> EmbeddingsParams:
        if len(set(self.sources)) != len(self.sources):
            raise ValueError("a source is listed twice in embeddings.sources")
        return self


class SignalsParams(Strict):
    """What counts as the same grey level, and the phrases looked for in texts (case does not matter).

    Attributes:
        workers: who decodes and measures pictures; the result does not depend on it.
        grey_tolerance: grey levels (of 255) by which two pixels may differ and still count as the same.
        tokenizer: what counts tokens: "estimate", or a folder with a tokenizer.json (see `signals.tokens`).
        burned_in: which engine reads text burned into pictures; "none" leaves those columns empty, "rapidocr" takes
            about a second of CPU a picture and needs the extra `ocr`.
        variants: whether hashes of turned, cropped and re-windowed copies are computed, for `dedup.variants`.
        embeddings: of pictures, for `dedup.semantic`; a step of its own, `embed`.
        assistant_phrases: what a chat assistant says about itself instead of answering.
        refusal_phrases: how a reply declines to answer.
        picture_phrases: how a prompt points at a picture.
    """

    workers: Workers
    grey_tolerance: int = Field(ge=0, le=64)
    tokenizer: str = Field(default="estimate", min_length=1)
    burned_in: Literal["none", "rapidocr"] = "none"
    variants: bool = False
    embeddings: EmbeddingsParams
    assistant_phrases: tuple[Phrase, ...] = Field(min_length=1)
    refusal_phrases: tuple[Phrase, ...] = ()
    picture_phrases: tuple[Phrase, ...] = Field(min_length=1)
