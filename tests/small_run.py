"""A small run's outputs, written with the project's own writers: two sources, a proposal, four mixtures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from lingshu.core.corpus import MIXTURE_SCHEMA
from lingshu.core.images import Picture, encode_png, write_images
from lingshu.core.sample import Answer, ImageRef, Sample, Synthetic, turn, write_samples
from lingshu.core.verdicts import KEPT, Verdict, write_verdicts

PER_SOURCE = 8
HELD_OUT = 2
STEPS = ("gate", "deduplicate", "decontaminate")
PARAMS = {
    "recipe": "tiny",
    "seed": 5,
    "sources": {"enabled": ["films", "phantom"], "pulled": ["films"], "generated": ["phantom"]},
}
CATALOGUE = {
    "films": {"title": "Chest films <i>and</i> others", "kind": "registry_package", "licence": "MIT"},
    "phantom": {"title": "Drawn films", "kind": "generated", "licence": "CC0-1.0"},
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
        (root / "data/verdicts" / step).mkdir(parents=True)
        write_verdicts(root / "data/verdicts" / step / "verdicts.parquet", verdicts)
        left = [s for s in left if s.sample_id not in lost.values()]
    return left


def write_data(root: Path) -> None:
    """Write params, catalogue and everything up to the mixtures."""
    (root / "recipes").mkdir()
    (root / "catalog").mkdir()
    (root / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    (root / "recipes/tiny.yaml").write_text(yaml.safe_dump({**PARAMS, "seed": 4}))
    (root / "catalog/sources.yaml").write_text(yaml.safe_dump(CATALOGUE))
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
