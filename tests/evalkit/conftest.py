"""A project folder with built benchmarks and responses of two checkpoints, written by hand."""

import json
from pathlib import Path

import pytest

from lingshu.core.manifest import write_manifest
from lingshu.core.sample import Sample, turn, write_samples
from lingshu.evalkit.params import ScoreParams

GOLD_CAPTION = "A frontal x-ray of the chest. The heart is enlarged."


def sample(number: int, answer: str) -> Sample:
    return Sample(
        source="drawn",
        split="test",
        revision="1",
        origin_id=str(number),
        group_id=f"g{number // 2}",
        task="caption",
        topic="side",
        messages=turn(f"question {number}", answer),
        licence="CC0-1.0",
    ).with_id()


def benchmark(name: str, scorer: str, golds: list[str], chance: float | None = None) -> list[Sample]:
    folder = Path("data/benchmarks") / name
    samples = [sample(n, gold) for n, gold in enumerate(golds)]
    write_samples(folder, samples)
    topics = {"side": {"rows": len(samples), "chance": chance}}
    record = {"name": name, "suite": "text", "prompt": "direct", "scorer": scorer, "generated": True, "topics": topics}
    (folder / "record.json").write_text(json.dumps(record))
    return samples


def answer(where: tuple[str, str], kind: str, samples: list[Sample], responses: list[str], *, choices=None) -> None:
    checkpoint, name = where
    lines = [
        {
            "id": s.sample_id,
            "kind": kind,
            "question": s.prompt_text(),
            "choices": choices,
            "answer": s.target_text(),
            "response": response,
            "cluster": s.group_id,
            "meta": {"benchmark": name, "checkpoint": checkpoint, "topic": "side", "modality": ["x-ray"]},
        }
        for s, response in zip(samples, responses, strict=True)
    ]
    folder = Path("data/responses") / checkpoint
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    counts = {path.stem: len(path.read_text().splitlines()) for path in folder.glob("*.jsonl")}
    write_manifest(folder, "predict", sum(counts.values()), counts)


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sides = benchmark("sides", "strict", ["A", "B"] * 20, chance=0.5)
    told = benchmark("told", "attributes", [GOLD_CAPTION] * 4)
    wrote = benchmark("wrote", "report", ["Findings: Normal heart. Impression: No acute finding."] * 4)
    asked = benchmark("asked", "strict", ["left lung", "right lung", "A nodule in the left lung.", "ribs"])
    options = ["A. left", "B. right"]
    for checkpoint, wrong in (("early", 20), ("late", 2)):
        answer((checkpoint, "sides"), "mcq", sides, ["?"] * wrong + ["A", "B"] * ((40 - wrong) // 2), choices=options)
        answer((checkpoint, "told"), "caption", told, [GOLD_CAPTION, "An x-ray of the chest.", "A frontal x-ray.", ""])
        answer(
            (checkpoint, "wrote"), "report", wrote, ["Findings: Normal heart. Impression: No acute finding."] * 3 + [""]
        )
        answer((checkpoint, "asked"), "open", asked, ["Left lung.", "", "There is no nodule.", "the spine"])
    return tmp_path


@pytest.fixture
def params():
    pair = {"before": "early", "after": "late"}
    return ScoreParams.model_validate({"seed": 1, "resamples": 500, "confidence": 0.95, "comparisons": [pair]})
