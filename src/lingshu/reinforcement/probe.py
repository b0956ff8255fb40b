"""Measuring what the stage gains: the reward of sampled responses to prompts it never trained on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.stats import t as student

from lingshu.core.ids import stable_hash
from lingshu.core.progress import track
from lingshu.modeling.ranks import gathered
from lingshu.modeling.template import render_prompt
from lingshu.reinforcement.policy import Policy
from lingshu.reinforcement.prompts import Prompt
from lingshu.reinforcement.rewards import Reward, reward_of

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Measurement:
    """Mean rewards of each held-out prompt, in prompt order (the mean over its sampled responses)."""

    total: list[float]
    format: list[float]
    accuracy: list[float]

    def summary(self) -> dict[str, Any]:
        """Return each reward's mean with its 95 % interval over prompts (Student's t), and the number of prompts."""
        parts = {"total": self.total, "format": self.format, "accuracy": self.accuracy}
        return {"prompts": len(self.total)} | {name: interval(values) for name, values in parts.items()}


def interval(values: Sequence[float]) -> dict[str, float]:
    """Return mean, low and high of a 95 % interval of the mean (Student's t; independent values, at least two)."""
    mean = float(np.mean(values))
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    reach = float(student.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * error
    return {"mean": round(mean, 4), "low": round(mean - reach, 4), "high": round(mean + reach, 4)}


def gain(before: Measurement, after: Measurement) -> dict[str, Any]:
    """Return the paired differences per prompt with interval, and a verdict: better, worse or no evidence."""
    found: dict[str, Any] = {}
    for name in ("total", "format", "accuracy"):
        pairs = zip(getattr(before, name), getattr(after, name), strict=True)
        found[name] = interval([late - early for early, late in pairs])
        low, high = found[name]["low"], found[name]["high"]
        found[name]["verdict"] = "better" if low > 0 else "worse" if high < 0 else "no evidence"
    return found


def measure(policy: Policy, prompts: Sequence[Prompt]) -> Measurement:
    """Sample `probe.samples` responses to each prompt and return the mean rewards per prompt, the same in every rank.

    Each batch is drawn with a seed of its own, so that it does not matter which rank draws it.
    """
    params, rank = policy.params, policy.rank
    jobs = [number for number in range(len(prompts)) for _ in range(params.probe.samples)]
    drawn: list[tuple[int, Reward]] = []
    policy.model.train(False)
    starts = range(0, len(jobs), params.probe.batch)[rank.number :: rank.of]
    for start in track(starts, "held-out rewards", len(starts)) if rank.number == 0 else starts:
        torch.manual_seed(stable_hash(policy.seed, "probe", str(start)) % 2**63)
        chosen = jobs[start : start + params.probe.batch]
        for number, said in zip(chosen, respond(policy, [prompts[number] for number in chosen]), strict=True):
            drawn.append((number, reward_of(said, prompts[number].question, prompts[number].answer)))
    rewards: list[list[Reward]] = [[] for _ in prompts]
    for number, reward in (pair for part in gathered(rank, drawn) for pair in part):
        rewards[number].append(reward)
    return Measurement(
        [float(np.mean([r.total(params.reward) for r in found])) for found in rewards],
        [float(np.mean([r.format for r in found])) for found in rewards],
        [float(np.mean([r.accuracy for r in found])) for found in rewards],
    )


@torch.no_grad()
def respond(policy: Policy, prompts: Sequence[Prompt]) -> list[str]:
    """Return one sampled response to each prompt, tags kept, the end-of-turn token not."""
    model: Any = policy.model
    processor = policy.processor
    texts = [render_prompt(processor, prompt.messages) for prompt in prompts]
    pictures = [policy.store.image(image_id) for prompt in prompts for image_id in prompt.image_ids]
    inputs = processor(text=texts, images=pictures or None, padding=True, return_tensors="pt").to(model.device)
    output = model.generate(
        **inputs,
        do_sample=True,
        temperature=policy.params.temperature,
        top_k=0,
        top_p=1.0,
        max_new_tokens=policy.params.max_completion_length,
    )
    answers = output[:, inputs["input_ids"].shape[1] :]
    decoded: list[str] = processor.tokenizer.batch_decode(answers, skip_special_tokens=True)
    return decoded
