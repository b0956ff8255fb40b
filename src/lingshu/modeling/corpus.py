"""The text a mini backbone learns from: every sample that may be trained on, never a benchmark's and never a mixture.

A caption becomes a reading exercise. The facts it states are written as notes, in random order, where a picture's
tokens would stand; the answer is the caption. A language model that has learned to read notes can be kept frozen while
a vision tower learns to write them (the first alignment stage).
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lingshu.core.ids import stable_hash
from lingshu.core.layout import SAMPLES, proposal_samples, verdict_file
from lingshu.core.sample import Sample, read_samples
from lingshu.core.verdicts import eligible_ids, kept_ids
from lingshu.facts.reading import facts_from_text
from lingshu.modeling.collate import Conversation
from lingshu.modeling.template import training_messages, user_text
from lingshu.modeling.tokenizer import VISION_END, VISION_START

PROMPTED_BY_PICTURE = ("caption",)
PLAIN_TEXT = ("dialogue",)


def corpus_samples(sources: Iterable[str], recipes: Iterable[str], root: Path = Path()) -> list[Sample]:
    """Return the training samples of enabled sources and synthesis recipes that no step dropped, sorted by id."""
    base = read_samples(root / SAMPLES / source for source in sorted(sources))
    made = read_samples(root / proposal_samples(recipe) for recipe in sorted(recipes))
    allowed = eligible_ids(root) | kept_ids(root / verdict_file("verify"))
    kept = [s for samples in (base, made) for s in samples if s.split == "train" and s.sample_id in allowed]
    return sorted(kept, key=lambda sample: sample.sample_id)


def tokenizer_texts(samples: Iterable[Sample]) -> list[str]:
    """Return what the samples ask and answer, one text a turn."""
    return [text for sample in samples for text in (user_text(sample), sample.target_text())]


def pretraining_conversations(samples: Iterable[Sample], seed: int) -> list[Conversation]:
    """Return reading exercises of the captions that state facts, and the text-only dialogues, in sample order."""
    found: list[Conversation] = []
    for sample in samples:
        if sample.task in PROMPTED_BY_PICTURE:
            if facts := facts_from_text(sample.target_text()):
                found.append(_reading(sample, notes(facts, stable_hash(seed, sample.sample_id))))
        elif sample.task in PLAIN_TEXT and not sample.images:
            found.append(Conversation(training_messages(sample)))
    return found


def notes(facts: dict[str, Any], order: int) -> str:
    """Return `key value` for every fact, in an order drawn from `order`."""
    items = sorted(f"{key.replace('_', ' ')} {value}" for key, value in facts.items())
    random.Random(order).shuffle(items)
    return " ".join(items)


def _reading(sample: Sample, text: str) -> Conversation:
    asked, answered = training_messages(sample)[-2:]
    question = f"{VISION_START}{text}{VISION_END}{user_text(sample)}"
    return Conversation([{"role": asked["role"], "content": [{"type": "text", "text": question}]}, answered])
