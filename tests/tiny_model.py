"""A toy of the real architecture, with pictures, samples and a small corpus on disk for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from lingshu.core.layout import MODALITY, verdict_file
from lingshu.core.sample import Answer, ImageRef, Sample, turn
from lingshu.core.verdicts import KEPT, Verdict, write_verdicts
from lingshu.modeling.architecture import build_model, build_processor, fix_seed
from lingshu.modeling.load import Model, Processor
from lingshu.modeling.params import ModelingParams
from lingshu.modeling.tokenizer import train_tokenizer
from tests.corpora import Corpus, scene

PARAMS = ModelingParams.model_validate(
    {
        "processes": 1,
        "threads": 1,
        "vocabulary": 640,
        "initializer_range": 0.1,
        "text": {
            "hidden": 32,
            "layers": 2,
            "heads": 2,
            "kv_heads": 1,
            "intermediate": 64,
            "rope_theta": 4.0,
            "mrope_section": [2, 3, 3],
            "max_positions": 512,
        },
        "vision": {
            "hidden": 32,
            "depth": 2,
            "heads": 2,
            "intermediate": 64,
            "patch": 8,
            "merge": 2,
            "window": 32,
        },
        "image": {"min_pixels": 1024, "max_pixels": 4096},
        "vision_pretrain": {
            "pictures_per_source": 6,
            "components": 8,
            "steps": 5,
            "batch": 3,
            "learning_rate": 0.003,
            "warmup_steps": 1,
            "weight_decay": 0.01,
        },
        "pretrain": {
            "steps": 6,
            "batch": 4,
            "learning_rate": 0.003,
            "warmup_steps": 2,
            "weight_decay": 0.0,
            "adam_beta2": 0.95,
            "max_length": 200,
        },
    }
)
SIDES = ("left", "right")
CAPTIONS = [f"A frontal x-ray of the chest. There is an opacity in the {side} lung." for side in SIDES]


def tiny(seed: int = 0) -> tuple[Model, Processor]:
    """Return a model with random weights and its processor."""
    fix_seed(seed)
    tokenizer = train_tokenizer(CAPTIONS * 20, PARAMS.vocabulary)
    return build_model(PARAMS, tokenizer), build_processor(PARAMS.vision, PARAMS.image, tokenizer)


class Drawn:
    """A store of pictures named `<height>x<width>-<seed>`, drawn when asked for."""

    def image(self, image_id: str) -> Image.Image:
        size, seed = image_id.split("-")
        height, width = (int(side) for side in size.split("x"))
        noise = np.random.default_rng(int(seed)).integers(0, 255, (height, width, 3), dtype=np.uint8)
        return Image.fromarray(noise)


def sample(
    question: str, reply: str, *image_ids: str, task: str = "vqa_closed", answer: Answer | None = None
) -> Sample:
    """Return a sample about the pictures."""
    return Sample(
        source="films",
        split="train",
        revision="1",
        origin_id=f"{question}/{reply}/{image_ids}",
        group_id="g",
        task=task,
        topic="topic",
        messages=turn(question, reply, len(image_ids)),
        licence="MIT",
        images=tuple(ImageRef(image_id, 32, 32) for image_id in image_ids),
        answer=answer,
    ).with_id()


def write_corpus(root: Path, count: int = 24) -> list[Sample]:
    """Write source `films`: captioned pictures, dialogues, one held-out and one dropped caption; return the samples."""
    corpus = Corpus(root)
    for number in range(count):
        shown = corpus.picture("films", scene(number, 64), split="test" if number == 0 else "train")
        corpus.caption("films", CAPTIONS[number % 2], shown)
        corpus.sample("films", f"Explain finding {number}.", f"Finding {number} concerns the lung.", task="dialogue")
    corpus.write()
    samples = corpus.samples["films"]
    verdicts = [Verdict(s.sample_id, s.source, "decontaminate", n != 2, KEPT) for n, s in enumerate(samples)]
    write_verdicts(root / verdict_file("decontaminate"), verdicts)
    write_verdicts(root / MODALITY / "verdicts.parquet", [])
    write_verdicts(root / verdict_file("verify"), [])
    return samples
