"""Which splits are trained on: `train`, and held-out rows only where a parameter names source and split.

Many sources are benchmarks too. A model that was trained on their test or validation rows scores high on them and knows
no more; so these rows stay out, and where somebody wants them in, the mixture and the report say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from lingshu.core.errors import UserError
from lingshu.core.layout import SAMPLES
from lingshu.core.sample import sample_parts

TRAINING_SPLIT = "train"
HELD_OUT_SPLITS = ("validation", "test")
KEY = "sources.benchmark_splits_in_training"


def trainable(listed: Sequence[str] = ()) -> pl.Expr:
    """Return whether a row with columns `source` and `split` may be trained on.

    Args:
        listed: `source/split` of held-out rows that are trained on all the same.
    """
    trained = pl.col("split") == TRAINING_SPLIT
    return trained | pl.concat_str("source", "split", separator="/").is_in(list(listed)) if listed else trained


def check_listed(listed: Sequence[str], sources: Sequence[str]) -> None:
    """Raise a `UserError` for a listed split whose source is not enabled, or that is no held-out one."""
    for name in listed:
        source, _, split = name.partition("/")
        if split not in HELD_OUT_SPLITS:
            raise UserError(
                f"params.yaml: {KEY}: {name!r} names no held-out split", f"write {source}/validation or {source}/test"
            )
        if source not in sources:
            raise UserError(
                f"params.yaml: {KEY}: {name!r} is of no enabled source",
                f"use one of {', '.join(sources)}, or take it out of the list",
            )


def held_out_rows(rows: pl.DataFrame, listed: Sequence[str], root: Path = Path()) -> dict[str, int]:
    """Return how many rows of a mixture are of each listed split, those with none included.

    Args:
        rows: of the mixture, with columns `source` and `sample_id`.
        listed: `source/split`.
        root: the repository.
    """
    counts: dict[str, int] = {}
    for name in sorted(listed):
        source, _, split = name.partition("/")
        parts = sample_parts([root / SAMPLES / source])
        held = [pl.scan_parquet(p).filter(pl.col("split") == split).select("sample_id").collect() for p in parts]
        counts[name] = len(rows.join(pl.concat(held), on="sample_id", how="semi")) if held else 0
    return counts
