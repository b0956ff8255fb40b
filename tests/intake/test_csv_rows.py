"""Rows of CSV text: what can't be read says where it begins, and costs no row but itself."""

from __future__ import annotations

import csv
import io
import random

import pytest

from lingshu.core.errors import UserError
from lingshu.intake.csv_rows import CsvFault, csv_rows
from tests.intake.test_tables import rows


def read(text, **how):
    return list(csv_rows(iter(io.StringIO(text, newline="")), **how))


def test_written_rows_come_back_and_know_their_line():
    made = random.Random(5)
    table = [[made.choice(["", "a", 'say "x"', "two\nlines", "a,b", " ", "é"]) for _ in range(3)] for _ in range(200)]
    table = [row for row in table if any(row)]
    text = io.StringIO(newline="")
    csv.writer(text).writerows(table)
    found = read(text.getvalue())
    assert [row for _, row in found] == table
    lines = text.getvalue().splitlines(keepends=True)
    for number, row in found:
        assert next(csv.reader(lines[number - 1 :])) == row


def test_a_quote_that_is_never_closed_costs_its_row_only():
    text = "id,text\n" + "".join(f'{n},"text {n}{"" if n == 4 else chr(34)}\n' for n in range(9))
    found = read(text)
    faults = [(line, row) for line, row in found if isinstance(row, CsvFault)]
    assert [line for line, _ in faults] == [6]
    assert faults[0][1].problem.startswith("text goes on after a closing quote")
    assert [row[0] for _, row in found if not isinstance(row, CsvFault)] == ["id", *"01235678"]


def test_the_last_quote_of_a_file():
    found = read('id,text\n1,"open\n2,plain\n\n3,plain\n')
    assert found == [
        (1, ["id", "text"]),
        (2, CsvFault("a quote is opened and never closed", '1,"open\n')),
        (3, ["2", "plain"]),
        (4, []),
        (5, ["3", "plain"]),
    ]
    assert read('1\t"a\n', delimiter="\t", quoted=False) == [(1, ["1", '"a'])]


def test_a_table_that_excel_saved_is_read(tmp_path):
    files = {
        "a.csv": '\ufeffn;text\r\n1;"a; b, c"\r\n'.encode(),
        "b.csv": b"n\ttext\n2\td;e,f\n",
        "c.csv": b'n,"text;more"\n3,g\n',
        "d.csv": b"",
    }
    found = rows(files, tmp_path, format="csv", tables=["*.csv"])
    assert found == [{"n": "1", "text": "a; b, c"}, {"n": "2", "text": "d;e,f"}, {"n": "3", "text;more": "g"}]
    with pytest.raises(UserError, match=r"t\.csv: not UTF-8 at byte 0") as caught:
        rows({"t.csv": "n,text\n".encode("utf-16")}, tmp_path, format="csv", tables=["t.csv"])
    assert "save it as UTF-8" in caught.value.fix


def test_two_columns_of_one_name_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"t\.csv:1: column 'a' stands there twice"):
        rows({"t.csv": b"a,b,a\n1,2,3\n"}, tmp_path, format="csv", tables=["t.csv"])
    found = rows({"t.csv": b"a,b,,\n1,2,,\n"}, tmp_path, format="csv", tables=["t.csv"])
    assert [(row["a"], row["b"]) for row in found] == [("1", "2")]


def test_a_data_set_with_an_open_quote_is_refused_by_its_line(tmp_path):
    data = b'n,text\n1,"fine, so far"\n2,"open\n3,plain\n4,plain\n'
    """By its number, not its text: that may be a patient's, and errors are logged."""
    with pytest.raises(UserError, match=r"^t\.csv:3: not CSV: a quote is opened and never closed\n"):
        rows({"t.csv": data}, tmp_path, format="csv", tables=["t.csv"])
