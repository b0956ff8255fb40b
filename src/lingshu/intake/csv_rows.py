"""Rows of CSV text, read strictly: a quote that is never closed does not swallow the rows below it.

Python's reader takes all that follows an open quote as one cell, to the end of the file. Here such a row is a fault
that says where it begins, and reading goes on with the line after that.
"""

from __future__ import annotations

import csv
import itertools
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass

from lingshu.core.errors import UserError


@dataclass(frozen=True, slots=True)
class CsvFault:
    """Why a row can't be read; `first_line` is the text of the line that it begins with."""

    problem: str
    first_line: str
    too_large: bool = False


def csv_rows(
    lines: Iterator[str], *, delimiter: str = ",", quoted: bool = True
) -> Iterator[tuple[int, list[str] | CsvFault]]:
    """Yield `(number of the line where the row begins, from 1; its cells, or why it can't be read)`.

    A blank line is a row without cells. After a fault the lines below the row's first one are read anew.

    Args:
        lines: with their ends, as a file opened with `newline=""` gives them.
        delimiter: between cells.
        quoted: whether cells may stand in quotes.
    """
    feed = _Feed(lines)
    reader = csv.reader(feed, strict=True, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
    while True:
        number = feed.row_begins()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, CsvFault(_problem(error, feed.ended), feed.after_first(), "field limit" in str(error))
            continue
        yield number, row


def find_delimiter(lines: Iterator[str], usual: str) -> tuple[Iterator[str], str]:
    """Return the lines, and what stands between the names of the first: the usual one, else a semicolon or tab.

    Excel writes semicolons where a comma is the decimal mark.
    """
    header = [*itertools.islice(lines, 1)]
    found = (mark for mark in (usual, ";", "\t") if len(next(csv.reader(header, delimiter=mark), [])) > 1)
    return itertools.chain(header, lines), next(found, usual)


def column_names(name: str, header: list[str]) -> list[str]:
    """Return the names of a header line; those that are empty may stand there several times.

    Raises:
        UserError: two columns bear one name, and a row would hold one of their values only.
    """
    if twice := [one for one, times in Counter(filter(None, header)).items() if times > 1]:
        raise UserError(f"{name}:1: column {twice[0]!r} stands there twice", "rename or take out one of them")
    return header


def _problem(error: csv.Error, ended: bool) -> str:
    if ended and "end of data" in str(error):
        return "a quote is opened and never closed"
    if "expected after" in str(error):
        return "text goes on after a closing quote (a quote is not closed before, or not doubled)"
    return str(error)


class _Feed:
    """Gives the reader its lines, and remembers those of the row that is being read."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self._row: list[str] = []
        self._number = 0
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines, None)
        if line is None:
            self.ended = True
            raise StopIteration
        self._row.append(line)
        return line

    def row_begins(self) -> int:
        """Forget the row before; return the number of the line that comes next."""
        self._number += len(self._row)
        self._row.clear()
        return self._number + 1

    def after_first(self) -> str:
        """Have all lines of the row but the first read anew; return the first."""
        first, *others = self._row
        self._again.extendleft(reversed(others))
        self._row = [first]
        self.ended = False
        return first
