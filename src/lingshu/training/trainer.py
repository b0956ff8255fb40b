"""TRL's supervised trainer with three changes: a rate for each part of the model, rows of segments, lean logits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers.modeling_utils import PreTrainedModel
from transformers.trainer_callback import TrainerCallback
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from lingshu.modeling.freeze import trained_by_part
from lingshu.modeling.load import Model, Processor, check_device
from lingshu.modeling.loss import answer_places
from lingshu.modeling.params import Part
from lingshu.modeling.resume import ExactResume
from lingshu.training.params import CommonParams, StageParams
from lingshu.training.rows import Rows


def make_config(scratch: Path, params: StageParams, common: CommonParams, seed: int) -> SFTConfig:
    """Return TRL's configuration: AdamW, cosine schedule with warm-up, checkpoints in `scratch`, nothing reported.

    One pass in order: `Rows.order` holds all epochs, shuffled.

    Raises:
        UserError: `device` is `cuda` and there is none.
    """
    check_device(common.device, "training.common.device")
    cpu = common.device == "cpu"
    return SFTConfig(
        output_dir=str(scratch),
        num_train_epochs=1,
        train_sampling_strategy="sequential",
        per_device_train_batch_size=params.batch // params.accumulation // common.processes,
        gradient_accumulation_steps=params.accumulation,
        learning_rate=max(params.learning_rate.by_part().values()),
        lr_scheduler_type="cosine",
        warmup_steps=params.warmup_steps,
        weight_decay=params.weight_decay,
        adam_beta2=common.adam_beta2,
        max_grad_norm=common.max_grad_norm,
        optim="adamw_torch_fused",
        seed=seed,
        data_seed=seed,
        logging_steps=common.log_steps,
        logging_first_step=True,
        save_strategy="steps",
        save_steps=common.checkpoint_steps,
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
        use_cpu=cpu,
        bf16=not cpu,
        gradient_checkpointing=not cpu,
        max_length=None,
        remove_unused_columns=False,
        dataloader_pin_memory=not cpu,
        dataset_kwargs={"skip_prepare_dataset": True},
    )


class StageTrainer(ExactResume, SFTTrainer):
    """`SFTTrainer` on rows of segments.

    The row form needs no padding and is what packing means for pictures, which TRL itself refuses to pack. Logits are
    computed where an answer token is predicted; the loss is their mean over all answer tokens of the step.
    """

    def __init__(
        self,
        model: Model,
        processor: Processor,
        rows: Rows,
        *,
        config: SFTConfig,
        rates: Mapping[Part, float],
        callbacks: list[TrainerCallback],
    ) -> None:
        self._weights = trained_by_part(model)
        self._rates = rates
        # A process whose share of a step shows no picture leaves the vision tower without a gradient.
        config.ddp_find_unused_parameters = any(not sample.image_ids for sample in rows.samples())
        super().__init__(
            model=model,
            args=config,
            train_dataset=Dataset.from_dict({"place": list(range(len(rows.order)))}),
            data_collator=rows.collate,
            processing_class=processor,
            callbacks=callbacks,
        )
        self.model_accepts_loss_kwargs = True  # so that `compute_loss` is told the answer tokens of the whole step

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Return AdamW with the weights of each trained part in a group of its own (two, where some escape decay)."""
        if self.optimizer is None:
            whole = self.model if model is None else model
            assert isinstance(whole, PreTrainedModel)
            decayed = set(self.get_decay_parameter_names(whole))
            groups = [
                {
                    "params": [weight for name, weight in weights if (name in decayed) is decays],
                    "lr": self._rates[part],
                    "weight_decay": self.args.weight_decay if decays else 0.0,
                }
                for part, weights in self._weights.items()
                for decays in (True, False)
            ]
            kind, options = self.get_optimizer_cls_and_kwargs(self.args, whole)
            self.optimizer = kind([group for group in groups if group["params"]], **options)
        return self.optimizer

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor | tuple[Tensor, Any]:
        """Return the mean cross-entropy over the answer tokens of the step, in nats."""
        places, targets = answer_places(inputs.pop("labels"))
        outputs = model(**inputs, logits_to_keep=places, use_cache=False)
        logits = outputs.logits[0].float()
        answers = targets.numel() if num_items_in_batch is None else num_items_in_batch
        # The gradients of the ranks are averaged, so each is made as many times larger.
        loss = self.accelerator.num_processes * cross_entropy(logits, targets, reduction="sum") / answers
        right = (logits.detach().argmax(-1) == targets).sum()
        counts = self.accelerator.reduce(torch.stack([right, right.new_tensor(targets.numel())]))
        self._metrics["train"]["token_accuracy"].append((counts[0] / counts[1]).item())
        return (loss, outputs) if return_outputs else loss
