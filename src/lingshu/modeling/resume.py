# ruff: noqa: ARG002 (the arguments of a trainer's callback are given)
"""Going on after a kill: a checkpoint counts only if all of it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers.trainer_callback import TrainerCallback, TrainerControl, TrainerState
from transformers.training_args import TrainingArguments

PREFIX = "checkpoint-"
MARK = "COMPLETE"


class MarkComplete(TrainerCallback):
    """Marks a checkpoint after the trainer has written all of it (its own files appear one by one)."""

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Put the mark into the checkpoint of this step."""
        assert args.output_dir is not None
        (Path(args.output_dir) / f"{PREFIX}{state.global_step}" / MARK).touch()


def newest_checkpoint(scratch: Path) -> str | None:
    """Return the newest complete checkpoint under `scratch`, or None if a run has to start from the beginning."""
    whole = [path.parent for path in scratch.glob(f"{PREFIX}*/{MARK}")]
    return str(max(whole, key=lambda folder: int(folder.name.removeprefix(PREFIX)))) if whole else None
