"""A small repository with samples of two sources and one recipe, made by the core writers."""

from __future__ import annotations

import pytest

from lingshu.core.layout import MODALITY, SAMPLES, proposal_samples, verdict_file
from lingshu.core.sample import Answer, Sample, Synthetic, turn, write_samples
from lingshu.core.verdicts import KEPT, Verdict, write_verdicts


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
    return tmp_path
