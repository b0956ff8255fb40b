"""Drawing the groups of one mixture: by stable hash of the sample's id, so that raising a count only adds rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from lingshu.core.errors import UserError
from lingshu.core.id_hashes import stable_hashes
from lingshu.mix.amounts import apportion, resolve
from lingshu.mix.params import BalanceParams, GroupParams, StageMix
from lingshu.mix.pool import SYNTHETIC_PREFIX

CELL = ("source", "task", "topic")  # what groups choose by
KIND = {"modality": "kind", "task": "task", "topic": "topic", "source": "source"}  # pool column of a stratum's key


@dataclass(frozen=True, slots=True)
class Part:
    """What is drawn together: a group, or one source of a group whose sources have amounts of their own."""

    key: str  # of the amount in params.yaml, for messages
    group: str
    sources: tuple[str, ...]
    rows: int
    params: GroupParams


def parts_of(stage: str, mixture: StageMix) -> list[Part]:
    """Return the parts that come to any rows, by group and source.

    Raises:
        UserError: amounts that do not fit each other, or nothing is asked for at all.
    """
    amounts = {name: group.amount() for name, group in mixture.groups.items()}
    if not any(amount.wanted for amount in amounts.values()):
        raise UserError(f"params.yaml: mix.{stage}: every group has 0 samples", "give at least one group some samples")
    rows = resolve(f"mix.{stage}", f"mix.{stage}.total", mixture.total, amounts)
    found: list[Part] = []
    for name, group in mixture.groups.items():
        key = f"mix.{stage}.{name}"
        if group.amounts is None:
            found.append(Part(f"{key}.{amounts[name].way}", name, tuple(group.sources), rows[name], group))
            continue
        split = resolve(f"{key}.amounts", f"{key}.{amounts[name].way}", rows[name], group.amounts)
        for one, amount in sorted(group.amounts.items()):
            found.append(Part(f"{key}.amounts.{one}.{amount.way}", name, (one,), split[one], group))
    return [part for part in found if part.rows]


def check_sources(stage: str, groups: dict[str, GroupParams], sources: list[str], recipes: list[str]) -> None:
    """Raise a `UserError` for a group with samples whose source is neither enabled nor a synthesis recipe."""
    known = [*sources, *(SYNTHETIC_PREFIX + recipe for recipe in recipes)]
    for name, group in groups.items():
        for source in group.sources:
            wanted = group.amount().wanted and (group.amounts is None or group.amounts[source].wanted)
            if wanted and source not in known:
                raise UserError(
                    f"params.yaml: mix.{stage}.{name}.sources: {source!r} is not enabled",
                    f"use one of {', '.join(known)}, enable it, or set mix.{stage}.{name}.samples to 0",
                )


def check_tasks(stage: str, groups: Mapping[str, GroupParams], tasks: Mapping[str, Collection[str]]) -> None:
    """Raise a `UserError` for a mixture that cannot be drawn whatever the samples are.

    A group with samples names a source that has none of its tasks, or two groups would share samples.

    Args:
        stage: name of the training stage, for messages.
        groups: by name.
        tasks: of the samples of each source, as its record states them; all tasks where it is not named.
    """
    owners: dict[tuple[str, str], list[tuple[str, GroupParams]]] = {}
    for name, group in groups.items():
        for source in group.sources if group.amount().wanted else ():
            selected = [task for task in group.tasks if task in tasks.get(source, group.tasks)]
            if not selected:
                raise UserError(
                    f"params.yaml: mix.{stage}.{name}: {source!r} has no {' or '.join(group.tasks)}, "
                    f"but {', '.join(tasks[source])}",
                    f"take {source} out of mix.{stage}.{name}.sources, or add one of these tasks",
                )
            for task in selected:
                for other, held in owners.setdefault((source, task), []):
                    if group.topics is None or held.topics is None or set(group.topics) & set(held.topics):
                        raise UserError(
                            f"params.yaml: mix.{stage}: groups {other!r} and {name!r} both select {task} of {source!r}",
                            "make their sources, tasks or topics differ",
                        )
                owners[source, task].append((name, group))


def plan_mixture(stage: str, mixture: StageMix, pool: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the mixture's rows in order, and how many samples each group could have drawn from.

    Args:
        stage: name of the training stage, for messages and for the order of rows.
        mixture: the stage's groups; those without any rows are left out.
        pool: columns of `POOL_SCHEMA`, sample_id unique.
        seed: changes which samples are drawn and their order.

    Returns:
        The pool's columns with `position` (0, 1, …), `group` and `repeat` (0 where a sample comes first); and
        `{group: available}`.

    Raises:
        UserError: a group asks for more than exists, or two groups share a sample, or nothing is asked for at all.
    """
    parts = parts_of(stage, mixture)
    cells = pool.group_by(CELL).agg(pl.len().alias("rows"))
    chosen = {name: _cells(cells, mixture.groups[name]) for name in dict.fromkeys(part.group for part in parts)}
    _check_topics(stage, mixture, {name for name, found in chosen.items() if found.is_empty()}, cells)
    _check_disjoint(stage, chosen, pool)
    available = {name: int(found["rows"].sum()) for name, found in chosen.items()}
    numbered = pl.concat(
        [
            chosen[part.group].filter(pl.col("source").is_in(part.sources)).select(*CELL, part=pl.lit(n, pl.Int32))
            for n, part in enumerate(parts)
        ]
    )
    # What decides is narrow: row numbers and hashes are sorted, whole rows are gathered once.
    drawable = pool.select("sample_id", *CELL, "kind").with_row_index("row").join(numbered, on=list(CELL))
    drawable = drawable.with_columns(rank=stable_hashes(seed, drawable["sample_id"], before=("draw",)))
    found = drawable.partition_by("part", as_dict=True)
    drawn = pl.concat([_draw(part, found.get((n,), drawable.clear())) for n, part in enumerate(parts)])
    return _ordered(drawn, pool, stage, seed), available


