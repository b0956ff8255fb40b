"""Drawing the groups of one mixture: by stable hash of the sample's id, so that raising a count only adds rows."""

from __future__ import annotations

import itertools

import polars as pl

from lingshu.core.errors import UserError
from lingshu.core.ids import stable_hash
from lingshu.mix.params import GroupParams
from lingshu.mix.pool import SYNTHETIC_PREFIX, select


def plan_mixture(
    stage: str, groups: dict[str, GroupParams], pool: pl.DataFrame, seed: int
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the mixture's rows in order, and how many samples each group could have drawn from.

    Args:
        stage: name of the training stage, for messages and for the order of rows.
        groups: the stage's groups; those with 0 samples are left out.
        pool: columns of `POOL_SCHEMA`, sorted by sample_id.
        seed: changes which samples are drawn and their order.

    Returns:
        The pool's columns with `position` (0, 1, …) and `group`; and `{group: available}`.

    Raises:
        UserError: a group asks for more than exists, or two groups share a sample, or nothing is asked for at all.
    """
    wanted = {name: group for name, group in sorted(groups.items()) if group.samples > 0}
    if not wanted:
        raise UserError(f"params.yaml: mix.{stage}: every group has 0 samples", "give at least one group some samples")
    pools = {name: select(pool, group) for name, group in wanted.items()}
    _check_disjoint(stage, pools)
    drawn = [
        _draw(f"mix.{stage}.{name}", group, pools[name], seed).with_columns(group=pl.lit(name))
        for name, group in wanted.items()
    ]
    return _ordered(pl.concat(drawn), stage, seed), {name: len(found) for name, found in pools.items()}


def check_sources(stage: str, groups: dict[str, GroupParams], sources: list[str], recipes: list[str]) -> None:
    """Raise a `UserError` for a group with samples whose source is neither enabled nor a synthesis recipe."""
    known = [*sources, *(SYNTHETIC_PREFIX + recipe for recipe in recipes)]
    for name, group in sorted(groups.items()):
        for source in group.sources:
            if group.samples > 0 and source not in known:
                raise UserError(
                    f"params.yaml: mix.{stage}.{name}.sources: {source!r} is not enabled",
                    f"use one of {', '.join(known)}, enable it, or set mix.{stage}.{name}.samples to 0",
                )


def _check_disjoint(stage: str, pools: dict[str, pl.DataFrame]) -> None:
    for (left, one), (right, other) in itertools.combinations(pools.items(), 2):
        shared = one.join(other, on="sample_id", how="semi")
        if len(shared):
            raise UserError(
                f"params.yaml: mix.{stage}: groups {left!r} and {right!r} both select {len(shared)} samples, "
                f"such as {shared['sample_id'][0]}",
                "make their sources, tasks or topics differ",
            )


def _draw(key: str, group: GroupParams, pool: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return `group.samples` rows with their `repeat` number: each sample once before any comes again."""
    most = len(pool) * group.max_repeats
    if group.samples > most:
        raise UserError(
            f"params.yaml: {key}.samples: {group.samples} asked for, {most} available "
            f"({len(pool)} eligible samples, each at most {group.max_repeats} times)",
            f"ask for at most {most}, widen sources, tasks or topics, or raise {key}.max_repeats",
        )
    ranks = [stable_hash(seed, "draw", sample_id) for sample_id in pool["sample_id"]]
    ranked = pool.with_columns(rank=pl.Series(ranks, dtype=pl.UInt64)).sort("rank", "sample_id").drop("rank")
    whole, rest = divmod(group.samples, max(len(ranked), 1))
    rounds = [ranked.with_columns(repeat=pl.lit(number)) for number in range(whole)]
    return pl.concat([*rounds, ranked.head(rest).with_columns(repeat=pl.lit(whole))])


def _ordered(rows: pl.DataFrame, stage: str, seed: int) -> pl.DataFrame:
    """Return the rows in a seeded order that does not change between two rows when others come or go."""
    keys = [stable_hash(seed, "order", stage, i, str(n)) for i, n in rows.select("sample_id", "repeat").iter_rows()]
    ordered = rows.with_columns(key=pl.Series(keys, dtype=pl.UInt64)).sort("key", "sample_id", "repeat")
    return ordered.drop("key", "repeat").with_row_index("position").with_columns(pl.col("position").cast(pl.Int64))
