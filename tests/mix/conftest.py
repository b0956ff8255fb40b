"""A small repository with samples of two sources and one recipe, made by the core writers."""

from __future__ import annotations

import polars as pl
import pytest

from lingshu.core.layout import MODALITY, SAMPLES, proposal_samples, verdict_file
from lingshu.core.sample import Answer, ImageRef, Sample, Synthetic, turn, write_samples
from lingshu.core.verdicts import KEPT, Verdict, write_verdicts
from lingshu.mix.pool import read_pool


def make_sample(source, number, *, task="vqa_closed", topic="presence", split="train", synthetic=None):
    return Sample(
        source=source,
        split=split,
        revision="1",
        origin_id=f"{topic}/{number}",
        group_id=f"g{number}",
        task=task,
        topic=topic,
        messages=turn(f"Question {number}?", "yes"),
        licence="CC0-1.0",
        modality=("x-ray",) if source == "film" else (),
        answer=Answer("yesno", "yes"),
        synthetic=synthetic,
    ).with_id()


def decide(path, step, samples, dropped):
    write_verdicts(
        path,
        [
            Verdict(s.sample_id, s.source, step, s.sample_id not in dropped, "BAD" if s.sample_id in dropped else KEPT)
            for s in samples
        ],
    )


@pytest.fixture
def repository(tmp_path):
    """`film`: 40 presence and 20 side training rows, 5 held out; `words`: 30; `synthetic_cot`: 20. Some dropped."""
    film = [
        *(make_sample("film", i) for i in range(40)),
        *(make_sample("film", i, topic="side") for i in range(20)),
        *(make_sample("film", i, split="test") for i in range(100, 105)),
    ]
    words = [make_sample("words", i, task="text_qa", topic="chapter") for i in range(30)]
    made = [
        make_sample("synthetic_cot", i, task="reasoning", synthetic=Synthetic("cot", "t", "d", ("p",)))
        for i in range(20)
    ]
    write_samples(tmp_path / SAMPLES / "film", film)
    write_samples(tmp_path / SAMPLES / "words", words)
    write_samples(tmp_path / proposal_samples("cot"), made)
    by_film = {film[0].sample_id, film[1].sample_id}
    decide(tmp_path / verdict_file("decontaminate"), "decontaminate", [*film, *words], by_film)
    decide(tmp_path / MODALITY / "verdicts.parquet", "classify_modality", film, {film[2].sample_id})
    decide(tmp_path / verdict_file("verify"), "verify", made, {s.sample_id for s in made[:4]})
    predictions = pl.DataFrame(schema={"image_id": pl.String, "modality": pl.String, "abstained": pl.Boolean})
    predictions.write_parquet(tmp_path / MODALITY / "predictions.parquet")
    return tmp_path


@pytest.fixture
def pool(repository):
    """What may be drawn from: 57 of `film`, 30 of `words`, 16 of `synthetic_cot`."""
    return read_pool(["film", "words"], ["cot"], repository, kinds=True)


@pytest.fixture
def corpus_with_untagged_pictures(tmp_path):
    """`films`: one sample each with a stated modality, a found one, two found ones, an abstained one, no picture."""
    shown = {"tagged": ("p0",), "found": ("p1",), "both": ("p1", "p2"), "unsure": ("p3",), "none": ()}
    samples = [
        Sample(
            source="films", split="train", revision="1", origin_id=topic, group_id=topic, task="vqa_open", topic=topic,
            messages=turn("What?", "that", len(ids)), licence="CC0-1.0", images=tuple(ImageRef(i, 9, 9) for i in ids),
            modality=("ct",) if topic == "tagged" else (),
        ).with_id()
        for topic, ids in shown.items()
    ]  # fmt: skip
    write_samples(tmp_path / SAMPLES / "films", samples)
    decide(tmp_path / verdict_file("decontaminate"), "decontaminate", samples, set())
    decide(tmp_path / MODALITY / "verdicts.parquet", "classify_modality", samples, set())
    found = {"image_id": ["p0", "p1", "p2", "p3"], "modality": ["x-ray", "mri", "x-ray", "ct"]}
    pl.DataFrame(found | {"abstained": [False, False, False, True]}).write_parquet(
        tmp_path / MODALITY / "predictions.parquet"
    )
    return tmp_path
