"""GRPO through TRL's trainer: rollouts by `generate`, rewards by rule, checkpoints that a killed run goes on from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers.trainer_callback import PrinterCallback
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer

from lingshu.core.images import ImageStore
from lingshu.core.sample import Answer
from lingshu.modeling.resume import ExactResume, MarkComplete, newest_checkpoint
from lingshu.reinforcement.params import ReinforcementParams
from lingshu.reinforcement.policy import Policy
from lingshu.reinforcement.prompts import Prompt
from lingshu.reinforcement.rewards import accuracy_reward, format_reward
from lingshu.reinforcement.watch import RewardLines


class RolloutTrainer(ExactResume, GRPOTrainer):
    """TRL's GRPO trainer; a resumed run goes on with the checkpoint's weights."""


def train(policy: Policy, prompts: Sequence[Prompt], scratch: Path) -> list[dict[str, Any]]:
    """Train the policy's model in place and return the log, a row per step (reward, its parts, KL, loss, length).

    Checkpoints go to `scratch`; if one lies there, training goes on from the newest.
    """
    rewards: list[Any] = [rewards_format, rewards_accuracy]
    args = trainer_config(policy.params, policy.seed, scratch)
    # A process whose share of a step shows no picture leaves the vision tower without a gradient.
    args.ddp_find_unused_parameters = any(not prompt.image_ids for prompt in prompts)
    trainer = RolloutTrainer(
        model=policy.model,
        processing_class=policy.processor,
        reward_funcs=rewards,
        args=args,
        train_dataset=dataset(prompts, policy.store),
        callbacks=[MarkComplete(), RewardLines()],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=newest_checkpoint(scratch))
    return [row for row in trainer.state.log_history if "reward" in row]


def trainer_config(params: ReinforcementParams, seed: int, scratch: Path) -> GRPOConfig:
    """Return TRL's settings; no mixed precision on the CPU, and the plain GRPO loss of the paper's stage."""
    on_gpu = params.device == "cuda"
    return GRPOConfig(
        output_dir=str(scratch),
        max_steps=params.steps,
        per_device_train_batch_size=params.step_share,
        gradient_accumulation_steps=params.accumulation,
        steps_per_generation=params.accumulation * params.rollout_steps,
        num_generations=params.generations,
        max_completion_length=params.max_completion_length,
        temperature=params.temperature,
        top_k=0,
        beta=params.kl,
        loss_type="grpo",
        reward_weights=[params.reward.format_weight, params.reward.accuracy_weight],
        learning_rate=params.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=params.warmup_steps,
        weight_decay=params.weight_decay,
        max_grad_norm=params.max_grad_norm,
        seed=seed,
        data_seed=seed,
        use_cpu=not on_gpu,
        bf16=on_gpu,
        gradient_checkpointing=on_gpu,
        logging_steps=1,
        save_steps=params.save_every,
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
    )


def dataset(prompts: Sequence[Prompt], store: ImageStore) -> Dataset:
    """Return the prompts as TRL takes them: messages with plain text, pictures, and what the rewards need."""
    return Dataset.from_list(
        [
            {
                "prompt": [{"role": turn["role"], "content": _text(turn)} for turn in prompt.messages],
                "images": [store.image(image_id) for image_id in prompt.image_ids],
                "question": prompt.question,
                "kind": prompt.answer.kind,
                "gold": prompt.answer.text,
                "choices": list(prompt.answer.choices),
                "label": prompt.answer.label,
            }
            for prompt in prompts
        ]
    )


def _text(turn: Any) -> str:
    return "".join(part["text"] for part in turn["content"] if part["type"] == "text")


def rewards_format(completions: Sequence[Any], **_: Any) -> list[float]:
    """Return the format reward of each completion (TRL's reward interface)."""
    return [format_reward(_said(completion)) for completion in completions]


def rewards_accuracy(completions: Sequence[Any], **columns: Sequence[Any]) -> list[float]:
    """Return the accuracy reward of each completion (TRL's reward interface; the columns are those of `dataset`)."""
    names = ("question", "kind", "gold", "choices", "label")
    rows = zip(completions, *(columns[name] for name in names), strict=True)
    return [
        accuracy_reward(_said(said), question, Answer(kind, gold, tuple(choices), label))
        for said, question, kind, gold, choices, label in rows
    ]


def _said(completion: Any) -> str:
    text = completion[0]["content"]
    assert isinstance(text, str)
    return text