def _check_topics(stage: str, mixture: StageMix, empty: Collection[str], cells: pl.DataFrame) -> None:
    """Raise a `UserError` for a group without samples (`empty`) that other topics would give some."""
    for name in sorted(empty):
        group = mixture.groups[name]
        others = _cells(cells, group.model_copy(update={"topics": None}))["topic"].unique().sort().to_list()
        if group.topics is not None and others:
            raise UserError(
                f"params.yaml: mix.{stage}.{name}.topics: no sample of {', '.join(group.sources)} has "
                f"{' or '.join(map(repr, group.topics))}",
                f"use some of {', '.join(filter(None, others))}",
            )


def _cells(cells: pl.DataFrame, group: GroupParams) -> pl.DataFrame:
    """Return the cells that the group's sources, tasks and topics name."""
    found = cells.filter(pl.col("source").is_in(group.sources), pl.col("task").is_in(list(group.tasks)))
    return found if group.topics is None else found.filter(pl.col("topic").is_in(group.topics))


def _check_disjoint(stage: str, chosen: dict[str, pl.DataFrame], pool: pl.DataFrame) -> None:
    together = pl.concat([found.with_columns(group=pl.lit(name)) for name, found in chosen.items()])
    pairs = together.join(together, on=list(CELL), suffix="_other").filter(pl.col("group") < pl.col("group_other"))
    shared = pairs.group_by("group", "group_other").agg(pl.col("rows").sum())
    for left, right, rows in shared.sort("group", "group_other").iter_rows():
        cells = pairs.filter(pl.col("group") == left, pl.col("group_other") == right)
        first = str(pool.join(cells, on=list(CELL), how="semi")["sample_id"].min())
        raise UserError(
            f"params.yaml: mix.{stage}: groups {left!r} and {right!r} both select {rows} samples, such as {first}",
            "make their sources, tasks or topics differ",
        )


