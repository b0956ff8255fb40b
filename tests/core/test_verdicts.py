"""Verdicts: nothing vanishes. Every row that came in has exactly one decision, and the counts add up."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu.core.errors import AccountingError
from lingshu.core.verdicts import KEPT, Verdict, account, funnel, kept_ids, read_verdicts, write_verdicts

REASONS = (KEPT, "TOO_SMALL", "TWIN")


@st.composite
def decisions(draw: st.DrawFn) -> list[Verdict]:
    ids = draw(st.lists(st.text("abc", min_size=1, max_size=3), unique=True, max_size=8))
    reasons = [draw(st.sampled_from(REASONS)) for _ in ids]
    sources = [draw(st.sampled_from(["films", "slides"])) for _ in ids]
    return [
        Verdict(i, source, "gate", reason == KEPT, reason)
        for i, source, reason in zip(ids, sources, reasons, strict=True)
    ]


@given(verdicts=decisions())
def test_kept_and_dropped_add_up_to_what_came_in(verdicts: list[Verdict]) -> None:
    account("gate", [v.sample_id for v in verdicts], verdicts)
    counts = funnel(verdicts)
    for source, number in counts["in"].items():
        assert number == counts["kept"][source] + sum(counts["dropped"][source].values())
    assert sum(counts["in"].values()) == len(verdicts)


@given(verdicts=decisions(), data=st.data())
def test_files_do_not_depend_on_the_order_of_deciding(verdicts: list[Verdict], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(verdicts))
    with tempfile.TemporaryDirectory() as name:
        first, second = Path(name, "first.parquet"), Path(name, "second.parquet")
        write_verdicts(first, verdicts)
        write_verdicts(second, shuffled)
        assert first.read_bytes() == second.read_bytes()
        assert kept_ids(first) == {v.sample_id for v in verdicts if v.keep}
        assert read_verdicts(first).height == len(verdicts)


@pytest.mark.parametrize(
    ("ids", "complaint"),
    [(["a", "b"], "lost .'b'."), ([], "unexpected .'a'."), (["a", "a"], "2 rows in, 1 verdicts")],
)
def test_a_lost_doubled_or_unknown_row_fails_the_step(ids: list[str], complaint: str) -> None:
    with pytest.raises(AccountingError, match=complaint):
        account("gate", ids, [Verdict("a", "films", "gate", True, KEPT)])
