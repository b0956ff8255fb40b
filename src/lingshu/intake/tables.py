"""Rows of a form's tables, as mappings: Parquet, JSON, JSON lines, CSV, XML, arrays, or the files themselves.

Text formats are also read inside a zip archive.

A file that can't be read ends the load with an error; a row that can't is counted and named.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lingshu.core.errors import UserError
from lingshu.intake.arrays import array_rows
from lingshu.intake.elements import element_rows
from lingshu.intake.errors import Reason, RowError
from lingshu.intake.pictures import Archive, EmbeddedPicture, ParquetBytes
from lingshu.intake.places import Files, matching
from lingshu.intake.shapes import Join, TableForm
from lingshu.intake.values import Row

INSIDE = "!/"
_CELL_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as read, or why it can't be: `where` is file and row, `number` counts from 1 within the file."""

    file: str
    number: int
    values: Row | RowError

    @property
    def where(self) -> str:
        """File and row, for messages."""
        return f"{self.file}: row {self.number}"


@dataclass(frozen=True, slots=True)
class Table:
    """A table file: its name, the bytes it gives, and (outside archives) where it and others of its place lie."""

    name: str
    read: Callable[[], bytes]
    path: Callable[[], Path] | None
    other: Callable[[str], Path] | None = None


def find_tables(files: Files, patterns: list[str]) -> list[Table] | None:
    """Return the tables that the patterns find, by name, or None if one pattern finds nothing."""
    tables: dict[str, Table] = {}
    for pattern in patterns:
        outer, _, inner = pattern.partition(INSIDE)
        found: dict[str, Table] = {}
        for name in files.match(outer):
            if not inner:
                found[name] = Table(name, partial(_read, files, name), partial(files.path, name), files.path)
                continue
            archive = Archive(files.path(name))
            for member in matching(archive.members(), inner):
                label = f"{name}{INSIDE}{member}"
                found[label] = Table(label, partial(archive.read, member), None)
        if not found:
            return None
        tables |= found
    return [tables[name] for name in sorted(tables)]


def _read(files: Files, name: str) -> bytes:
    path = files.path(name)
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror}", "check the file") from None


def read_rows(table: Table, form: TableForm) -> Iterator[RawRow]:
    """Yield the rows of a table in file order; pictures inside Parquet rows stay on disk.

    Raises:
        UserError: the file is broken, or is not of the form's format (names the file, and the line where known).
    """
    yield from _READERS[form.format](table, form)


def read_mapping(table: Table, join: Join) -> Iterator[tuple[str, Any]]:
    """Yield key and value of a table that completes rows: of an object, or by the value at `join.key` of each row.

    Raises:
        UserError: the file is not JSON or CSV, or is of another shape (names the file).
    """
    is_json = table.name.lower().endswith(".json")
    data = _parsed(table) if is_json else [row for _, row in _csv_rows(table, join.header, join.delimiter)]
    if not join.key and isinstance(data, dict):
        yield from ((str(name), value) for name, value in data.items())
    elif join.key and isinstance(data, list) and all(isinstance(row, dict) and join.key in row for row in data):
        yield from ((str(row[join.key]), row) for row in data)
    else:
        shape = f"a list of objects that have {join.key!r}" if join.key else "an object"
        raise UserError(f"{table.name}: the file is not {shape}", "get the file that the record names")


def _text(table: Table) -> str:
    try:
        return table.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{table.name}: not UTF-8 at byte {error.start}", "get the file again") from None


def _parsed(table: Table) -> Any:
    try:
        return json.loads(_text(table))
    except json.JSONDecodeError as error:
        raise UserError(
            f"{table.name}:{error.lineno}: not JSON: {error.msg}", "get the file again; it may be cut"
        ) from None


def _json(table: Table, form: TableForm) -> Iterator[RawRow]:
    for number, row in enumerate(_json_rows(table, _parsed(table), form.rows), start=1):
        yield RawRow(table.name, number, _as_row(row, form))


def _json_rows(table: Table, data: Any, shape: str) -> list[Any]:
    if shape == "list" and isinstance(data, list):
        return data
    if shape == "values" and isinstance(data, list):
        return [{"value": value} for value in data]
    if shape == "keyed" and isinstance(data, dict):
        return [{"key": key, **row} if isinstance(row, dict) else row for key, row in data.items()]
    if shape == "columns" and isinstance(data, dict):
        return _by_columns(table, data)
    wanted = {"keyed": "an object of rows", "columns": "an object of columns"}.get(shape, "a list of rows")
    raise UserError(f"{table.name}: the file is not {wanted}", "get the file that the record names")


def _by_columns(table: Table, data: dict[str, Any]) -> list[Row]:
    if not data or not all(isinstance(column, dict) for column in data.values()):
        raise UserError(f"{table.name}: the file is not an object of columns", "get the file that the record names")
    numbers = list(next(iter(data.values())))
    return [{name: column.get(number) for name, column in data.items()} for number in numbers]


