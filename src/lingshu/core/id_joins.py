"""Rows whose id is, or is not, among others: stages write millions of them in rising order, which is merged."""

from __future__ import annotations

import polars as pl

ID = "sample_id"


def rows_among(rows: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """Return the rows whose `sample_id` is among the ids, in their order; neither holds nulls."""
    found = _found(rows[ID], ids)
    if found is None:
        return rows.join(ids.to_frame(ID), on=ID, how="semi", maintain_order="left")
    return rows.filter(found)


def rows_not_among(rows: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """Return the rows whose `sample_id` is not among the ids, in their order; neither holds nulls."""
    found = _found(rows[ID], ids)
    if found is None:
        return rows.join(ids.to_frame(ID), on=ID, how="anti", maintain_order="left")
    return rows.filter(~found)


def _found(left: pl.Series, right: pl.Series) -> pl.Series | None:
    """Return which of `left` are among `right`; None where either does not rise.

    An as-of join finds for each the greatest that is not above it, in one pass over both: a fifth of the time that
    polars takes to hash millions of strings. A few rows are looked for where they could lie: many batches against
    sorted millions (`Series.sort`, which says so) do not pass over all of them each time.
    """
    if not (left.is_sorted() and right.is_sorted()):
        return None
    if len(left):
        start, end = right.search_sorted(left[0]), right.search_sorted(left[-1], side="right")
        right = right.slice(start, end - start)
    left, right = left.rechunk(), right.rechunk()
    rising = pl.DataFrame({ID: left}).set_sorted(ID), pl.DataFrame({ID: right}).with_row_index("row").set_sorted(ID)
    nearest = rising[0].join_asof(rising[1], on=ID, strategy="backward")["row"]  # numbers cost half of what ids cost
    return (right.gather(nearest) == left).fill_null(value=False)
