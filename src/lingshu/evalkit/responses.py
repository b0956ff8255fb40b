"""Reading what checkpoints answered, and making sure that no answer is missing, doubled or stale."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lingshu.core.benchmark import BuiltBenchmark, built_benchmarks
from lingshu.core.errors import UserError
from lingshu.core.layout import BENCHMARKS, RESPONSES
from lingshu.core.manifest import read_manifest
from lingshu.core.sample import sample_parts
from lingshu.evalkit.items import Item, read_items


@dataclass(frozen=True, slots=True)
class Run:
    """One checkpoint's responses to one benchmark, sorted by id."""

    checkpoint: str
    benchmark: BuiltBenchmark
    items: list[Item]


def read_runs(root: Path = Path()) -> list[Run]:
    """Return every run under `data/responses`, by checkpoint and benchmark.

    Raises:
        UserError: a folder is not complete, a file breaks the contract, or its items are not the benchmark's.
    """
    benchmarks = {benchmark.name: benchmark for benchmark in built_benchmarks(root / BENCHMARKS)}
    wanted = {name: _sample_ids(root / BENCHMARKS / name) for name in benchmarks}
    folders = sorted(path for path in (root / RESPONSES).glob("*") if path.is_dir())
    if not folders:
        raise UserError(f"{root / RESPONSES}: no responses", "run `dvc repro` of the predict stages")
    runs: list[Run] = []
    for folder in folders:
        for name in sorted(read_manifest(folder).counts):
            path = folder / f"{name}.jsonl"
            if name not in benchmarks:
                raise UserError(f"{path}: no benchmark {name!r} is built", "run `dvc repro` to predict again")
            items = sorted(read_items(path), key=lambda item: item.id)
            _check_ids(path, [item.id for item in items], wanted[name])
            runs.append(Run(folder.name, benchmarks[name], items))
    return runs


def _sample_ids(folder: Path) -> list[str]:
    parts = sample_parts([folder])
    return sorted(pl.concat([pl.read_parquet(part, columns=["sample_id"]) for part in parts])["sample_id"])


def _check_ids(path: Path, found: list[str], wanted: list[str]) -> None:
    if found == wanted:
        return
    missing, extra = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
    raise UserError(
        f"{path}: {len(missing)} items of the benchmark are missing, {len(extra)} are strange: {(missing + extra)[:3]}",
        "run `dvc repro` to predict again",
    )
