"""The backbone: a published checkpoint, or our own: a tokenizer, random weights and two brief pre-trainings.

Our own tokenizer and language model learn from the corpus, vision tower and projector from a pretrained encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from lingshu.core.corpus import open_images
from lingshu.core.errors import UserError
from lingshu.modeling.architecture import build_model, build_processor, fix_seed, save_checkpoint
from lingshu.modeling.collate import IGNORED, Encoded, Pictures, encode
from lingshu.modeling.corpus import corpus_samples, pretraining_conversations, tokenizer_texts
from lingshu.modeling.encoder import STRIDE, load_encoder
from lingshu.modeling.encoder_params import OpenClipParams
from lingshu.modeling.freeze import part_sizes
from lingshu.modeling.load import use_threads
from lingshu.modeling.memory import keep_freed_memory
from lingshu.modeling.params import ModelingParams
from lingshu.modeling.pretrain import pretrain
from lingshu.modeling.published import take_published
from lingshu.modeling.tokenizer import train_tokenizer
from lingshu.modeling.vision import chosen_pictures, pretrain_vision, principal_components, teacher_tokens

STEPS_AVERAGED = 10


@dataclass(frozen=True, slots=True)
class Origins:
    """What a backbone is made from.

    Attributes:
        sources: names of the enabled sources.
        recipes: names of the enabled synthesis recipes.
        encoder: `modality.encoder`; a backbone that we make learns from one of catalog/encoders.yaml.
    """

    sources: Sequence[str]
    recipes: Sequence[str]
    encoder: str | OpenClipParams


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


def make_backbone(folder: Path, params: ModelingParams, seed: int, origins: Origins) -> dict[str, Any]:
    """Write the backbone's checkpoint to `folder` and return its metrics.

    Raises:
        UserError: the published checkpoint can't be had; or the corpus holds nothing to pre-train on, or the encoder
            or its weights are missing.
    """
    use_threads(params.threads)
    if params.backbone is not None:
        return take_published(folder, params.backbone, params.image)
    teacher = _teacher(origins.encoder)
    made = params.made
    keep_freed_memory()
    fix_seed(seed)
    samples = corpus_samples(origins.sources, origins.recipes)
    texts = tokenizer_texts(samples)
    tokenizer = train_tokenizer(texts, made.vocabulary)
    model = build_model(params, tokenizer)
    processor = build_processor(made.vision, params.image, tokenizer)
    encoded = encode(pretraining_conversations(samples, seed), processor, Pictures())
    data = [item for item in encoded if len(item) <= made.pretrain.max_length]
    if not data:
        raise UserError("params.yaml: sources.enabled: no captions or dialogues to pre-train on", "enable a source")
    image_ids = chosen_pictures(samples, origins.sources, made.vision_pretrain.pictures_per_source, seed)
    if not image_ids:
        raise UserError("params.yaml: sources.enabled: no pictures to pre-train on", "enable a source with pictures")
    pictures = Pictures()
    store = open_images()
    pictures.add(image_ids, store, processor)
    seen = teacher_tokens(image_ids, pictures, made.vision.merge, store, load_encoder(teacher, STRIDE))
    targets = principal_components(seen, made.vision_pretrain.components)
    errors = pretrain_vision(model, pictures, targets, made.vision_pretrain, seed)
    losses = pretrain(model, data, made.pretrain, seed)
    save_checkpoint(folder, model, processor)
    return {
        "vocabulary": len(tokenizer),
        "texts": len(texts),
        "parameters": {part: size.total for part, size in part_sizes(model).items()},
        "vision_pretraining": {"pictures": len(image_ids), **_curve(errors)},
        "pretraining": {
            "conversations": len(data),
            "dropped": {"TOO_LONG": len(encoded) - len(data)},
            **answer_tokens(data),
            **_curve(losses),
        },
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
