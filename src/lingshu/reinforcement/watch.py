# ruff: noqa: ARG002 (the arguments of a trainer's callback are given)
"""Showing how the rollouts go: a line on stderr every few steps."""

from __future__ import annotations

import sys
from typing import Any

from transformers.trainer_callback import TrainerCallback, TrainerControl, TrainerState
from transformers.training_args import TrainingArguments

STEPS_BETWEEN_LINES = 5


class RewardLines(TrainerCallback):
    """Prints step, mean reward of the step's responses, and their mean length in tokens."""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Print the line of a step that is due."""
        if logs and "reward" in logs and state.is_world_process_zero and state.global_step % STEPS_BETWEEN_LINES == 0:
            reward, length = float(logs["reward"]), float(logs["completions/mean_length"])
            print(
                f"reinforce: {state.global_step}/{state.max_steps}, reward {reward:.3f}, {length:.0f} tokens",
                file=sys.stderr,
            )
