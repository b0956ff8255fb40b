"""Brief text pre-training of the mini backbone's language model: it stands for the published backbone's weights."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence

import torch
from torch.nn.functional import cross_entropy

from lingshu.core.progress import track
from lingshu.modeling.attention import use_segments
from lingshu.modeling.collate import Encoded, Pictures, collate
from lingshu.modeling.freeze import freeze_all_but
from lingshu.modeling.load import Model
from lingshu.modeling.loss import answer_places
from lingshu.modeling.params import PretrainParams

MAX_GRAD_NORM = 1.0


def pretrain(model: Model, data: Sequence[Encoded], params: PretrainParams, seed: int) -> list[float]:
    """Train the language model on the answers of text-only conversations; return the loss of every step (nats a token).

    The order of samples, and so the result, depends on `seed` and the model's weights alone.
    """
    freeze_all_but(model, ["llm"])
    use_segments(model, text=True)
    model.train()
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(
        weights, lr=params.learning_rate, weight_decay=params.weight_decay, betas=(0.9, params.adam_beta2), fused=True
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, params))
    losses: list[float] = []
    for samples in track(_batches(data, params, seed), "backbone: text pre-training", params.steps):
        batch = collate(samples, Pictures())
        places, targets = answer_places(batch.pop("labels"))
        logits = model(**batch, logits_to_keep=places, use_cache=False).logits
        loss = cross_entropy(logits[0], targets)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, MAX_GRAD_NORM)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


def _batches(data: Sequence[Encoded], params: PretrainParams, seed: int) -> Iterator[list[Encoded]]:
    """Yield `steps` batches; every sample comes once before any comes again."""
    generator = random.Random(seed)
    queue: list[int] = []
    for _ in range(params.steps):
        while len(queue) < params.batch:
            order = list(range(len(data)))
            generator.shuffle(order)
            queue.extend(order)
        yield [data[index] for index in queue[: params.batch]]
        del queue[: params.batch]


def _rate(step: int, params: PretrainParams) -> float:
    """Return the share of the learning rate at a step: linear warm-up, then half a cosine down to 0."""
    if step < params.warmup_steps:
        return (step + 1) / params.warmup_steps
    done = (step - params.warmup_steps) / max(1, params.steps - params.warmup_steps)
    return 0.5 * (1.0 + math.cos(math.pi * done))
