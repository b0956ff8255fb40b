"""Decontaminate what deduplication kept, against every benchmark that was built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from lingshu.core.errors import UserError
from lingshu.core.files import atomic_path, fresh_dir
from lingshu.core.layout import BENCHMARKS, SAMPLES, SIGNALS, verdict_file, verdict_folder
from lingshu.core.tables import sample_table
from lingshu.core.text import normalised
from lingshu.core.verdicts import KEPT, Verdict, account, funnel, kept_ids, write_verdicts
from lingshu.decontam.overlap import METHODS, OVERLAP_SCHEMA, group_overlaps
from lingshu.decontam.params import DecontamParams
from lingshu.decontam.pictures import hash_overlaps, pixel_overlaps
from lingshu.decontam.texts import exact_overlaps, ngram_overlaps

STEP = "decontaminate"


@dataclass(frozen=True, slots=True)
class Decontaminated:
    """The verdicts, sorted by sample_id, and the metrics: the funnel and the matrix source x benchmark."""

    verdicts: list[Verdict]
    metrics: dict[str, Any]


def decontaminate(sources: Sequence[str], params: DecontamParams, root: Path = Path()) -> Decontaminated:
    """Write verdicts and `overlaps.parquet` under data/verdicts/decontaminate.

    Raises:
        UserError: a benchmark's picture was not measured.
    """
    folder = fresh_dir(root / verdict_folder(STEP))
    kept = kept_ids(root / verdict_file("deduplicate"))
    train = sample_table(root / SAMPLES / source for source in sources).filter(pl.col("sample_id").is_in(kept))
    items = benchmark_items(root)
    signals = _picture_signals(sources, root)
    found = find_overlaps(train, items, signals, params)
    verdicts = _verdicts(train, found)
    account(STEP, train["sample_id"], verdicts)
    with atomic_path(folder / "overlaps.parquet") as temporary:
        pq.write_table(found.to_arrow(), temporary, compression="zstd")
    write_verdicts(root / verdict_file(STEP), verdicts)
    return Decontaminated(verdicts, {**funnel(verdicts), "matrix": matrix(found, train, items)})


def benchmark_items(root: Path = Path()) -> pl.DataFrame:
    """Return the items of every benchmark: `core.tables.sample_table` with columns benchmark and item_id in front."""
    folders = sorted(path.parent for path in (root / BENCHMARKS).glob("*/part-00000.parquet"))
    tables = [sample_table([folder]).with_columns(benchmark=pl.lit(folder.name)) for folder in folders]
    empty = sample_table([]).with_columns(benchmark=pl.lit(""))
    return pl.concat([empty, *tables]).rename({"sample_id": "item_id"})


def find_overlaps(
    train: pl.DataFrame, items: pl.DataFrame, signals: pl.DataFrame, params: DecontamParams
) -> pl.DataFrame:
    """Return every overlap (`OVERLAP_SCHEMA`) by every method, sorted by training sample, benchmark and method.

    Args:
        train: `core.tables.sample_table` of the samples to judge.
        items: `benchmark_items`.
        signals: columns image_id, pixel_digest, phash, of the pictures of both.
        params: radius, run length and coverage.
    """
    shown = _pictures(train.rename({"sample_id": "train_id"}), ["train_id", "source"], signals)
    theirs = _pictures(items, ["benchmark", "item_id"], signals)
    text = normalised(pl.concat_str("prompt", "answer", separator="\n"))
    no_pictures = pl.col("image_ids").list.len() == 0
    texts = train.filter(no_pictures).select("source", train_id="sample_id", text=text)
    their_texts = items.filter(no_pictures).select("benchmark", "item_id", text=text)
    found = [
        group_overlaps(train.select("sample_id", "source", "group_id"), items),
        pixel_overlaps(shown, theirs),
        hash_overlaps(shown, theirs, params.picture_radius),
        exact_overlaps(texts, their_texts),
        ngram_overlaps(texts, their_texts, params.ngram_words, params.coverage),
    ]
    return pl.concat(found).sort("train_id", "benchmark", "method")


def matrix(found: pl.DataFrame, train: pl.DataFrame, items: pl.DataFrame) -> dict[str, dict[str, int]]:
    """Return `{source: {benchmark: training samples that met one of its items}}`, zeros included."""
    counts = found.group_by("source", "benchmark").agg(pl.col("train_id").n_unique().alias("n"))
    met = {(row["source"], row["benchmark"]): row["n"] for row in counts.iter_rows(named=True)}
    benchmarks = sorted(set(items["benchmark"]))
    return {s: {b: met.get((s, b), 0) for b in benchmarks} for s in sorted(set(train["source"]))}


def _pictures(rows: pl.DataFrame, keys: list[str], signals: pl.DataFrame) -> pl.DataFrame:
    named = rows.select(*keys, image_id="image_ids").explode("image_id", empty_as_null=False)
    unmeasured = named.join(signals, on="image_id", how="anti")
    if len(unmeasured):
        row = unmeasured.row(0, named=True)
        raise UserError(f"{row[keys[-1]]}: picture {row['image_id']} was not measured", "run `dvc repro measure` again")
    return named.join(signals, on="image_id").drop("image_id")


def _picture_signals(sources: Sequence[str], root: Path) -> pl.DataFrame:
    columns = ["image_id", "pixel_digest", "phash"]
    tables = (pl.read_parquet(root / SIGNALS / source / "images.parquet", columns=columns) for source in sources)
    return pl.concat(tables).unique("image_id", maintain_order=True)


def _verdicts(train: pl.DataFrame, found: pl.DataFrame) -> list[Verdict]:
    assert found.schema == OVERLAP_SCHEMA
    surest = pl.col("method").replace_strict({method: place for place, method in enumerate(METHODS)})
    reasons = found.sort(surest, "benchmark").unique("train_id", keep="first", maintain_order=True).drop("source")
    judged = train.select("sample_id", "source").join(
        reasons, left_on="sample_id", right_on="train_id", how="left", maintain_order="left"
    )
    return [_verdict(row) for row in judged.iter_rows(named=True)]


def _verdict(row: dict[str, Any]) -> Verdict:
    if row["method"] is None:
        return Verdict(row["sample_id"], row["source"], STEP, True, KEPT)
    score = row["coverage"] if row["distance"] is None else float(row["distance"])
    met = f"{row['benchmark']}: {row['item_id']}"
    return Verdict(row["sample_id"], row["source"], STEP, False, METHODS[row["method"]], score, met)
