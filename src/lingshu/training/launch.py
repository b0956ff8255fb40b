"""Starting a supervised stage, in one process or in several that share each step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lingshu.core.ranks import Rank, in_ranks
from lingshu.training.params import CommonParams, StageParams


@dataclass(frozen=True, slots=True)
class StageRun:
    """What decides a stage's result, but for its mixture: `start` is the folder of the checkpoint it goes on from."""

    stage: str
    start: Path
    params: StageParams
    common: CommonParams
    seed: int


def launch(run: StageRun, root: Path = Path()) -> dict[str, Any]:
    """Train the checkpoint `run.start` into `models/<stage>` and return the metrics.

    A run that was killed goes on from its last checkpoint under `.work/` and ends with the same weights.

    Raises:
        UserError: `start` is no checkpoint, the mixture names a missing sample, no sample fits `max_length`, or one of
            several processes was killed.
    """
    return in_ranks(partial(_train, run, root), run.common.processes)


def _train(run: StageRun, root: Path, rank: Rank) -> dict[str, Any]:
    # Imported here: torch and TRL take ten seconds, which the ranks spend side by side.
    from lingshu.training.train import train  # noqa: PLC0415

    return train(run, root, rank)
