"""From tables to the rows of one data set: joins, one row for each question, and the row filter."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any, Generic, TypeVar

from lingshu.core.errors import UserError
from lingshu.core.half_pairs import has_half_pair
from lingshu.intake.errors import Reason, RowError
from lingshu.intake.parquet_rows import MAX_ROW_BYTES
from lingshu.intake.places import ChainedFiles, Files, also_named
from lingshu.intake.shapes import Join, TableForm
from lingshu.intake.tables import RawRow, Table, find_tables, found_in, read_mapping, read_rows
from lingshu.intake.values import Row, printable, text_at, value_at

F = TypeVar("F", bound=TableForm)
_ABSENT = object()
_SNAPSHOT = re.compile(r"(?:.*/)?snapshots/[^/]+(?=/)")


@dataclass(frozen=True, slots=True)
class Opened(Generic[F]):
    """A form with the files it found: its tables, and the mapping that each join looks in.

    `left` are names of files that its patterns find, and its `file_pattern` or `columns` leave out.
    """

    form: F
    tables: Sequence[Table]
    joined: Sequence[dict[str, Any]]
    left: Sequence[str] = ()


def find_source(files: Files, forms: Sequence[F], beside: Files | None = None) -> Opened[F] | None:
    """Return the first form whose every pattern finds a file, or None.

    Args:
        files: of the data set.
        forms: in which it may be.
        beside: holds tables of the project's own that complete rows.

    Raises:
        UserError: a table is broken, the place can't be read, or tables lie in several snapshots of the hub's cache.
    """
    for form in forms:
        found = find_tables(files, form.tables)
        tables = _tables_of(form, found or [])
        joins = _joined(files, form, beside)
        if tables and all(joins):
            _check_one_snapshot(files.label, tables)
            joined = [_mapping(join, of) for join, of in zip(form.joins, joins, strict=True) if of]
            read = {table.name for table in tables}
            return Opened(form, tables, joined, [table.name for table in found or [] if table.name not in read])
    return None


def _check_one_snapshot(place: str, tables: Sequence[Table]) -> None:
    """Raise a `UserError` where rows would come from several data sets, or several revisions of one."""
    found = (_SNAPSHOT.match(f"{place}/{table.name}") for table in tables)
    if len(snapshots := sorted({snapshot[0] for snapshot in found if snapshot})) > 1:
        raise UserError(
            f"{place}: its tables lie in {len(snapshots)} snapshots of the hub's cache: {', '.join(snapshots[:4])}",
            "give one of them",
        )


def is_there(files: Files, form: TableForm, beside: Files | None = None) -> bool:
    """Return whether every pattern of a form finds a file, and its columns are there; as `find_source`."""
    return bool(_tables_of(form, find_tables(files, form.tables) or [])) and all(_joined(files, form, beside))


def _joined(files: Files, form: TableForm, beside: Files | None) -> list[list[Table] | None]:
    places = ChainedFiles([files, beside]) if beside else files
    return [find_tables(places, join.tables) for join in form.joins]


def files_of(form: TableForm) -> str:
    """Return in words which files a form consists of."""
    tables = " and ".join((*form.tables, *(table for join in form.joins for table in join.tables)))
    named = f"{tables}, whose path has {form.file_pattern}" if form.file_pattern else tables
    return f"{named}, with the columns {', '.join(form.columns)}" if form.columns else named


def _has_columns(form: TableForm, table: Table) -> bool:
    """Return whether the first row that can be read has the form's columns; a table without any is not refused here."""
    if not form.columns:
        return True
    rows = (raw.values for raw in read_rows(table, form) if not isinstance(raw.values, RowError))
    first = next(rows, None)
    return first is None or all(value_at(first, path, _ABSENT) is not _ABSENT for path in form.columns)


def _tables_of(form: TableForm, found: Sequence[Table]) -> list[Table]:
    """Return the tables whose name the form's `file_pattern` finds, and which have its columns.

    If none bears such a name, those that it finds by another name of theirs, or whose capitals are others.
    """
    own = [table for table in found if re.search(form.file_pattern, table.name)]
    return [table for table in own or filter(partial(_named, form), found) if _has_columns(form, table)]


def _named(form: TableForm, table: Table) -> re.Match[str] | None:
    """Return what the form's `file_pattern` finds in a table's name, or else in another name that it goes by."""
    searches = ((name, flag) for flag in (re.NOFLAG, re.IGNORECASE) for name in also_named(table.name))
    return next(filter(None, (re.search(form.file_pattern, name, flag) for name, flag in searches)), None)


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
    found = _named(form, table)
    return {name: value for name, value in (found.groupdict() if found else {}).items() if value is not None}


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
