# ruff: noqa: ARG002 (the arguments of a trainer's callback are given)
"""Going on after a kill: a checkpoint counts only if all of it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import distributed
from torch.nn import Module
from transformers.trainer_callback import TrainerCallback, TrainerControl, TrainerState
from transformers.training_args import TrainingArguments

from lingshu.modeling.load import load_model

PREFIX = "checkpoint-"
MARK = "COMPLETE"


class MarkComplete(TrainerCallback):
    """Marks a checkpoint after the trainer has written all of it (its own files appear one by one)."""

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Put the mark into the checkpoint of this step, once every rank has written its part."""
        assert args.output_dir is not None
        if args.world_size > 1:
            distributed.barrier()
        if state.is_world_process_zero:
            (Path(args.output_dir) / f"{PREFIX}{state.global_step}" / MARK).touch()


def newest_checkpoint(scratch: Path) -> str | None:
    """Return the newest complete checkpoint under `scratch`, or None if a run has to start from the beginning."""
    whole = [path.parent for path in scratch.glob(f"{PREFIX}*/{MARK}")]
    return str(max(whole, key=lambda folder: int(folder.name.removeprefix(PREFIX)))) if whole else None


class ExactResume:
    """Mixed into a trainer, makes it load a checkpoint's weights as `from_pretrained` does.

    Qwen2.5-VL is saved under the names of its published checkpoints, not those of its modules. The trainer's own
    loading does not translate them: it warns of missing keys and goes on with the weights training started from.
    """

    model: Any

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Module | None = None) -> None:
        weights = load_model(Path(resume_from_checkpoint)).state_dict()
        (self.model if model is None else model).load_state_dict(weights)
