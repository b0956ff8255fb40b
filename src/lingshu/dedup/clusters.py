"""The table of clusters: each set of copies, and what is kept of it."""

from __future__ import annotations

import polars as pl

from lingshu.dedup.copies import Copies

CLUSTER_SCHEMA = pl.Schema(
    {
        "cluster": pl.String(),  # sample_id of what the method kept
        "sample_id": pl.String(),  # a member
        "source": pl.String(),
        "group_id": pl.String(),
        "method": pl.String(),  # see `copies.METHODS`
        "distance": pl.Float64(),  # from the kept sample: see `copies.Copies`
        "similarity": pl.Float64(),  # with the kept sample
        "kept": pl.Boolean(),  # in the end: a later method may drop what an earlier one kept
    }
)


def clusters(names: pl.DataFrame, found: dict[str, Copies]) -> pl.DataFrame:
    """Return every copy and every sample kept for it (`CLUSTER_SCHEMA`).

    Sorted by cluster and method, the kept sample first in each. A member is near its kept sample, not always near the
    other members.

    Args:
        names: columns sample_id, source, group_id of all rows, in order of preference.
        found: copies by method.
    """
    parts = [_members(names, method, copies) for method, copies in found.items()]
    members = pl.concat([pl.DataFrame(schema=CLUSTER_SCHEMA), *parts])
    members = members.sort("cluster", "method", "kept", "sample_id", descending=[False, False, True, False])
    dropped = members.filter(~pl.col("kept"))["sample_id"].unique()
    return members.with_columns(kept=pl.col("kept") & ~pl.col("sample_id").is_in(dropped.implode()))


def _members(names: pl.DataFrame, method: str, copies: Copies) -> pl.DataFrame:
    dropped = pl.DataFrame(
        {"row": copies.rows, "head": copies.kept, "distance": copies.distance, "similarity": copies.similarity}
    ).with_columns(kept=pl.lit(False))
    heads = dropped.select("head").unique().select(row="head", head="head", distance=0.0, similarity=1.0, kept=True)
    members = pl.concat([heads, dropped], how="vertical_relaxed")
    described = names[members["row"]].select("sample_id", "source", "group_id")
    cluster = names["sample_id"].gather(members["head"])
    table = pl.concat([members, described], how="horizontal").with_columns(cluster=cluster, method=pl.lit(method))
    return table.select(CLUSTER_SCHEMA.names()).cast(CLUSTER_SCHEMA)
