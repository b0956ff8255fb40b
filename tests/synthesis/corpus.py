"""A small repository to propose from: drawn chest films, scans with tags, ICD-10-CM questions; some not eligible."""

from __future__ import annotations

import numpy as np

from lingshu.core.images import Picture, encode_png, write_images
from lingshu.core.layout import IMAGES, MODALITY, SAMPLES, verdict_file
from lingshu.core.sample import Answer, ImageRef, Sample, turn, write_samples
from lingshu.core.verdicts import KEPT, Verdict, write_verdicts
from lingshu.facts.asking import count_question, questions
from lingshu.facts.wording import caption
from lingshu.synthesis.params import SynthesisParams

SOURCES = ["film", "scans", "terminology"]
RECIPES = ["caption", "vqa", "ocr", "cot"]
PARAMS = SynthesisParams.model_validate(
    {
        "enabled": RECIPES,
        "seed": 5,
        "teacher": {"kind": "template"},
        "caption": {"max_per_modality": 8},
        "vqa": {"max_templates_per_topic": 6, "max_written_per_topic": 8},
        "ocr": {"max_per_question": 10, "side": 96},
        "cot": {"topics": ["presence", "side", "count", "count_hard"], "max_per_topic": 8},
        "verify": {"max_trace_words": 40},
    }
)


def film_facts(number):
    rng = np.random.default_rng(number)
    side, count, effusion, opacity = rng.choice(["left", "right"]), int(rng.integers(0, 4)), *rng.integers(0, 3, 2)
    return {
        "modality": "x-ray",
        "view": "frontal",
        "body_part": "chest",
        "heart": ["normal", "enlarged"][rng.integers(2)],
        "nodule_count": count,
        "nodule_side": str(side) if count else "none",
        "effusion_side": ["none", "left", "right"][effusion],
        "effusion_level": "none" if effusion == 0 else "small",
        "opacity": ["none", "left", "right"][opacity],
        "generated": True,
    }


SCANS = [
    {"modality": modality, "plane": plane, "body_part": part, "contrast": part == "liver"}
    for modality in ("ct", "mri")
    for plane in ("axial", "coronal", "sagittal")
    for part in ("brain", "liver")
]


def picture_of(source, number, facts, split="train"):
    rng = np.random.default_rng([number, len(source)])
    data = encode_png(rng.integers(0, 255, (64, 64), dtype=np.uint8))
    return Picture(data, "PNG", 64, 64, source, f"{source}/{number}", f"{source}-{number}", split, "MIT", facts)


def sample_of(picture, task, topic, said, answer=None):
    return Sample(
        picture.source, picture.split, "1", picture.origin_id, picture.group_id, task, topic,
        turn(*said, 1), picture.licence, modality=(picture.facts["modality"],),
        images=(ImageRef(picture.image_id, 64, 64),), answer=answer,
    ).with_id()  # fmt: skip


def samples_of(picture, number):
    made = [sample_of(picture, "caption", "caption", ("Describe this image.", caption(picture.facts, number)))]
    asked = questions(picture.facts, str(number))
    if picture.source == "film":
        hard = number % 3 == 0
        asked = [q for q in asked if q.topic in ("presence", "side", "count") and not hard]
        asked += [count_question(picture.facts, str(number), "count_hard")] if hard else []
    for q in asked:
        answer = Answer(q.kind, q.answer, q.choices, q.label)
        task = "mcq" if q.kind == "mcq" else "vqa_closed"
        made.append(sample_of(picture, task, q.topic, (q.question, q.label or q.answer), answer))
    return made


def icd_sample(code, chapter, split="train"):
    question = f"To which chapter does ICD-10-CM code {code} belong?"
    return Sample(
        "terminology", split, "2026", f"icd10cm/{code}/icd_chapter", f"icd10cm/{code[:3]}", "text_qa", "icd_chapter",
        turn(question, chapter), "public domain", answer=Answer("closed", chapter),
    ).with_id()  # fmt: skip


def build(root):
    """Write the corpus; film 0 is dropped by `decontaminate`, film 1 by `classify_modality`, film 2 is held out."""
    pictures = [picture_of("film", i, film_facts(i), "test" if i == 2 else "train") for i in range(30)]
    scans = [picture_of("scans", i, facts) for i, facts in enumerate(SCANS)]
    rows = {
        "film": [s for i, p in enumerate(pictures) for s in samples_of(p, i)],
        "scans": [s for i, p in enumerate(scans) for s in samples_of(p, i)],
        "terminology": [
            *(icd_sample(f"J{45 + i}.0", "respiratory") for i in range(6)),
            *(icd_sample(f"I{20 + i}", "circulatory") for i in range(6)),
            icd_sample("Z00.1", "health services", "test"),
        ],
    }
    write_images(root / IMAGES / "film", pictures)
    write_images(root / IMAGES / "scans", scans)
    for source, samples in rows.items():
        write_samples(root / SAMPLES / source, samples)
    everything = [s for samples in rows.values() for s in samples]
    write_verdicts(root / verdict_file("decontaminate"), [_verdict(s, "film-0") for s in everything])
    write_verdicts(root / MODALITY / "verdicts.parquet", [_verdict(s, "film-1") for s in everything])
    return root


def _verdict(sample, dropped):
    keep = sample.group_id != dropped
    return Verdict(sample.sample_id, sample.source, "step", keep, KEPT if keep else "BAD")
