"""Starting the stage, in one process or in several that share its rollouts and steps."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from lingshu.core.ranks import Rank, in_ranks
from lingshu.reinforcement.params import ReinforcementParams


def launch(params: ReinforcementParams, seed: int, root: Path = Path()) -> dict[str, Any]:
    """Train `models/instruct` into `models/reinforce`; return the metrics (held-out reward before, after, gain).

    Raises:
        UserError: `device` is cuda and there is none, the mixture has a row without a verifiable answer, or too few
            prompts; or a process was killed.
    """
    return in_ranks(partial(_reinforce, params, seed, root), params.processes)


def _reinforce(params: ReinforcementParams, seed: int, root: Path, rank: Rank) -> dict[str, Any]:
    # Imported here: torch and TRL take nine seconds, which the ranks spend side by side.
    from lingshu.reinforcement.reinforce import reinforce  # noqa: PLC0415

    return reinforce(params, seed, root, rank)