def _json_lines(table: Table, form: TableForm) -> Iterator[RawRow]:
    for number, line in enumerate(_text(table).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row: Row | RowError = _as_row(json.loads(line), form)
        except json.JSONDecodeError as error:
            row = RowError(Reason.UNREADABLE_ROW, f"not JSON: {error.msg}")
        yield RawRow(table.name, number, row)


def _as_row(row: Any, form: TableForm) -> Row | RowError:
    if form.header and isinstance(row, list) and len(row) == len(form.header):
        return dict(zip(form.header, row, strict=True))
    if not form.header and isinstance(row, dict):
        return row
    wanted = f"a list of {len(form.header)} values" if form.header else "an object"
    return RowError(Reason.UNREADABLE_ROW, f"not {wanted}: {json.dumps(row, ensure_ascii=False)[:60]}")


def _csv(table: Table, form: TableForm) -> Iterator[RawRow]:
    for number, row in _csv_rows(table, form.header, ","):
        yield RawRow(table.name, number, row)


def _csv_rows(table: Table, header: list[str], delimiter: str) -> Iterator[tuple[int, Row | RowError]]:
    csv.field_size_limit(_CELL_BYTES)
    reader = csv.reader(io.StringIO(_text(table), newline=""), strict=True, delimiter=delimiter)
    try:
        names = header or next(reader, [])
        for number, row in enumerate(reader, start=1):
            if len(row) == len(names):
                yield number, dict(zip(names, row, strict=True))
            elif row:
                yield number, RowError(Reason.UNREADABLE_ROW, f"{len(row)} columns where {len(names)} are due")
    except csv.Error as error:
        raise UserError(f"{table.name}:{reader.line_num}: not CSV: {error}", "get the file again") from None


def _parquet(table: Table, form: TableForm) -> Iterator[RawRow]:
    if table.path is None:
        raise UserError(f"{table.name}: Parquet inside an archive is not read", "unpack it and pass the folder")
    path = table.path()
    try:
        opened = pq.ParquetFile(path)
        embedded = _embedded(path, opened.schema_arrow, form)
        columns = [column for column in opened.schema_arrow.names if column not in embedded]
        columns += [light for light, _ in embedded.values()]
        number = 0
        for batch in opened.iter_batches(columns=columns):
            for row in batch.to_pylist():
                pictures = {
                    name: None if row[name] is None else EmbeddedPicture(f"{table.name}#{number}/{name}", number, heavy)
                    for name, (_, heavy) in embedded.items()
                }
                number += 1
                yield RawRow(table.name, number, row | pictures)
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{path}: not a Parquet file that can be read: {error}", "get the file again") from None


def _embedded(path: Path, schema: pa.Schema, form: TableForm) -> dict[str, tuple[str, ParquetBytes]]:
    """Return for each picture column the part of it that tells whether a row has one, and the reader of its bytes."""
    if form.pictures is None or not form.pictures.embedded:
        return {}
    found: dict[str, tuple[str, ParquetBytes]] = {}
    for name in form.pictures.fields:
        if name not in schema.names:
            continue
        kind = schema.field(name).type
        has_path = pa.types.is_struct(kind) and kind.get_field_index("path") >= 0
        found[name] = (f"{name}.path" if has_path else name, ParquetBytes(path, name))
    return found


def _elements(table: Table, form: TableForm) -> Iterator[RawRow]:
    for number, row in enumerate(element_rows(table.name, table.read(), form.record), start=1):
        yield RawRow(table.name, number, row)


def _arrays(table: Table, form: TableForm) -> Iterator[RawRow]:
    if table.path is None or table.other is None:
        raise UserError(f"{table.name}: an array inside an archive is not read", "unpack it and pass the folder")
    found = re.search(form.file_pattern, table.name)
    named = found.groupdict() if found else {}
    beside = {field: table.other(name.format(**named)) for field, name in form.beside.items()}
    for number, row in enumerate(array_rows(table.name, table.path(), beside), start=1):
        yield RawRow(table.name, number, row)


def _file(table: Table, form: TableForm) -> Iterator[RawRow]:  # noqa: ARG001 - one signature for all formats
    inner = PurePosixPath(table.name.rpartition(INSIDE)[2])
    names = {"path": str(inner), "folder": str(inner.parent), "name": inner.name, "stem": inner.name.split(".")[0]}
    yield RawRow(table.name, 1, names)


_READERS: dict[str, Callable[[Table, TableForm], Iterator[RawRow]]] = {
    "parquet": _parquet,
    "json": _json,
    "jsonl": _json_lines,
    "csv": _csv,
    "xml": _elements,
    "npy": _arrays,
    "files": _file,
}
