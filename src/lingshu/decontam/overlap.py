"""The table of overlaps: which training sample met which benchmark item, how, and how closely."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from lingshu.core.errors import UserError
from lingshu.decontam.params import ANY, KeptOnPurpose

OVERLAP_SCHEMA = pl.Schema(
    {
        "train_id": pl.String(),
        "source": pl.String(),
        "benchmark": pl.String(),
        "item_id": pl.String(),
        "kind": pl.String(),  # group, picture, text
        "method": pl.String(),  # see METHODS
        "distance": pl.Int64(),  # bits, pictures only
        "coverage": pl.Float64(),  # share of the item's n-grams, texts only
    }
)
# From the surest evidence to the weakest: the order in which methods give a dropped sample its reason.
METHODS: dict[str, str] = {
    "group": "SHARED_GROUP",
    "pixels": "PICTURE_IN_BENCHMARK",
    "phash": "PICTURE_NEAR_BENCHMARK",
    "perceptual": "PICTURE_NEAR_BENCHMARK",
    "turned": "PICTURE_TURNED_FROM_BENCHMARK",
    "crop": "PICTURE_CROPPED_FROM_BENCHMARK",
    "exact": "TEXT_IN_BENCHMARK",
    "ngram": "TEXT_OVERLAPS_BENCHMARK",
}


def overlaps(found: pl.DataFrame, kind: str, method: str) -> pl.DataFrame:
    """Return `OVERLAP_SCHEMA` of every pair, each once and by its closest pictures.

    Args:
        found: columns train_id, source, benchmark, item_id, and distance or coverage where the method has one.
        kind: group, picture or text.
        method: a key of `METHODS`.
    """
    missing = [pl.lit(None).alias(name) for name in ("distance", "coverage") if name not in found.columns]
    table = found.with_columns(*missing, kind=pl.lit(kind), method=pl.lit(method))
    return _first_of(table.select(OVERLAP_SCHEMA.names()).cast(OVERLAP_SCHEMA), ["train_id", "benchmark", "item_id"])


def closest(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return of `overlaps` the closest item of each (training sample, benchmark, method), sorted by these."""
    return _first_of(pairs, ["train_id", "benchmark", "method"]).sort("train_id", "benchmark", "method")


def _first_of(pairs: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    order = ["train_id", "benchmark", "distance", "coverage", "item_id"]
    ordered = pairs.sort(order, descending=[False, False, False, True, False])
    return ordered.unique(keys, keep="first", maintain_order=True)


def group_overlaps(train: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Return the training samples of a patient, study, volume or slide region that a benchmark has an item of.

    Args:
        train: columns sample_id, source, group_id.
        items: columns benchmark, item_id, source, group_id.
    """
    pairs = train.rename({"sample_id": "train_id"}).join(items, on=["source", "group_id"])
    return overlaps(pairs.select("train_id", "source", "benchmark", "item_id"), "group", "group")


def on_purpose(kept: Sequence[KeptOnPurpose]) -> pl.Expr:
    """Return whether an overlap is one that training keeps."""
    said = [
        (pl.col("source") == one.source)
        & (pl.lit(one.benchmark == ANY) | (pl.col("benchmark") == one.benchmark))
        & (pl.lit(one.method == ANY) | (pl.col("method") == one.method))
        for one in kept
    ]
    return pl.any_horizontal(pl.lit(False), *said)


def check_purposes(kept: Sequence[KeptOnPurpose], sources: Collection[str], benchmarks: Collection[str]) -> None:
    """Raise a `UserError` for an overlap kept on purpose of a source or with a benchmark that there is not."""
    for number, one in enumerate(kept):
        where = f"params.yaml: decontam.kept_on_purpose.{number}"
        if one.source not in sources:
            raise UserError(f"{where}.source: {one.source!r} is not enabled", f"use one of {', '.join(sources)}")
        if one.benchmark not in {ANY, *benchmarks}:
            names = ", ".join(sorted(benchmarks))
            raise UserError(
                f"{where}.benchmark: training is not checked against {one.benchmark!r}", f"use {ANY}, or one of {names}"
            )
