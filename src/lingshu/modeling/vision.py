"""Vision pre-training of the mini backbone: tower and projector learn to see what a pretrained encoder sees.

A published Qwen2.5-VL comes with a vision tower that has seen hundreds of millions of pictures; random weights and a
thousand pictures don't make one. Here the encoder of a registry package is the teacher (feature distillation): each
picture token learns the principal components of the teacher's feature map at its place. The teacher is fully
convolutional, so a picture is shown to it with one cell of its last map for each token, whatever the picture's shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from lingshu.core.ids import stable_hash
from lingshu.core.images import ImageStore
from lingshu.core.progress import track
from lingshu.core.sample import Sample
from lingshu.modeling.attention import use_segments
from lingshu.modeling.collate import Grid, Pictures
from lingshu.modeling.encoder import STRIDE, Encoder
from lingshu.modeling.freeze import freeze_all_but
from lingshu.modeling.load import Model
from lingshu.modeling.params import VisionPretrainParams
from lingshu.modeling.pretrain import batches, rate_share

TEACHER_BATCH = 16


def chosen_pictures(samples: Iterable[Sample], sources: Sequence[str], most: int, seed: int) -> list[str]:
    """Return the ids of up to `most` pictures of each of `sources` that `samples` show, by seeded hash, sorted."""
    by_source: dict[str, set[str]] = {source: set() for source in sources}
    for sample in samples:
        if sample.source in by_source:
            by_source[sample.source].update(image.image_id for image in sample.images)
    drawn: set[str] = set()
    for found in by_source.values():
        drawn.update(sorted(found, key=lambda image_id: (stable_hash(seed, "vision", image_id), image_id))[:most])
    return sorted(drawn)


def teacher_tokens(
    image_ids: Sequence[str], pictures: Pictures, merge: int, store: ImageStore, teacher: Encoder
) -> dict[str, Tensor]:
    """Return what the teacher sees at each token of each picture, shape (tokens, channels), in the tokens' order.

    Args:
        merge: patches along the side of a token.
    """
    by_grid: dict[Grid, list[str]] = {}
    for image_id in image_ids:
        by_grid.setdefault(pictures.grids[image_id], []).append(image_id)
    chunks = [
        (grid, found[start : start + TEACHER_BATCH])
        for grid, found in sorted(by_grid.items())
        for start in range(0, len(found), TEACHER_BATCH)
    ]
    seen: dict[str, Tensor] = {}
    for (_, height, width), chunk in track(chunks, "backbone: the encoder looks at pictures", len(chunks)):
        size = (width // merge * STRIDE, height // merge * STRIDE)
        maps = teacher.feature_maps([store.image(image_id) for image_id in chunk], *size)
        seen.update(zip(chunk, maps.flatten(1, 2), strict=True))
    return seen


def principal_components(seen: Mapping[str, Tensor], number: int) -> dict[str, Tensor]:
    """Return the first `number` principal components of all tokens, scaled to a mean variance of 1.

    Returns:
        By picture, shape (tokens, components); fewer components where there are fewer channels.
    """
    rows = torch.cat(list(seen.values())).double()
    mean = rows.mean(0)
    _, vectors = torch.linalg.eigh(torch.cov((rows - mean).T))
    axes = vectors[:, -number:].flip(1)
    scale = ((rows - mean) @ axes).var(0).mean().sqrt()
    return {image_id: ((tokens.double() - mean) @ axes / scale).float() for image_id, tokens in seen.items()}


def pretrain_vision(
    model: Model, pictures: Pictures, targets: Mapping[str, Tensor], params: VisionPretrainParams, seed: int
) -> list[float]:
    """Train tower and projector; return each step's mean squared error, in units of the targets' mean variance.

    A linear head from token to target is trained along and thrown away. The result depends on `seed`, the weights and
    the targets alone.
    """
    freeze_all_but(model, ["vision", "projector"])
    use_segments(model, text=False)
    model.train()
    image_ids = sorted(targets)
    head = torch.nn.Linear(model.model.visual.config.out_hidden_size, targets[image_ids[0]].shape[1])
    weights = [*(weight for weight in model.parameters() if weight.requires_grad), *head.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=params.learning_rate, weight_decay=params.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: rate_share(n, params.steps, params.warmup_steps))
    losses: list[float] = []
    drawn = batches(len(image_ids), params.steps, params.batch, seed)
    for numbers in track(drawn, "backbone: vision pre-training", params.steps):
        batch = [image_ids[number] for number in numbers]
        tokens = model.model.visual(
            torch.cat([pictures.patches[image_id] for image_id in batch]),
            grid_thw=torch.tensor([pictures.grids[image_id] for image_id in batch]),
        ).pooler_output
        loss = mse_loss(head(tokens), torch.cat([targets[image_id] for image_id in batch]))
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses
