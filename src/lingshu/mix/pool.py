"""What a mixture may draw from: training samples of the sources that survived, and proposals that were verified."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from lingshu.core.layout import SAMPLES, proposal_samples, verdict_file
from lingshu.core.sample import sample_parts
from lingshu.core.verdicts import eligible_ids, kept_ids
from lingshu.mix.params import GroupParams
from lingshu.mix.splits import trainable

POOL_SCHEMA = pl.Schema(
    {
        "sample_id": pl.String(),
        "source": pl.String(),
        "split": pl.String(),
        "task": pl.String(),
        "topic": pl.String(),
        "modality": pl.List(pl.String()),
        "folder": pl.String(),
    }
)
SYNTHETIC_PREFIX = "synthetic_"


def read_pool(
    sources: Iterable[str], recipes: Iterable[str], root: Path = Path(), *, held_out: Sequence[str] = ()
) -> pl.DataFrame:
    """Return the samples that may be trained on, sorted by id: columns of `POOL_SCHEMA`, `folder` relative to `root`.

    Only split `train` and the `source/split` in `held_out`; base samples by `eligible_ids`, proposals by the verdicts
    of `verify`.
    """
    base = _table([SAMPLES / source for source in sorted(sources)], root)
    made = _table([proposal_samples(recipe) for recipe in sorted(recipes)], root)
    allowed = base.filter(pl.col("sample_id").is_in(sorted(eligible_ids(root))))
    if not made.is_empty():
        accepted = kept_ids(root / verdict_file("verify"))
        allowed = pl.concat([allowed, made.filter(pl.col("sample_id").is_in(sorted(accepted)))])
    return allowed.filter(trainable(held_out)).sort("sample_id")


def _table(folders: list[Path], root: Path) -> pl.DataFrame:
    columns = [name for name in POOL_SCHEMA if name != "folder"]
    frames = [
        pl.read_parquet(path, columns=columns).with_columns(folder=pl.lit(folder.as_posix()))
        for folder in folders
        for path in sample_parts([root / folder])
    ]
    return pl.concat([pl.DataFrame(schema=POOL_SCHEMA), *frames])


def select(pool: pl.DataFrame, group: GroupParams) -> pl.DataFrame:
    """Return the rows of `pool` that the group's sources, tasks and topics name."""
    chosen = pool.filter(pl.col("source").is_in(group.sources), pl.col("task").is_in(list(group.tasks)))
    return chosen if group.topics is None else chosen.filter(pl.col("topic").is_in(group.topics))
