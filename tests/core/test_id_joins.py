"""Rows among ids: what a set says, whether the columns rise or not."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from lingshu.core.id_joins import rows_among, rows_not_among

LETTERS = st.sampled_from(
    ["", "a", "a:", "ab", "é", "z", "\U0001f600", "films:0123456789abcde", "films:0123456789abcdf"]
)
IDS = st.lists(st.lists(LETTERS, max_size=3).map("".join), max_size=20)


@given(rows=IDS, others=IDS, rising=st.booleans())
def test_they_are_those_that_a_set_tells(rows: list[str], others: list[str], rising: bool) -> None:
    ids, found = (sorted(rows), sorted(others)) if rising else (rows, others)
    table = pl.DataFrame({"sample_id": pl.Series(ids, dtype=pl.String), "row": range(len(ids))})
    other = pl.Series(found, dtype=pl.String)
    known = set(others)
    assert rows_among(table, other).rows() == [row for row in table.rows() if row[0] in known]
    assert rows_not_among(table, other).rows() == [row for row in table.rows() if row[0] not in known]
