"""Row-wise checks of a table, all counted in one polars pass: the contract that signals keep, at any number of rows.

Great Expectations on pandas needs about ten times the CPU seconds a row; it judges the counts instead, see
`quality.expectations`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class Check:
    """A name that reads as a sentence, and how many rows of a frame break it (an aggregating expression).

    Where `broken` may count too many but never too few, `exact` counts again, at a cost that only broken tables pay.
    """

    name: str
    broken: pl.Expr
    exact: pl.Expr | None = None


def not_null(column: str) -> Check:
    """Every row has a value."""
    return Check(f"{column} not null", pl.col(column).null_count())


def between(column: str, least: float | None, most: float | None) -> Check:
    """A value lies in [least, most]; None leaves an end open. Rows without a value pass, NaN breaks."""
    value = pl.col(column)
    bounds = [value >= least] if least is not None else []
    bounds += [value <= most] if most is not None else []
    inside = bounds[0] if len(bounds) == 1 else bounds[0] & bounds[1]
    # In polars' order NaN is greater than any number, so an open upper end would let it through.
    number = value.is_not_nan() if most is None else pl.lit(True)
    ends = f"in [{'' if least is None else f'{least:g}'}, {'' if most is None else f'{most:g}'}]"
    return Check(f"{column} {ends}", (~(inside & number)).sum())


def one_of(column: str, values: Collection[str]) -> Check:
    """A value is one of a set. Rows without a value pass."""
    return Check(f"{column} known", (~pl.col(column).is_in(sorted(values))).sum())


def matches(column: str, pattern: str) -> Check:
    """A text matches a regular expression (Rust syntax) as a whole. Rows without a value pass."""
    return Check(f"{column} well formed", (~pl.col(column).str.contains(f"^(?:{pattern})$")).sum())


def hex_digits(column: str, digits: int) -> Check:
    """A text is that many lower-case hex digits. Rows without a value pass."""
    return Check(f"{column} of {digits} hex digits", (~pl.col(column).str.contains(f"^[0-9a-f]{{{digits}}}$")).sum())


def unique(column: str) -> Check:
    """No value occurs twice; counts the rows beyond the first of each value.

    Distinct 64-bit hashes prove distinct values fifteen times as fast as comparing the texts of ids; where two hashes
    are equal, the values themselves decide.
    """
    value = pl.col(column)
    return Check(f"{column} unique", pl.len() - value.hash().n_unique(), pl.len() - value.n_unique())


def broken_counts(frame: pl.LazyFrame | pl.DataFrame, checks: Sequence[Check]) -> pl.DataFrame:
    """Return one row: `rows`, and for each check, under its name, how many rows break it."""
    counts = [check.broken.cast(pl.Int64).alias(check.name) for check in checks]
    found = frame.lazy().select(pl.len().cast(pl.Int64).alias("rows"), *counts).collect(engine="streaming")
    again = [
        check.exact.cast(pl.Int64).alias(check.name)
        for check in checks
        if check.exact is not None and found[check.name].item() > 0
    ]
    return found.with_columns(frame.lazy().select(again).collect(engine="streaming")) if again else found
