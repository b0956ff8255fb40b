"""What is trained, with all that its rollouts need."""

from __future__ import annotations

from dataclasses import dataclass

from lingshu.core.images import ImageStore
from lingshu.modeling.load import Model, Processor
from lingshu.reinforcement.params import ReinforcementParams


@dataclass(frozen=True, slots=True)
class Policy:
    """A checkpoint in memory, the pictures its prompts show, and the stage's knobs and seed."""

    model: Model
    processor: Processor
    store: ImageStore
    params: ReinforcementParams
    seed: int
