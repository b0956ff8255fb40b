"""Section `training` of params.yaml: what the supervised stages share, and one block for each of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from lingshu.core.params import Strict
from lingshu.modeling.params import Part


class RateParams(Strict):
    """Peak learning rate of each part of the model; a frozen part has none (paper table 5: 2e-6, 1e-5, 1e-5)."""

    vision: float | None = Field(default=None, gt=0)
    projector: float | None = Field(default=None, gt=0)
    llm: float | None = Field(default=None, gt=0)

    def by_part(self) -> dict[Part, float]:
        """Return the rates that are given."""
        rates: dict[Part, float | None] = {"vision": self.vision, "projector": self.projector, "llm": self.llm}
        return {part: rate for part, rate in rates.items() if rate is not None}


class VaryParams(Strict):
    """How differently a picture is shown each time it is trained on.

    Attributes:
        sources: whose pictures are varied; empty shows all as they are.
        scale: smallest and largest size, as shares of the picture's own.
        turn_degrees: at most, either way.
        shift: at most this share of the side, either way.
        gamma: the brightness curve's exponent lies between 1 / gamma and gamma.
        gain: smallest and largest factor of brightness, after the curve.
        offset: lowest and highest addition to brightness, of full brightness.
        invert_share: of pictures whose grey scale is turned round (dark background stays dark).
        blur_share: of pictures that are blurred by 3 x 3 pixels.
        noise: standard deviation, of full brightness.
    """

    sources: list[str]
    scale: tuple[float, float]
    turn_degrees: float = Field(ge=0, le=45)
    shift: float = Field(ge=0, le=0.5)
    gamma: float = Field(ge=1)
    gain: tuple[float, float]
    offset: tuple[float, float]
    invert_share: float = Field(ge=0, le=1)
    blur_share: float = Field(ge=0, le=1)
    noise: float = Field(ge=0)

    @field_validator("scale", "gain")
    @classmethod
    def _factors_rise(cls, factors: tuple[float, float]) -> tuple[float, float]:
        if not 0 < factors[0] <= factors[1]:
            raise ValueError("two numbers above 0, the smaller first")
        return factors

    @field_validator("offset")
    @classmethod
    def _offsets_rise(cls, offsets: tuple[float, float]) -> tuple[float, float]:
        if offsets[0] > offsets[1]:
            raise ValueError("two numbers, the smaller first")
        return offsets


class CommonParams(Strict):
    """What all supervised stages share.

    Attributes:
        device: cpu, or cuda.
        vary: how differently real pictures are shown each time.
        processes: of this machine that share each step's rows, on a GPU of their own where `device` is cuda.
        threads: of tensor arithmetic on the CPU, for each process; 0 leaves the choice to torch.
        adam_beta2: decay of AdamW's second moment.
        max_grad_norm: gradients are scaled down to this norm.
        log_steps: optimiser steps between two points of the learning curve.
        checkpoint_steps: steps between checkpoints that a killed run goes on from, a multiple of `log_steps`.
    """

    device: Literal["cpu", "cuda"]
    processes: int = Field(ge=1)
    threads: int = Field(ge=0)
    adam_beta2: float = Field(gt=0, lt=1)
    max_grad_norm: float = Field(gt=0)
    log_steps: int = Field(ge=1)
    checkpoint_steps: int = Field(ge=1)
    vary: VaryParams

    @model_validator(mode="after")
    def _curve_survives_a_kill(self) -> CommonParams:
        if self.checkpoint_steps % self.log_steps:
            raise ValueError("checkpoint_steps must be a multiple of log_steps, or a resumed curve would differ")
        return self


class StageParams(Strict):
    """One supervised stage.

    Attributes:
        trainable: the parts that are trained; the run stops if any other weight would be.
        epochs: passes over the mixture.
        batch: rows of one optimiser step (a row is one sample, or a packed sequence).
        accumulation: parts that a step's rows are worked on in, one after the other, so that they fit the memory.
        packing: puts several samples in one sequence of up to `max_length` tokens (they never attend to each other).
        max_length: tokens; a longer sample is dropped and counted, never cut.
        warmup_steps: of linear warm-up, before a cosine down to zero.
    """

    trainable: list[Part] = Field(min_length=1)
    epochs: float = Field(gt=0)
    batch: int = Field(ge=1)
    accumulation: int = Field(default=1, ge=1)
    packing: bool
    max_length: int = Field(ge=16)
    learning_rate: RateParams
    warmup_steps: int = Field(ge=0)
    weight_decay: float = Field(ge=0)

    @model_validator(mode="after")
    def _rates_fit(self) -> StageParams:
        if self.batch % self.accumulation:
            raise ValueError(f"accumulation {self.accumulation} does not divide batch {self.batch}")
        if set(self.learning_rate.by_part()) != set(self.trainable):
            raise ValueError(f"learning_rate must name exactly the trainable parts, {', '.join(self.trainable)}")
        return self


class TrainingParams(Strict):
    """Section `training`; packing belongs to instruction tuning alone (the paper: it hurts short captions)."""

    common: CommonParams
    shallow: StageParams
    deep: StageParams
    instruct: StageParams

    @model_validator(mode="after")
    def _processes_share_a_step(self) -> TrainingParams:
        for name in ("shallow", "deep", "instruct"):
            stage = self.stage(name)
            if (stage.batch // stage.accumulation) % self.common.processes:
                raise ValueError(
                    f"{name}.batch: {self.common.processes} processes (common.processes) can't share "
                    f"{stage.batch // stage.accumulation} rows (batch / accumulation) evenly"
                )
        return self

    @model_validator(mode="after")
    def _shallow_keeps_the_llm(self) -> TrainingParams:
        if "llm" in self.shallow.trainable:
            raise ValueError("shallow.trainable: shallow alignment keeps the llm frozen (paper section 3)")
        return self

    def stage(self, name: str) -> StageParams:
        """Return the block of a stage."""
        return {"shallow": self.shallow, "deep": self.deep, "instruct": self.instruct}[name]
