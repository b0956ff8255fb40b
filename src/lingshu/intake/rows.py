"""From tables to the rows of one data set: joins, one row for each question, and the row filter."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Generic, TypeVar

from lingshu.intake.errors import Reason, RowError
from lingshu.intake.parquet_rows import MAX_ROW_BYTES
from lingshu.intake.places import Files, also_named
from lingshu.intake.shapes import Join, TableForm
from lingshu.intake.tables import RawRow, Table, find_tables, found_in, read_mapping, read_rows
from lingshu.intake.values import Row, has_half_pair, printable, text_at, value_at

F = TypeVar("F", bound=TableForm)


@dataclass(frozen=True, slots=True)
class Opened(Generic[F]):
    """A form with the files it found: its tables, and the mapping that each join looks in.

    `left` are names of files that its patterns find, and its `file_pattern` leaves out.
    """

    form: F
    tables: Sequence[Table]
    joined: Sequence[dict[str, Any]]
    left: Sequence[str] = ()


def find_source(files: Files, forms: Sequence[F]) -> Opened[F] | None:
    """Return the first form whose every pattern finds a file, or None.

    Raises:
        UserError: a table that completes rows is broken, or the place can't be read.
    """
    for form in forms:
        found = find_tables(files, form.tables)
        tables = _tables_of(form, found or [])
        joins = [find_tables(files, join.tables) for join in form.joins]
        if tables and all(joins):
            joined = [_mapping(join, of) for join, of in zip(form.joins, joins, strict=True) if of]
            read = {table.name for table in tables}
            return Opened(form, tables, joined, [table.name for table in found or [] if table.name not in read])
    return None


def is_there(files: Files, form: TableForm) -> bool:
    """Return whether every pattern of a form finds a file; no table is read."""
    found = find_tables(files, form.tables)
    return bool(found and _tables_of(form, found)) and all(find_tables(files, join.tables) for join in form.joins)


def files_of(form: TableForm) -> str:
    """Return in words which files a form consists of."""
    tables = " and ".join((*form.tables, *(table for join in form.joins for table in join.tables)))
    return f"{tables}, whose path has {form.file_pattern}" if form.file_pattern else tables


def _tables_of(form: TableForm, found: Sequence[Table]) -> list[Table]:
    """Return the tables whose name the form's `file_pattern` finds; if none, those that it finds by another name."""
    own = [table for table in found if re.search(form.file_pattern, table.name)]
    return own or [t for t in found if any(re.search(form.file_pattern, name) for name in also_named(t.name))]


def find_alone(files: Files, form: F) -> Opened[F] | None:
    """Return the form with the one file that `TableForm.alone` finds, or None if it finds none or several."""
    names = files.match(form.alone) if form.alone else []
    return Opened(form, find_tables(files, names) or [], ()) if len(names) == 1 else None


def _mapping(join: Join, tables: Sequence[Table]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for table in tables:
        found |= read_mapping(table, join)
    return found


def data_rows(source: Opened[F], max_row_bytes: int = MAX_ROW_BYTES) -> Iterator[tuple[str, RawRow]]:
    """Yield `(default id, row)` for each row of the data set, unreadable and repeated ones included, in file order."""
    seen: set[str] = set()
    stems = Counter(PurePosixPath(table.name).name for table in source.tables)
    for table in source.tables:
        fields, stem = _file_fields(source.form, table), PurePosixPath(table.name).name
        stem = printable(stem if stems[stem] == 1 else table.name)
        for raw in read_rows(table, source.form, max_row_bytes):
            for position, values in enumerate(_complete(source, raw, fields)):
                number = f"{raw.number}.{position + 1}" if source.form.explode else f"{raw.number}"
                repeated = not isinstance(values, RowError) and _repeats(source.form, values, seen)
                found = RowError(Reason.REPEATED_ROW, ", ".join(source.form.distinct)) if repeated else values
                yield f"{stem}#{number}", RawRow(printable(raw.file), raw.number, found)


def _repeats(form: TableForm, row: Row, seen: set[str]) -> bool:
    """Whether an earlier row was equal where the form says that it counts; `seen` is added to."""
    if not form.distinct:
        return False
    # Not the canonical form, which has no NaN: a row that holds one is told for what it is elsewhere.
    key = json.dumps([value_at(row, path, None) for path in form.distinct], sort_keys=True)
    repeated = key in seen
    seen.add(key)
    return repeated


def _file_fields(form: TableForm, table: Table) -> Row:
    named = (re.search(form.file_pattern, name) for name in also_named(table.name))
    found = next((hit.groupdict() for hit in named if hit), {})
    return {name: value for name, value in found.items() if value is not None}


def _complete(source: Opened[F], raw: RawRow, fields: Row) -> list[Row | RowError]:
    """Return the rows that a raw row gives: none if it is not of the data set, several if it is exploded."""
    if isinstance(raw.values, RowError):
        return [raw.values]
    row: Row = fields | raw.values
    try:
        for join, mapping in zip(source.form.joins, source.joined, strict=True):
            key = found_in(join.by_pattern, text_at(row, join.by))
            if key in mapping:
                row = row | {join.into: mapping[key]}
            elif join.optional:
                continue
            elif not join.required:
                return []
            elif _kept(source.form, row):
                raise RowError(Reason.NO_JOIN, f"{join.by} {key!r} is not in {', '.join(join.tables)}")
            else:
                return []
        rows = _exploded(source.form, row)
    except RowError as error:
        return [error]
    return [_of_characters(row) for row in rows if _kept(source.form, row)]


def _of_characters(row: Row) -> Row | RowError:
    """Return the row, or why it can't be written anywhere."""
    name = next((name for name, value in row.items() if has_half_pair(value)), None)
    if name is None:
        return row
    return RowError(Reason.BROKEN_TEXT, f"{printable(name)!r} holds half a surrogate pair, which is no character")


def row_identity(form: TableForm, default: str, row: Row) -> str:
    """Return the row's own id and what makes that unique, or the default where the form has none.

    Raises:
        RowError: the id's field is missing.
    """
    return "/".join(text_at(row, path) for path in (form.id, *form.id_parts)) if form.id else default


def _exploded(form: TableForm, row: Row) -> list[Row]:
    if not form.explode:
        return [row]
    lists = {name: value_at(row, path) for name, path in form.explode.items()}
    if not all(isinstance(value, list) for value in lists.values()) or len({len(v) for v in lists.values()}) != 1:
        raise RowError(Reason.UNREADABLE_ROW, f"{', '.join(form.explode.values())} are not lists of equal length")
    return [row | dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def _kept(form: TableForm, row: Row) -> bool:
    wanted = all(str(value_at(row, path, None)) in values for path, values in form.where.items())
    return wanted and not any(str(value_at(row, path, None)) in values for path, values in form.without.items())
