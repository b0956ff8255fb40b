"""The record catalog/planning.yaml: what estimates assume, all in one place."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from pydantic import Field

from lingshu.core.errors import UserError
from lingshu.core.layout import CATALOG
from lingshu.core.params import Strict, read_yaml, validate
from lingshu.core.sample import TASKS
from lingshu.modeling.params import MadeParams, ModelingParams
from lingshu.synthesis.params import RecipeName

FILE = CATALOG / "planning.yaml"


class Size(Strict):
    """Weights of each part of a model, and how pictures become tokens: merge x merge patches of `patch` pixels each."""

    vision: int = Field(ge=1)
    projector: int = Field(ge=1)
    llm: int = Field(ge=1)
    patch: int = Field(ge=1)
    merge: int = Field(ge=1)

    @property
    def weights(self) -> int:
        """All weights."""
        return self.vision + self.projector + self.llm


class Gpu(Strict):
    """The device that hours are of; utilisation is model FLOPs over peak (Chowdhery et al. 2022, appendix B)."""

    name: str
    teraflops: float = Field(gt=0)
    utilisation: float = Field(gt=0, le=1)
    generation_utilisation: float = Field(gt=0, le=1)


class Bytes(Strict):
    """What things take on disk."""

    picture: int = Field(ge=0)
    sample: int = Field(ge=0)
    weight: int = Field(ge=1)
    training_state: int = Field(ge=0)


class Price(Strict):
    """Dollars for a million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)


class Teacher(Strict):
    """A paid model that writes synthetic samples, or would; `calls` are of each sample, by synthesis recipe."""

    name: str
    dollars_per_million: Price
    calls: dict[RecipeName, int]
    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)

    def dollars(self, recipe: RecipeName, samples: int) -> float:
        """Return what writing so many samples of a synthesis recipe costs."""
        price = self.dollars_per_million
        of_a_call = self.input_tokens * price.input + self.output_tokens * price.output
        return samples * self.calls[recipe] * of_a_call / 1e6


class Assumptions(Strict):
    """Everything that is assumed; see the comments of catalog/planning.yaml."""

    checked: str = Field(min_length=1)
    backbones: dict[str, Size]
    tokens: dict[str, int]
    picture_pixels: int = Field(ge=1)
    fill: float = Field(gt=0, le=1)
    gpu: Gpu
    response_tokens: int = Field(ge=1)
    bytes: Bytes
    teacher: Teacher


def read_assumptions(root: Path) -> Assumptions:
    """Return the record.

    Raises:
        UserError: the file is missing, or a key is missing, unknown or wrong (named).
    """
    found = validate(Assumptions, read_yaml(root / FILE), f"{FILE}:")
    if set(found.tokens) != set(TASKS):
        raise UserError(f"{FILE}: tokens: names other tasks than there are", f"give each of {', '.join(TASKS)}")
    if set(found.teacher.calls) != set(get_args(RecipeName)):
        recipes = ", ".join(get_args(RecipeName))
        raise UserError(f"{FILE}: teacher.calls: names other recipes than there are", f"give each of {recipes}")
    return found


def model_size(params: ModelingParams, assumed: Assumptions) -> Size:
    """Return the size of the recipe's model: of a known published backbone, or counted from the knobs of our own.

    Raises:
        UserError: the sizes of the published backbone are not known.
    """
    if params.backbone is None:
        return made_size(params.made)
    name = params.backbone.hub or params.backbone.folder or ""
    if name not in assumed.backbones:
        known = ", ".join(sorted(assumed.backbones))
        raise UserError(f"{FILE}: backbones: no sizes of {name}", f"add them, as those of {known}")
    return assumed.backbones[name]


def made_size(params: MadeParams) -> Size:
    """Return the weights of the Qwen2.5-VL that `modeling.architecture` builds (input and output embeddings tied)."""
    text, vision = params.text, params.vision
    head = text.hidden // text.heads
    keys = text.kv_heads * head
    attention = 2 * text.hidden * text.hidden + text.hidden + 2 * (text.hidden * keys + keys)
    layer = attention + 3 * text.hidden * text.intermediate + 2 * text.hidden
    llm = params.vocabulary * text.hidden + text.layers * layer + text.hidden
    width, inner = vision.hidden, vision.intermediate
    block = 4 * (width * width + width) + 3 * width * inner + 2 * inner + width + 2 * width
    tower = 3 * 2 * vision.patch**2 * width + vision.depth * block
    merged = width * vision.merge**2
    projector = width + merged * merged + merged + merged * text.hidden + text.hidden
    return Size(vision=tower, projector=projector, llm=llm, patch=vision.patch, merge=vision.merge)
