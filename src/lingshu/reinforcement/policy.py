"""What is trained, with all that its rollouts need."""

from __future__ import annotations

from dataclasses import dataclass

from lingshu.core.images import ImageStore
from lingshu.core.ranks import ALONE, Rank
from lingshu.modeling.load import Model, Processor
from lingshu.reinforcement.params import ReinforcementParams


@dataclass(frozen=True, slots=True)
class Policy:
    """A checkpoint in memory, the pictures its prompts show, the stage's knobs and seed, and this process's rank."""

    model: Model
    processor: Processor
    store: ImageStore
    params: ReinforcementParams
    seed: int
    rank: Rank = ALONE
