"""Copies that equality of keys finds: the same pixels and text, and the same perceptual hash among captions.

Every function takes rows in order of preference (the copy to keep first) with the columns it names, and returns
`COPY_SCHEMA`: one row for each sample to drop, with the sample that is kept instead.
"""

from __future__ import annotations

import polars as pl

COPY_SCHEMA = pl.Schema(
    {"sample_id": pl.String(), "kept": pl.String(), "method": pl.String(), "similarity": pl.Float64()}
)


def exact_copies(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the samples whose pictures (in order) and texts both equal an earlier row's.

    Args:
        rows: columns sample_id, pixels (digest of the pictures, "" without any), text_digest.
    """
    first = pl.col("sample_id").first().over("pixels", "text_digest")
    return _copies(rows, first, pl.col("sample_id") != first, "exact")


def picture_copies(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the samples of a task whose pictures have the perceptual hashes of an earlier row of another group.

    Pictures of one group (slices of a volume, frames of a loop, two crops of a slide) are never copies of each other:
    a group is kept or dropped as far as it goes, not thinned. All copies kept are of one group, that of the first row.

    Args:
        rows: columns sample_id, source, group_id, task, hashes (of the pictures, joined).
    """
    copies = ["task", "hashes"]
    group = pl.struct("source", "group_id")
    return _copies(rows, pl.col("sample_id").first().over(copies), group != group.first().over(copies), "phash")


def _copies(rows: pl.DataFrame, kept: pl.Expr, is_copy: pl.Expr, method: str) -> pl.DataFrame:
    found = rows.select(
        "sample_id", kept.alias("kept"), pl.lit(method).alias("method"), pl.lit(1.0).alias("similarity"), copy=is_copy
    )
    return found.filter("copy").drop("copy").cast(COPY_SCHEMA)
