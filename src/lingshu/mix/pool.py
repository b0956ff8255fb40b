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
SHOWN_SCHEMA = pl.Schema({"row": pl.UInt32(), "image_id": pl.String()})  # rows of the pool, and pictures they show
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
    frames = [pl.DataFrame(schema=POOL_SCHEMA)]
    shown = [pl.DataFrame(schema=SHOWN_SCHEMA)]
    taken = 0
    for folder in folders:
        for path in sample_parts([root / folder]):
            scan = pl.scan_parquet(path).filter(trainable(held_out))
            rows = scan.select(*columns, *(["images"] if kinds else [])).collect()
            rows = rows.with_columns(_own(rows))
            if kinds:
                rows = rows.with_columns(_stated_kind())
                shown.append(_undecided(rows, taken))
            else:
                rows = rows.with_columns(kind=_one_value(""))
            rows = rows.with_columns(folder=_one_value(folder.as_posix()))
            frames.append(_categories(rows))
            taken += len(rows)
    table = pl.concat(frames)
    return _with_found(table, pl.concat(shown), root) if kinds else table


def _one_value(text: str) -> pl.Expr:
    return pl.lit(text).cast(pl.Categorical)


def _categories(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows as `POOL_SCHEMA` has them; a text that all share is looked up once, not once a row."""
    texts = [name for name, kind in rows.schema.items() if kind == pl.String and name != "sample_id"]
    shared = rows.select((pl.col(texts) == pl.col(texts).first()).all()).row(0, named=True) if len(rows) else {}
    one = [_one_value(rows[name][0]).alias(name) for name, same in shared.items() if same]
    return rows.with_columns(one).select(POOL_SCHEMA.names()).cast(POOL_SCHEMA)


def _own(rows: pl.DataFrame) -> pl.Expr:
    """Return the modality that each sample states, as `POOL_SCHEMA` has it."""
    states = pl.col("modality").list
    if rows.select(most=states.len().max().fill_null(0)).item() > 1:
        return states.join(AND)
    return states.get(0, null_on_oob=True).fill_null("")  # several times faster


def _stated_kind() -> pl.Expr:
    """Return the kind of a sample as far as it tells itself."""
    unknown = pl.when(pl.col("images").list.len() == 0).then(pl.lit(NO_PICTURE)).otherwise(pl.lit(NOT_STATED))
    return pl.when(pl.col("modality") != "").then("modality").otherwise(unknown).alias("kind")


def _undecided(rows: pl.DataFrame, first: int) -> pl.DataFrame:
    """Return `SHOWN_SCHEMA` of the samples that state no modality; the first of `rows` is number `first`."""
    untagged = rows.select("kind", "images").with_row_index("row", first).filter(pl.col("kind") == NOT_STATED)
    ids = pl.col("images").list.eval(pl.element().struct.field("image_id")).alias("image_id")
    return untagged.select("row", ids).explode("image_id").cast(SHOWN_SCHEMA)


def _with_found(table: pl.DataFrame, shown: pl.DataFrame, root: Path) -> pl.DataFrame:
    """Return the pool with the modality that `classify_modality` found where samples state none.

    All parts' pictures are looked up at once: predictions are many, and each look-up passes over all of them.
    """
    predictions = pl.scan_parquet(root / MODALITY / "predictions.parquet").filter(~pl.col("abstained"))
    named = predictions.select("image_id", found="modality").join(shown.lazy(), on="image_id", how="semi").collect()
    named = named.unique("image_id", keep="first", maintain_order=True)
    seen = shown.join(named, on="image_id").group_by("row").agg(pl.col("found").unique().sort().str.join(AND))
    joined = table.with_row_index("row").join(seen, on="row", how="left", maintain_order="left")
    kind = pl.coalesce(pl.col("found").cast(pl.Categorical), "kind").alias("kind")
    return joined.with_columns(kind).select(POOL_SCHEMA.names())
