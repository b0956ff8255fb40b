"""Section `modeling` of params.yaml: the published backbone, or the size of our own and its two pre-trainings."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from pydantic import Field, model_validator

from lingshu.core.params import Strict

Part: TypeAlias = Literal["vision", "projector", "llm"]
PARTS: tuple[Part, ...] = get_args(Part)


class TextParams(Strict):
    """Sizes of the language model; `rope_theta` must fit the head size (see `mrope_section`).

    `mrope_section` shares the rotary pairs of a head among time, height and width: its sum is half the head size.
    Height and width get the lowest frequencies, so a small head needs a small `rope_theta` to see positions at all.
    """

    hidden: int = Field(ge=16)
    layers: int = Field(ge=1)
    heads: int = Field(ge=1)
    kv_heads: int = Field(ge=1)
    intermediate: int = Field(ge=16)
    rope_theta: float = Field(gt=1)
    mrope_section: list[int] = Field(min_length=3, max_length=3)
    max_positions: int = Field(ge=64)

    @model_validator(mode="after")
    def _fits(self) -> TextParams:
        if self.hidden % self.heads or self.heads % self.kv_heads:
            raise ValueError("hidden must be a multiple of heads, and heads of kv_heads")
        if 2 * sum(self.mrope_section) != self.hidden // self.heads:
            raise ValueError(f"mrope_section must sum to half the head size, {self.hidden // self.heads // 2}")
        return self


class VisionParams(Strict):
    """Sizes of the vision tower; sides and windows in pixels."""

    hidden: int = Field(ge=16)
    depth: int = Field(ge=1)
    heads: int = Field(ge=1)
    intermediate: int = Field(ge=16)
    patch: int = Field(ge=2)
    merge: int = Field(ge=1)
    window: int = Field(ge=8)

    @model_validator(mode="after")
    def _fits(self) -> VisionParams:
        if self.hidden % self.heads or self.hidden // self.heads % 4:
            raise ValueError("hidden / heads, the head size, must be a whole multiple of 4 (rotary pairs of two axes)")
        if self.window < self.patch * self.merge:
            raise ValueError(f"window must hold a token, {self.patch * self.merge} pixels")
        return self


class ImageParams(Strict):
    """Area limits in pixels: a picture outside is resized, keeping its proportions."""

    min_pixels: int = Field(ge=64)
    max_pixels: int = Field(ge=64)

    @model_validator(mode="after")
    def _ordered(self) -> ImageParams:
        if self.min_pixels > self.max_pixels:
            raise ValueError("min_pixels must not exceed max_pixels")
        return self


class PretrainParams(Strict):
    """Text pre-training of the language model."""

    steps: int = Field(ge=1)
    batch: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    warmup_steps: int = Field(ge=0)
    weight_decay: float = Field(ge=0)
    adam_beta2: float = Field(gt=0, lt=1)
    max_length: int = Field(ge=16)


class VisionPretrainParams(Strict):
    """Pre-training of vision tower and projector on what a pretrained encoder sees.

    Attributes:
        pictures_per_source: at most so many training pictures of each source.
        components: principal components of the encoder's feature maps that are learned.
        batch: pictures of a step.
    """

    pictures_per_source: int = Field(ge=1)
    components: int = Field(ge=1)
    steps: int = Field(ge=1)
    batch: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    warmup_steps: int = Field(ge=0)
    weight_decay: float = Field(ge=0)


class BackboneParams(Strict):
    """A published Qwen2.5-VL checkpoint.

    Attributes:
        hub: `owner/name` on the Hugging Face hub.
        revision: commit, tag or branch; the default branch without. Pin a commit for a run to be repeated.
        folder: a folder with a checkpoint, instead of `hub`. DVC does not watch it: its digests are in the manifest.
    """

    hub: str | None = Field(default=None, pattern=r"^[\w-][\w.-]*/[\w-][\w.-]*$")
    revision: str | None = None
    folder: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one_place(self) -> BackboneParams:
        if (self.hub is None) == (self.folder is None):
            raise ValueError("give hub or folder")
        if self.folder is not None and self.revision is not None:
            raise ValueError("a folder has no revision")
        return self


class MadeParams(Strict):
    """The backbone that we make.

    Attributes:
        vocabulary: most tokens of the tokenizer.
        initializer_range: standard deviation of random weights. Narrow layers need more than the usual 0.02 (about
            half of 1 / sqrt(width)), or the vision tower learns nothing for hundreds of steps.
    """

    vocabulary: int = Field(ge=300)
    initializer_range: float = Field(gt=0)
    text: TextParams
    vision: VisionParams
    vision_pretrain: VisionPretrainParams
    pretrain: PretrainParams


class ModelingParams(Strict):
    """Section `modeling`: either `backbone` or all knobs of `MadeParams`.

    Attributes:
        processes: 2 pre-train vision and language side by side, 1 one after the other; results are the same.
        threads: of tensor arithmetic on the CPU, for each process; 0 leaves the choice to torch.
        image: limits of what the model sees of a picture.
        backbone: the published checkpoint that training starts from; without it one is made.
    """

    processes: int = Field(ge=1, le=2)
    threads: int = Field(ge=0)
    image: ImageParams
    backbone: BackboneParams | None = None
    vocabulary: int | None = Field(default=None, ge=300)
    initializer_range: float | None = Field(default=None, gt=0)
    text: TextParams | None = None
    vision: VisionParams | None = None
    vision_pretrain: VisionPretrainParams | None = None
    pretrain: PretrainParams | None = None

    @model_validator(mode="after")
    def _published_or_made(self) -> ModelingParams:
        given = [name for name in MadeParams.model_fields if getattr(self, name) is not None]
        if self.backbone is not None and given:
            raise ValueError(f"a published backbone has its own {', '.join(given)}: take the keys out, or `backbone`")
        if self.backbone is not None and self.processes > 1:
            raise ValueError("processes: a published backbone is taken by one")
        if self.backbone is None and (missing := [name for name in MadeParams.model_fields if name not in given]):
            raise ValueError(f"without `backbone` these keys are needed: {', '.join(missing)}")
        return self

    @property
    def made(self) -> MadeParams:
        """The knobs of the backbone that we make; only without `backbone`."""
        return MadeParams.model_validate({name: getattr(self, name) for name in MadeParams.model_fields})
