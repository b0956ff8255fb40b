"""Making one training stage's mixture: the table of references and a count of what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from lingshu.core.corpus import MIXTURE_FILE, MIXTURE_SCHEMA
from lingshu.core.files import atomic_path, fresh_dir
from lingshu.core.layout import MIXTURES
from lingshu.core.manifest import write_manifest
from lingshu.mix.params import MixParams
from lingshu.mix.plan import check_sources, plan_mixture
from lingshu.mix.pool import NOT_STATED, read_pool
from lingshu.mix.splits import check_listed, held_out_rows

HELD_OUT_ROWS = "held_out_rows"  # in the composition, if any are trained on
COUNTED = ("source", "task", "topic", "modality")
ROWS_A_GROUP = 1 << 20  # as pyarrow writes by itself


def make_mixture(
    stage: str,
    params: MixParams,
    sources: list[str],
    recipes: list[str],
    root: Path = Path(),
    *,
    held_out: Sequence[str] = (),
) -> dict[str, Any]:
    """Write `data/mixtures/<stage>/mixture.parquet` (`MIXTURE_SCHEMA`) with its manifest; return its composition.

    Args:
        stage: which of the four training stages.
        params: section `mix`.
        sources: names of the enabled sources.
        recipes: names of the enabled synthesis recipes.
        root: the repository.
        held_out: `source/split` of held-out rows that are trained on all the same; the composition counts them.

    Raises:
        UserError: no such stage, a source that is not enabled, more samples asked for than exist, or groups that
            share samples (names stage and group).
    """
    mixture = params.stage(stage).switched(sources)
    check_sources(stage, mixture.groups, sources, recipes)
    check_listed(held_out, sources)
    by_modality = any(group.balance and "modality" in group.balance.over for group in mixture.groups.values())
    pool = read_pool(sources, recipes, root, kinds=by_modality, held_out=held_out)
    rows, available = plan_mixture(stage, mixture, pool, params.seed)
    folder = fresh_dir(root / MIXTURES / stage)
    _write(rows, folder / MIXTURE_FILE)
    summary = composition(rows, available)
    if held_out:
        summary[HELD_OUT_ROWS] = held_out_rows(rows, held_out, root)
    write_manifest(folder, f"mix@{stage}", len(rows), {name: g["rows"] for name, g in summary["groups"].items()})
    return summary


def _write(rows: pl.DataFrame, path: Path) -> None:
    with (
        atomic_path(path) as temporary,
        pq.ParquetWriter(temporary, MIXTURE_SCHEMA, compression="zstd") as writer,
    ):
        for start in range(0, len(rows), ROWS_A_GROUP):
            part = rows.slice(start, ROWS_A_GROUP).select(MIXTURE_SCHEMA.names)
            writer.write_table(part.to_arrow().cast(MIXTURE_SCHEMA), ROWS_A_GROUP)


def composition(rows: pl.DataFrame, available: dict[str, int]) -> dict[str, Any]:
    """Return rows and distinct samples, in all, by group, source, task, topic and modality.

    Args:
        rows: as of `plan_mixture`; groups share no sample, so the first appearances are the distinct samples.
        available: samples that each group could have drawn from.
    """
    # Millions of rows are counted once; what is counted further are a few kinds of rows.
    kinds = rows.group_by("group", *COUNTED).agg(rows=pl.len(), samples=(pl.col("repeat") == 0).sum())
    kinds = kinds.with_columns(pl.col("group", *COUNTED).cast(pl.String))
    kinds = kinds.with_columns(pl.col("modality").replace("", NOT_STATED))
    groups = {
        str(name): {
            "rows": int(part["rows"].sum()),
            "samples": int(part["samples"].sum()),
            "available": available[str(name)],
            "sources": _counts(part, "source"),
            "tasks": _counts(part, "task"),
        }
        for (name,), part in sorted(kinds.partition_by("group", as_dict=True).items())
    }
    return {
        "rows": len(rows),
        "samples": int(kinds["samples"].sum()),
        "groups": groups,
        "sources": _counts(kinds, "source"),
        "tasks": _counts(kinds, "task"),
        "topics": _counts(kinds, "topic"),
        "modalities": _counts(kinds, "modality"),
    }


def _counts(kinds: pl.DataFrame, column: str) -> dict[str, int]:
    return dict(kinds.group_by(column).agg(pl.col("rows").sum()).sort(column).iter_rows())
