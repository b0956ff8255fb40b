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
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: rate_share(n, params.steps, params.warmup_steps))
    losses: list[float] = []
    chosen = batches(len(data), params.steps, params.batch, seed)
    for numbers in track(chosen, "backbone: text pre-training", params.steps):
        batch = collate([data[number] for number in numbers], Pictures())
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


def batches(items: int, steps: int, size: int, seed: int) -> Iterator[list[int]]:
    """Yield the item numbers of `steps` batches of `size`; every item comes once before any comes again."""
    generator = random.Random(seed)
    queue: list[int] = []
    for _ in range(steps):
        while len(queue) < size:
            order = list(range(items))
            generator.shuffle(order)
            queue.extend(order)
        yield queue[:size]
        del queue[:size]


def rate_share(step: int, steps: int, warmup_steps: int) -> float:
    """Return the share of the learning rate at a step: linear warm-up, then half a cosine down to 0."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    done = (step - warmup_steps) / max(1, steps - warmup_steps)
    return 0.5 * (1.0 + math.cos(math.pi * done))
