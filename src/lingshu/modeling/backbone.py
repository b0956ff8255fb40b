"""Making the mini backbone: tokenizer from the corpus, model from its parameters, language model from text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from lingshu.core.errors import UserError
from lingshu.modeling.architecture import build_model, build_processor, fix_seed, save_checkpoint
from lingshu.modeling.collate import IGNORED, Encoded, Pictures, encode
from lingshu.modeling.corpus import corpus_samples, pretraining_conversations, tokenizer_texts
from lingshu.modeling.freeze import part_sizes
from lingshu.modeling.load import use_threads
from lingshu.modeling.params import ModelingParams
from lingshu.modeling.pretrain import pretrain
from lingshu.modeling.tokenizer import train_tokenizer

STEPS_AVERAGED = 10


def make_backbone(
    folder: Path, params: ModelingParams, seed: int, sources: Iterable[str], recipes: Iterable[str]
) -> dict[str, Any]:
    """Write the backbone's checkpoint to `folder` and return its metrics.

    Raises:
        UserError: the corpus holds nothing to pre-train on.
    """
    use_threads(params.threads)
    fix_seed(seed)
    samples = corpus_samples(sources, recipes)
    texts = tokenizer_texts(samples)
    tokenizer = train_tokenizer(texts, params.vocabulary)
    model = build_model(params, tokenizer)
    processor = build_processor(params.vision, params.image, tokenizer)
    encoded = encode(pretraining_conversations(samples, seed), processor, Pictures())
    data = [item for item in encoded if len(item) <= params.pretrain.max_length]
    if not data:
        raise UserError("params.yaml: sources.enabled: no captions or dialogues to pre-train on", "enable a source")
    losses = pretrain(model, data, params.pretrain, seed)
    save_checkpoint(folder, model, processor)
    return {
        "vocabulary": len(tokenizer),
        "texts": len(texts),
        "parameters": {part: size.total for part, size in part_sizes(model).items()},
        "pretraining": {
            "conversations": len(data),
            "dropped": {"TOO_LONG": len(encoded) - len(data)},
            **answer_tokens(data),
            "steps": len(losses),
            "loss_first": round(fmean(losses[:STEPS_AVERAGED]), 4),
            "loss_last": round(fmean(losses[-STEPS_AVERAGED:]), 4),
        },
    }


def answer_tokens(data: Sequence[Encoded]) -> dict[str, int]:
    """Return how many tokens the samples have, and how many of them the loss sees."""
    return {
        "tokens": sum(len(item) for item in data),
        "answer_tokens": sum(int((item.labels != IGNORED).sum()) for item in data),
    }
