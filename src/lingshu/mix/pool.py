"""What a mixture may draw from: training samples of the sources that survived, and proposals that were verified."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from lingshu.core.id_joins import rows_among
from lingshu.core.layout import MODALITY, SAMPLES, proposal_samples, verdict_file
from lingshu.core.sample import sample_parts
from lingshu.core.verdicts import eligible, kept
from lingshu.mix.splits import trainable

POOL_SCHEMA = pl.Schema(
    {
        "sample_id": pl.String(),
        "source": pl.Categorical(),  # few values in millions of rows: numbers, not strings, are compared and copied
        "task": pl.Categorical(),
        "topic": pl.Categorical(),
        "modality": pl.Categorical(),  # the sample's own, joined by " and "; "" where it states none
        "kind": pl.Categorical(),
        "folder": pl.Categorical(),
    }
)
SYNTHETIC_PREFIX = "synthetic_"
NOT_STATED = "not stated"
NO_PICTURE = "text"
AND = " and "  # between the modalities of one sample


def read_pool(
    sources: Iterable[str],
    recipes: Iterable[str],
    root: Path = Path(),
    *,
    kinds: bool = False,
    held_out: Sequence[str] = (),
) -> pl.DataFrame:
    """Return the samples that may be trained on: columns of `POOL_SCHEMA`, `folder` relative to `root`.

    Only split `train` and the `source/split` in `held_out`; base samples by `eligible`, proposals by the verdicts of
    `verify`.

    Args:
        sources: names of the enabled sources.
        recipes: names of the enabled synthesis recipes.
        root: the repository.
        held_out: `source/split` of held-out rows that are taken all the same.
        kinds: whether to fill `kind`, the modality of every sample (its own; else what `classify_modality` found for
            its pictures; `text` without pictures, `not stated` where nobody knows). It is empty otherwise: picture ids
            are most of what there is to read.
    """
    base = _table([SAMPLES / source for source in sorted(sources)], root, kinds, held_out)
    pools = [rows_among(base, eligible(root)["sample_id"])]
    made = _table([proposal_samples(recipe) for recipe in sorted(recipes)], root, kinds, held_out)
    if not made.is_empty():
        pools.append(rows_among(made, kept(root / verdict_file("verify"))["sample_id"]))
    return pl.concat(pools, rechunk=True)  # rows are gathered by number later: slow from many chunks


def _table(folders: list[Path], root: Path, kinds: bool, held_out: Sequence[str]) -> pl.DataFrame:
    columns = [name for name in POOL_SCHEMA if name not in ("folder", "kind")]
    found = _found(root) if kinds else None
    frames = [pl.DataFrame(schema=POOL_SCHEMA)]
    for folder in folders:
        for path in sample_parts([root / folder]):
            rows = pl.scan_parquet(path).filter(trainable(held_out))
            place = pl.lit(folder.as_posix()).alias("folder")
            if found is None:
                narrow = rows.select(*columns, place, kind=pl.lit("")).collect()
                narrow = narrow.with_columns(_own(narrow)).select(POOL_SCHEMA.names())
                frames.append(narrow.cast(POOL_SCHEMA))
            else:
                frames.append(_with_kinds(rows.select(*columns, "images", place).collect(), found))
    return pl.concat(frames)


def _own(rows: pl.DataFrame) -> pl.Expr:
    """Return the modality that each sample states, as `POOL_SCHEMA` has it."""
    states = pl.col("modality").list
    if rows.select(most=states.len().max().fill_null(0)).item() > 1:
        return states.join(AND)
    return states.get(0, null_on_oob=True).fill_null("")  # several times faster


def _found(root: Path) -> pl.DataFrame:
    """Return the modality that `classify_modality` found: image_id, found."""
    path = root / MODALITY / "predictions.parquet"
    predictions = pl.scan_parquet(path).filter(~pl.col("abstained"))
    return predictions.select("image_id", found="modality").collect().unique("image_id")


def _with_kinds(rows: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    untagged = rows.filter(pl.col("modality").list.len() == 0, pl.col("images").list.len() > 0)
    shown = untagged.select("sample_id", pl.col("images").list.eval(pl.element().struct.field("image_id")))
    seen = (
        shown.explode("images")
        .join(found, left_on="images", right_on="image_id")
        .group_by("sample_id")
        .agg(pl.col("found").unique().sort().str.join(AND))
    )
    rows = rows.with_columns(_own(rows))
    own = pl.col("modality")
    unknown = pl.when(pl.col("images").list.len() == 0).then(pl.lit(NO_PICTURE)).otherwise(pl.lit(NOT_STATED))
    kind = pl.when(own != "").then(own).otherwise(pl.coalesce("found", unknown)).alias("kind")
    joined = rows.join(seen, on="sample_id", how="left", maintain_order="left")
    return joined.with_columns(kind).select(POOL_SCHEMA.names()).cast(POOL_SCHEMA)
