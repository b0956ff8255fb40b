"""A small run's outputs, written with the project's own writers: data, mixtures, responses and their scores."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from lingshu.core.corpus import MIXTURE_SCHEMA
from lingshu.core.files import write_json, write_text
from lingshu.core.images import Picture, encode_png, write_images
from lingshu.core.manifest import write_manifest
from lingshu.core.sample import Answer, ImageRef, Sample, Synthetic, read_samples, turn, write_samples
from lingshu.core.verdicts import KEPT, Verdict, funnel, write_verdicts
from lingshu.evalkit.judging import judge_responses
from lingshu.evalkit.params import Comparison, RulesJudging, ScoreParams
from lingshu.evalkit.score import score_responses

PER_SOURCE = 8
HELD_OUT = 2
METRICS = "metrics/decontam/decontaminate.json"
STEPS = ("gate", "deduplicate", "decontaminate", "classify_modality")
PARAMS = {
    "recipe": "tiny",
    "seed": 5,
    "sources": {"enabled": ["films", "phantom"], "pulled": ["films"], "generated": ["phantom"], "opt_in": []},
    "modality": {"encoder": "small_net"},
    "inference": {"suites": {"untrained": ["multimodal"], "instruct": ["multimodal"], "reinforce": ["multimodal"]}},
    "evalkit": {"score": {"confidence": 0.95}},
}
SUITES = {"films_vqa": "multimodal", "films_caption": "caption", "films_report": "report"}
SCORERS = {"films_vqa": "strict", "films_caption": "attributes", "films_report": "report"}
SAID = {
    "untrained": {"films_vqa": "zzz", "films_caption": "zzz <b>", "films_report": "the"},
    "instruct": {"films_vqa": "yes", "films_caption": "An x-ray picture.", "films_report": "An x-ray"},
    "reinforce": {"films_vqa": "no", "films_caption": "An x-ray picture.", "films_report": "An x-ray picture."},
}
PACKAGE = {"name": "film-data", "version": "1.2", "licence": "MIT", "visible": "films of chests"}
CATALOGUE = {
    "films": {
        "title": "Chest films <i>and</i> others",
        "kind": "registry_package",
        "licence": "MIT",
        "licence_class": "permissive",
        "access": "open",
        "citation": "the film makers",
        "packages": [PACKAGE],
    },
    "phantom": {
        "title": "Drawn films",
        "kind": "generated",
        "licence": "CC0-1.0",
        "licence_class": "permissive",
        "access": "open",
        "citation": "this repository",
        "revision": "7",
    },
}
ENCODERS = {
    "small_net": {"title": "A net", "trained_on": "photographs", "citation": "its authors", "package": PACKAGE},
}


def picture(source: str, number: int, modality: str) -> Picture:
    pixels = np.full((20 + number, 40), 10 * number + len(source), dtype=np.uint8)
    split = "test" if number < HELD_OUT else "train"
    facts = {"modality": modality} if modality else {}
    return Picture(
        encode_png(pixels), "PNG", 40, 20 + number, source, f"{source}/{number}", f"g{number}", split, "MIT", facts
    )


def caption(shown: Picture) -> Sample:
    reference = ImageRef(shown.image_id, shown.width, shown.height)
    return Sample(
        source=shown.source,
        split="test" if shown.split == "test" else "train",
        revision="1",
        origin_id=shown.origin_id,
        group_id=shown.group_id,
        task="caption",
        topic="caption",
        messages=turn("Describe <the> picture.", f"An {shown.facts.get('modality', 'unknown')} picture.", 1),
        licence=shown.licence,
        images=(reference,),
        modality=tuple(shown.facts.values()),
    ).with_id()


def question(shown: Picture) -> Sample:
    answer = Answer("yesno", "yes")
    base = replace(caption(shown), task="vqa_closed", topic="presence", answer=answer, sample_id="")
    return replace(base, messages=turn("Is there a nodule?", "yes", 1)).with_id()


def rewritten(sample: Sample) -> Sample:
    made = Synthetic("caption", "template", "0" * 8, (sample.sample_id,))
    base = replace(sample, source="synthetic_caption", synthetic=made, messages=turn("Tell me.", "Long text.", 1))
    return replace(base, sample_id="").with_id()


def write_mixture(root: Path, stage: str, rows: list[tuple[str, Sample, str]]) -> None:
    table = [
        {"position": place, "sample_id": s.sample_id, "group": group, "source": s.source, "folder": folder}
        for place, (group, s, folder) in enumerate(rows)
    ]
    folder = root / "data/mixtures" / stage
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(table, schema=MIXTURE_SCHEMA), folder / "mixture.parquet")


def write_steps(root: Path, samples: list[Sample]) -> list[Sample]:
    """Let each step drop one sample of each source; return what is left."""
    left = samples
    for step in STEPS:
        lost = {source: next(s.sample_id for s in left if s.source == source) for source in CATALOGUE}
        verdicts = [
            Verdict(s.sample_id, s.source, step, False, f"NO_{step.upper()}", 0.5, "because")
            if s.sample_id in lost.values()
            else Verdict(s.sample_id, s.source, step, True, KEPT)
            for s in left
        ]
        folder = root / ("data/modality" if step == "classify_modality" else f"data/verdicts/{step}")
        folder.mkdir(parents=True)
        write_verdicts(folder / "verdicts.parquet", verdicts)
        if step == "decontaminate":
            met = {source: {"films_vqa": 1, "films_report": 0} for source in CATALOGUE}
            spared = {"films": {"films_vqa": 0}, "phantom": {"films_vqa": 1}}
            write_json(root / METRICS, {**funnel(verdicts), "matrix": met, "kept_on_purpose": spared})
        left = [s for s in left if s.sample_id not in lost.values()]
    return left


def write_data(root: Path) -> None:
    """Write params, catalogue and everything up to the mixtures."""
    (root / "recipes").mkdir(parents=True)
    (root / "catalog").mkdir()
    (root / "params.yaml").write_text(yaml.safe_dump(PARAMS, sort_keys=False))
    (root / "recipes/tiny.yaml").write_text(yaml.safe_dump({**PARAMS, "seed": 4}))
    (root / "catalog/sources").mkdir()
    for name, record in CATALOGUE.items():
        (root / f"catalog/sources/{name}.yaml").write_text(yaml.safe_dump(record))
    (root / "catalog/encoders.yaml").write_text(yaml.safe_dump(ENCODERS))
    (root / "catalog/benchmarks.yaml").write_text(
        yaml.safe_dump({name: {"title": f"Test of {name}"} for name in SUITES})
    )
    training: list[Sample] = []
    for source, modality in (("films", "x-ray"), ("phantom", "")):
        shown = [picture(source, number, modality) for number in range(PER_SOURCE)]
        write_images(root / "data/images" / source, shown)
        samples = [make(one) for one in shown for make in (caption, question)]
        write_samples(root / "data/samples" / source, samples)
        training += [s for s in samples if s.split != "test"]
    bad = Verdict("films:file-9", "films", "normalize", False, "UNDECODABLE", None, "truncated")
    write_verdicts(root / "data/samples/films/verdicts.parquet", [bad])
    left = write_steps(root, sorted(training, key=lambda s: s.sample_id))
    proposals = [rewritten(s) for s in left if s.task == "caption"]
    write_samples(root / "data/proposals/caption/samples", proposals)
    (root / "data/verdicts/verify").mkdir()
    reasons = ["UNTRUE", *[KEPT] * (len(proposals) - 1)]
    decided = zip(proposals, reasons, strict=True)
    checked = [Verdict(s.sample_id, s.source, "verify", reason == KEPT, reason) for s, reason in decided]
    write_verdicts(root / "data/verdicts/verify/verdicts.parquet", checked)
    rows = [(f"{s.source}_{s.task}", s, f"data/samples/{s.source}") for s in left]
    rows += [("rewritten", s, "data/proposals/caption/samples") for s in proposals[1:] * 2]
    for stage in ("shallow", "deep", "instruct", "reinforce"):
        write_mixture(root, stage, rows)


def write_results(root: Path) -> None:
    """Write benchmarks, three checkpoints' responses, and their scores by the score stage's own code."""
    held_out = [s for s in read_samples([root / "data/samples/films"]) if s.split == "test"]
    built = {}
    for name, suite in SUITES.items():
        task = "vqa_closed" if name == "films_vqa" else "caption"
        items = [s for s in held_out if s.task == task]
        folder = root / "data/benchmarks" / name
        write_samples(folder, items)
        chance = 0.5 if name == "films_vqa" else None
        topics = {items[0].topic: {"rows": len(items), "groups": len(items), "chance": chance, "training_only": []}}
        record = {"name": name, "suite": suite, "prompt": "direct", "scorer": SCORERS[name], "generated": False}
        write_json(folder / "record.json", {**record, "topics": topics})
        built[name] = {"rows": len(items), "topics": topics}
        for checkpoint, said in SAID.items():
            lines = [_response(s, name, checkpoint, said[name]) for s in items]
            text = "".join(json.dumps(line) + "\n" for line in lines)
            write_text(root / "data/responses" / checkpoint / f"{name}.jsonl", text)
    built["films_vqa"]["topics"]["presence"]["training_only"] = ["perhaps <never>"]
    write_json(root / "metrics/benchmarks/benchmark.json", built)
    for checkpoint in SAID:
        counts = dict.fromkeys(SUITES, HELD_OUT)
        write_manifest(root / "data/responses" / checkpoint, "predict", HELD_OUT * len(SUITES), counts)
    judge_responses(RulesJudging(judge="rules"), root)
    pair = Comparison(before="instruct", after="reinforce")
    params = ScoreParams(seed=1, resamples=200, confidence=0.95, comparisons=[pair])
    write_json(root / "metrics/evalkit/score.json", score_responses(params, root))


def write_training(root: Path) -> None:
    """Write figures and loss curves of every training stage."""
    stages = [("modeling", "backbone"), *(("training", name) for name in ("shallow", "deep", "instruct"))]
    points = "".join(f"{step}\t{3.0 - step}\n" for step in range(3))
    for area, stage in stages:
        write_json(root / "metrics" / area / f"{stage}.json", {"steps": 3, "loss": {"first": 3.0, "last": 1.0}})
        write_text(root / "plots" / area / stage / "train/loss.tsv", f"step\tloss\n{points}")
    reward = {name: {"mean": 0.5, "low": 0.4, "high": 0.6} for name in ("total", "format", "accuracy")}
    gain = {name: {"mean": 0.1, "low": 0.05, "high": 0.15, "verdict": "better"} for name in reward}
    held_out = {"before": {"prompts": 7, **reward}, "after": {"prompts": 7, **reward}, "gain": gain}
    write_json(root / "metrics/reinforcement/reinforce.json", {"steps": 2, "held_out_reward": held_out})
    write_text(root / "plots/reinforcement/reward.csv", "step,reward,kl\n1,0.5,0.0\n2,0.75,0.1\n")


def _response(sample: Sample, benchmark: str, checkpoint: str, said: str) -> dict[str, Any]:
    kind = {"films_vqa": "yesno", "films_caption": "caption", "films_report": "report"}[benchmark]
    meta = {"benchmark": benchmark, "checkpoint": checkpoint, "topic": sample.topic, "modality": ["x-ray"]}
    return {
        "id": sample.sample_id,
        "kind": kind,
        "question": sample.prompt_text(),
        "choices": None,
        "answer": sample.target_text(),
        "response": said,
        "cluster": sample.group_id,
        "meta": {**meta, "language": "en", "source": sample.source},
    }
