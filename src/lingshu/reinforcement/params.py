"""Section `reinforcement` of params.yaml: rollouts, rewards, optimiser, and how the gain is measured."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from lingshu.core.params import Strict


class RewardParams(Strict):
    """Weights of the two rewards (paper section 3.1.4: 0.5 for strict format, 1.0 for accuracy)."""

    format_weight: float = Field(ge=0)
    accuracy_weight: float = Field(ge=0)


class ProbeParams(Strict):
    """Held-out prompts whose reward is sampled before and after training.

    Attributes:
        prompts: how many prompts of the mixture are set aside and never trained on.
        samples: responses drawn for each of them, at the temperature of training.
        batch: responses generated at once.
    """

    prompts: int = Field(ge=2)
    samples: int = Field(ge=1)
    batch: int = Field(ge=1)


class ReinforcementParams(Strict):
    """Section `reinforcement`.

    Attributes:
        processes: of this machine that share rollouts and steps, on a GPU of their own where `device` is cuda.
        threads: of tensor arithmetic on the CPU, for each process (0 leaves the choice to torch).
        device: cpu, or cuda.
        steps: optimiser steps; each sees `prompts_per_step` prompts with `generations` responses each.
        rollout_steps: optimiser steps that one rollout serves (the paper: rollouts of 512 prompts, steps of 128).
        accumulation: parts that a step's responses are worked on in, one after the other, so that they fit the memory.
        max_completion_length: tokens of a response; a longer one is cut and loses the format reward.
        temperature: of sampling.
        kl: weight of the KL divergence from the start checkpoint (0 loads no reference model).
        learning_rate: peak, for all weights alike (the paper's single rate), cosine to zero.
        save_every: optimiser steps between checkpoints that a killed run goes on from.
    """

    processes: int = Field(ge=1)
    threads: int = Field(ge=0)
    device: Literal["cpu", "cuda"]
    steps: int = Field(ge=1)
    prompts_per_step: int = Field(ge=1)
    rollout_steps: int = Field(default=1, ge=1)
    accumulation: int = Field(default=1, ge=1)
    generations: int = Field(ge=2)
    max_completion_length: int = Field(ge=8)
    temperature: float = Field(gt=0)
    kl: float = Field(ge=0)
    learning_rate: float = Field(gt=0)
    warmup_steps: int = Field(ge=0)
    weight_decay: float = Field(ge=0)
    max_grad_norm: float = Field(gt=0)
    save_every: int = Field(ge=1)
    reward: RewardParams
    probe: ProbeParams

    @model_validator(mode="after")
    def _rewards_something(self) -> ReinforcementParams:
        if self.reward.format_weight + self.reward.accuracy_weight <= 0:
            raise ValueError("reward: at least one weight must be above 0")
        if (self.prompts_per_step * self.generations) % (self.accumulation * self.processes):
            raise ValueError(
                f"accumulation {self.accumulation} times processes {self.processes} does not divide a step's "
                f"{self.prompts_per_step * self.generations} responses"
            )
        return self

    @property
    def step_share(self) -> int:
        """Responses that a process works on at once."""
        return self.prompts_per_step * self.generations // self.accumulation // self.processes
