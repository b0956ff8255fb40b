# ruff: noqa: ARG002 (the arguments of a trainer's callback are given)
"""The learning curve of a stage: DVCLive tables under plots/training, and a line of progress on stderr."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from dvclive.live import Live
from transformers.trainer_callback import TrainerCallback, TrainerControl, TrainerState
from transformers.training_args import TrainingArguments

CURVES = ("loss", "token_accuracy", "learning_rate", "grad_norm")


class CurveLog(TrainerCallback):
    """Logs `CURVES` as `<folder>/plots/metrics/<name>.tsv` (columns step and name, no clock values).

    A resumed run first writes again what the checkpoint remembers, so the tables equal those of an unbroken run.
    """

    def __init__(self, folder: Path, stage: str) -> None:
        self._folder = folder
        self._stage = stage
        self._live: Any = None

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Open empty tables and write the steps that were done before an interruption."""
        self._live = Live(str(self._folder), save_dvc_exp=False, dvcyaml=False)
        for entry in state.log_history:
            self._write(int(entry["step"]), entry)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Write one point of the curves."""
        if logs is None or "loss" not in logs:
            return
        self._write(state.global_step, logs)
        done = f"{state.global_step}/{state.max_steps}"
        print(f"train@{self._stage}: step {done}, loss {logs['loss']:.4f}", file=sys.stderr)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Write the last values as metrics.json."""
        self._live.end()

    def _write(self, step: int, values: dict[str, float]) -> None:
        self._live.step = step
        for name in CURVES:
            if name in values:
                self._live.log_metric(name, values[name])