def _draw(part: Part, pool: pl.DataFrame) -> pl.DataFrame:
    """Return row numbers, ids and `repeat` numbers of the part's rows, `group` beside them."""
    most = len(pool) * part.params.max_repeats
    if part.rows > most:
        total = "" if part.key.endswith("samples") else f" (by a smaller total or {part.key.rsplit('.', 1)[1]})"
        raise UserError(
            f"params.yaml: {part.key}: {part.rows} asked for, {most} available "
            f"({len(pool)} eligible samples, each at most {part.params.max_repeats} times)",
            f"ask for at most {most}{total}, widen sources, tasks or topics, or raise "
            f"mix.{part.key.split('.')[1]}.{part.group}.max_repeats",
        )
    rounds = [
        drawn.with_columns(repeat=pl.lit(number, pl.Int32))
        for size, stratum in _strata(part, pool)
        for number, drawn in _rounds(stratum, size)
    ]
    return pl.concat(rounds).with_columns(group=pl.lit(part.group, pl.Categorical))


def _strata(part: Part, pool: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield how many rows each stratum gives, and its samples."""
    balance = part.params.balance
    if balance is None:
        yield part.rows, pool
        return
    columns = [KIND[name] for name in balance.over]
    strata = {str(key): stratum for key, stratum in sorted(pool.partition_by(columns, as_dict=True).items())}
    sizes = stratum_rows(part.rows, {key: len(stratum) for key, stratum in strata.items()}, balance, part.params)
    for key, stratum in strata.items():
        yield sizes[key], stratum


def stratum_rows(rows: int, sizes: dict[str, int], balance: BalanceParams, group: GroupParams) -> dict[str, int]:
    """Return how many of the rows each stratum gives; `sizes` are their numbers of samples."""
    rates = {key: size ** (1 / balance.temperature) for key, size in sizes.items()}
    return apportion(rows, rates, {key: size * group.max_repeats for key, size in sizes.items()})


def _rounds(stratum: pl.DataFrame, rows: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield each round's number and rows (row number and id, in any order): each sample once before any comes again."""
    whole, rest = divmod(rows, max(len(stratum), 1))
    for number in range(whole):
        yield number, stratum.select("row", "sample_id")
    yield whole, first_ranked(stratum, rest).select("row", "sample_id")


def first_ranked(stratum: pl.DataFrame, rows: int) -> pl.DataFrame:
    """Return so many rows, in any order, of least (rank, sample_id); no more than there are."""
    if rows in {0, len(stratum)}:
        return stratum.head(rows)
    ranks = stratum["rank"].to_numpy()
    last = np.partition(ranks, rows - 1)[rows - 1]
    ahead, level = stratum.filter(pl.col("rank") < last), stratum.filter(pl.col("rank") == last)
    return pl.concat([ahead, level.sort("sample_id").head(rows - len(ahead))])


def _ordered(drawn: pl.DataFrame, pool: pl.DataFrame, stage: str, seed: int) -> pl.DataFrame:
    """Return the rows in a seeded order that does not change between two rows when others come or go."""
    keyed = pl.concat(
        [
            rows.with_columns(key=stable_hashes(seed, rows["sample_id"], before=("order", stage), after=(str(number),)))
            for (number,), rows in drawn.partition_by("repeat", as_dict=True).items()
        ]
    ).rechunk()
    order = keyed[in_order(keyed)]
    rows = pool.drop("sample_id")[order["row"]].with_columns(order["sample_id", "group", "repeat"])
    return rows.select(pl.int_range(pl.len(), dtype=pl.Int64).alias("position"), *pool.columns, "group", "repeat")


def in_order(keyed: pl.DataFrame) -> pl.Series:
    """Return the row numbers that sort by (key, sample_id, repeat): by the key alone, unless two rows share theirs."""
    order = keyed["key"].arg_sort()
    keys = keyed["key"].gather(order).to_numpy()
    if (keys[1:] == keys[:-1]).any():
        return keyed.select(pl.arg_sort_by("key", "sample_id", "repeat")).to_series()
    return order
