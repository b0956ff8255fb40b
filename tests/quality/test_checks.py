"""Row checks count what breaks them, whatever the number of rows, and nothing else."""

import math

import polars as pl
import pytest

from lingshu.quality.checks import Check, between, broken_counts, hex_digits, matches, not_null, one_of, unique


def broken(check: Check, values: list) -> int:
    return broken_counts(pl.DataFrame({"c": values}), [check])[check.name].item()


@pytest.mark.parametrize(
    ("check", "values", "expected"),
    [
        (not_null("c"), [1, None, None], 2),
        (unique("c"), ["a", "b", "a", "a"], 2),
        (unique("c"), ["a", "b"], 0),
        (between("c", 0, 1), [0.0, 1.0, 1.1, -0.1, None, math.nan], 3),
        (between("c", 0, None), [0.0, 5.0, -1.0, math.nan, math.inf], 2),
        (between("c", 1, None), [0, 1, 2], 1),
        (between("c", None, 3), [0, 4], 1),
        (one_of("c", {"x", "y"}), ["x", "z", None, "y"], 1),
        (matches("c", "[a-z]+"), ["ab", "aB", "", None], 2),
        (hex_digits("c", 4), ["0af9", "0AF9", "0af", "0af90", "0ag9", "a fb", None], 5),
    ],
)
def test_counts(check: Check, values: list, expected: int) -> None:
    assert broken(check, values) == expected


def test_all_checks_in_one_row_lazily_or_not() -> None:
    frame = pl.DataFrame({"c": [1, 2, 2], "d": ["x", "y", None]})
    checks = [unique("c"), not_null("d"), one_of("d", ["x"])]
    found = broken_counts(frame.lazy(), checks)
    assert found.to_dicts() == [{"rows": 3, "c unique": 1, "d not null": 1, "d known": 1}]
    assert broken_counts(frame, checks).equals(found)


def test_no_rows_break_nothing() -> None:
    empty = pl.DataFrame(schema={"c": pl.Float64})
    assert broken_counts(empty, [between("c", 0, 1), unique("c")]).row(0) == (0, 0, 0)
