"""The backbone: a published checkpoint, or our own: a tokenizer, random weights and two brief pre-trainings.

Our own tokenizer and language model learn from the corpus, vision tower and projector from a pretrained encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from lingshu.core.corpus import open_images
from lingshu.core.errors import UserError
from lingshu.core.ranks import ALONE, Rank
from lingshu.core.sample import Sample
from lingshu.modeling.architecture import build_model, build_processor, fix_seed, save_checkpoint
from lingshu.modeling.collate import IGNORED, Encoded, Pictures, encode
from lingshu.modeling.corpus import corpus_samples, pretraining_conversations, tokenizer_texts
from lingshu.modeling.encoder import STRIDE, load_encoder
from lingshu.modeling.encoder_params import OpenClipParams
from lingshu.modeling.freeze import part_sizes
from lingshu.modeling.launch import Origins
from lingshu.modeling.load import Model, Processor, use_threads
from lingshu.modeling.memory import keep_freed_memory
from lingshu.modeling.params import MadeParams, ModelingParams
from lingshu.modeling.pretrain import pretrain
from lingshu.modeling.published import take_published
from lingshu.modeling.ranks import joined, take_llm
from lingshu.modeling.tokenizer import train_tokenizer
from lingshu.modeling.vision import chosen_pictures, pretrain_vision, principal_components, teacher_tokens

STEPS_AVERAGED = 10


def _teacher(encoder: str | OpenClipParams) -> str:
    """Return the name of the encoder that the vision tower learns from.

    Raises:
        UserError: it is one of open_clip, whose feature maps are of another form.
    """
    if isinstance(encoder, str):
        return encoder
    raise UserError(
        f"params.yaml: modality.encoder: {encoder.label} can't teach the backbone that `modeling` makes",
        "name an encoder of catalog/encoders.yaml, or a published backbone in modeling.backbone",
    )


def make_backbone(
    folder: Path, params: ModelingParams, seed: int, origins: Origins, rank: Rank = ALONE
) -> dict[str, Any]:
    """Be one rank of the making (`launch` starts them); rank 0 writes, and returns the metrics.

    Raises:
        UserError: the published checkpoint can't be had; or the corpus holds nothing to pre-train on, or the encoder
            or its weights are missing.
    """
    use_threads(params.threads)
    if params.backbone is not None:
        return take_published(folder, params.backbone, params.image)
    _teacher(origins.encoder)  # what can't teach is refused before any work
    keep_freed_memory()
    fix_seed(seed)
    samples = corpus_samples(origins.sources, origins.recipes)
    texts = tokenizer_texts(samples)
    tokenizer = train_tokenizer(texts, params.made.vocabulary)
    model = build_model(params, tokenizer)
    processor = build_processor(params.made.vision, params.image, tokenizer)
    with joined(rank, "cpu"):
        seeing = _see(model, processor, samples, origins, params.made, seed=seed) if rank.number == 0 else {}
        speaking = _speak(model, processor, samples, params.made, seed=seed) if rank.number == rank.of - 1 else {}
        if rank.of > 1:
            speaking = take_llm(model, speaking, source=rank.of - 1)
    if rank.number:
        return {}
    save_checkpoint(folder, model, processor)
    return {
        "vocabulary": len(tokenizer),
        "texts": len(texts),
        "parameters": {part: size.total for part, size in part_sizes(model).items()},
        "vision_pretraining": seeing,
        "pretraining": speaking,
    }


def _see(
    model: Model, processor: Processor, samples: Sequence[Sample], origins: Origins, made: MadeParams, *, seed: int
) -> dict[str, Any]:
    """Pre-train vision tower and projector; return the figures."""
    params = made.vision_pretrain
    teacher = _teacher(origins.encoder)
    image_ids = chosen_pictures(samples, origins.sources, params.pictures_per_source, seed)
    if not image_ids:
        raise UserError("params.yaml: sources.enabled: no pictures to pre-train on", "enable a source with pictures")
    pictures = Pictures()
    store = open_images()
    pictures.add(image_ids, store, processor)
    seen = teacher_tokens(image_ids, pictures, made.vision.merge, store, load_encoder(teacher, STRIDE))
    targets = principal_components(seen, params.components)
    return {"pictures": len(image_ids), **_curve(pretrain_vision(model, pictures, targets, params, seed))}


def _speak(
    model: Model, processor: Processor, samples: Sequence[Sample], made: MadeParams, *, seed: int
) -> dict[str, Any]:
    """Pre-train the language model; return the figures."""
    encoded = encode(pretraining_conversations(samples, seed), processor, Pictures())
    data = [item for item in encoded if len(item) <= made.pretrain.max_length]
    if not data:
        raise UserError("params.yaml: sources.enabled: no captions or dialogues to pre-train on", "enable a source")
    return {
        "conversations": len(data),
        "dropped": {"TOO_LONG": len(encoded) - len(data)},
        **answer_tokens(data),
        **_curve(pretrain(model, data, made.pretrain, seed)),
    }


def _curve(losses: Sequence[float]) -> dict[str, Any]:
    return {
        "steps": len(losses),
        "loss_first": round(fmean(losses[:STEPS_AVERAGED]), 4),
        "loss_last": round(fmean(losses[-STEPS_AVERAGED:]), 4),
    }


def answer_tokens(data: Sequence[Encoded]) -> dict[str, int]:
    """Return how many tokens the samples have, and how many of them the loss sees."""
    return {
        "tokens": sum(len(item) for item in data),
        "answer_tokens": sum(int((item.labels != IGNORED).sum()) for item in data),
    }
