"""The data funnel: how many samples of each source every step kept, and how many it dropped for which reason."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lingshu.core.layout import METRICS, MIXTURES, MODALITY, PROPOSALS, SAMPLES, verdict_file
from lingshu.core.sample import sample_parts
from lingshu.core.verdicts import read_verdicts

SAMPLE_STEPS = {
    "gate": verdict_file("gate"),
    "deduplicate": verdict_file("deduplicate"),
    "decontaminate": verdict_file("decontaminate"),
    "classify_modality": MODALITY / "verdicts.parquet",
}
HELD_OUT = "HELD_OUT"


@dataclass(frozen=True, slots=True)
class Step:
    """One step and source: how many samples it kept, and how many it dropped by reason."""

    name: str
    source: str
    kept: int
    dropped: dict[str, int]


def funnel(root: Path, sources: list[str]) -> list[Step]:
    """Return the steps of every source in the order of the pipeline, then those of the proposals."""
    mixed, let_in = _mixed(root), _let_in(root)
    steps: list[Step] = []
    for source in sources:
        samples = _samples(root / SAMPLES / source)
        named = pl.concat_str(pl.lit(f"{source}/"), "split").is_in(let_in)
        training = samples.filter((pl.col("split") == "train") | named)
        steps += [
            Step("normalize", source, len(samples), _undecodable(root, source)),
            Step("training split", source, len(training), {HELD_OUT: len(samples) - len(training)}),
            *(_decided(root, step, source) for step in SAMPLE_STEPS),
            Step("mixed", source, len(set(training["sample_id"]) & mixed), {}),
        ]
    return steps + _proposals(root, mixed)


def _samples(folder: Path) -> pl.DataFrame:
    columns = ["sample_id", "split"]
    return pl.concat([pl.read_parquet(part, columns=columns) for part in sample_parts([folder])])


def _undecodable(root: Path, source: str) -> dict[str, int]:
    path = root / SAMPLES / source / "verdicts.parquet"
    return _reasons(read_verdicts(path)) if path.exists() else {}


def _decided(root: Path, step: str, source: str) -> Step:
    table = read_verdicts(root / SAMPLE_STEPS[step]).filter(pl.col("source") == source)
    return Step(step, source, int(table["keep"].sum()), _reasons(table))


def _reasons(table: pl.DataFrame) -> dict[str, int]:
    return dict(sorted(Counter(table.filter(~pl.col("keep"))["reason"].to_list()).items()))


def _mixed(root: Path) -> set[str]:
    paths = sorted((root / MIXTURES).glob("*/mixture.parquet"))
    return {i for path in paths for i in pl.read_parquet(path, columns=["sample_id"])["sample_id"].to_list()}


def _let_in(root: Path) -> list[str]:
    """Return `source/split` of the held-out splits that a mixture was let to draw from."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((root / METRICS / "mix").glob("*.json"))]
    return sorted({name for metrics in found for name in metrics.get("held_out_rows", {})})


def _proposals(root: Path, mixed: set[str]) -> list[Step]:
    """Return what became of the proposals of each synthesis recipe."""
    path = root / verdict_file("verify")
    verified = read_verdicts(path)
    steps: list[Step] = []
    for folder in sorted((root / PROPOSALS).glob("*/samples")):
        ids = set(_samples(folder)["sample_id"])
        table = verified.filter(pl.col("sample_id").is_in(ids))
        name = f"proposals: {folder.parent.name}"
        steps += [
            Step("propose", name, len(ids), {}),
            Step("verify", name, int(table["keep"].sum()), _reasons(table)),
            Step("mixed", name, len(ids & mixed), {}),
        ]
    return steps
