"""The `dedup` section of params.yaml."""

from __future__ import annotations

from pydantic import Field, model_validator

from lingshu.core.params import Strict
from lingshu.core.sample import Task


class TextParams(Strict):
    """Near duplicates among text-only samples.

    Attributes:
        shingle_words: words in a shingle; texts with fewer words are compared exactly only.
        permutations: hash functions of the MinHash signature.
        bands: parts of the signature; two texts are compared where one part is equal.
        threshold: least Jaccard similarity of the shingle sets, computed exactly, of a near duplicate.
        seed: of the hash functions.
    """

    shingle_words: int = Field(ge=1, le=16)
    permutations: int = Field(ge=1, le=1024)
    bands: int = Field(ge=1, le=1024)
    threshold: float = Field(gt=0, le=1)
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _whole_bands(self) -> TextParams:
        if self.permutations % self.bands:
            raise ValueError(f"bands {self.bands} does not divide permutations {self.permutations}")
        return self


class DedupParams(Strict):
    """Which copies count, and whose is kept.

    Attributes:
        reliability: every enabled source, the one whose copy is kept first.
        picture_tasks: tasks in which one picture is kept once (paper, section 2.1.4: captions).
        text: near duplicates of text-only samples.
    """

    reliability: tuple[str, ...] = Field(min_length=1)
    picture_tasks: tuple[Task, ...]
    text: TextParams

    @model_validator(mode="after")
    def _distinct(self) -> DedupParams:
        if len(set(self.reliability)) != len(self.reliability):
            raise ValueError("a source is listed twice in reliability")
        return self
