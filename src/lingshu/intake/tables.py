"""Rows of a form's tables, as mappings: Parquet, JSON, JSON lines, CSV, XML, texts, arrays, or files themselves.

All but Parquet and arrays may also lie inside an archive.

A file that can't be read ends the load with an error; a row that can't is counted and named. Files are read as streams:
what is held in memory is one row, but for JSON as columns or lists, and for tables that complete rows.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from lingshu.core.errors import UserError
from lingshu.intake.archive import Archive
from lingshu.intake.arrays import array_rows
from lingshu.intake.arrow_rows import ENDING, arrow_rows
from lingshu.intake.csv_rows import CsvFault, column_names, csv_rows, find_delimiter
from lingshu.intake.errors import Reason, RowError, row_too_large
from lingshu.intake.json_stream import JsonStream, JsonStreamError
from lingshu.intake.lfs import check_file
from lingshu.intake.parquet_rows import MAX_ROW_BYTES, parquet_rows
from lingshu.intake.places import Files, matching
from lingshu.intake.plain_pickle import read_plain_pickle
from lingshu.intake.shapes import Join, Layout, TableForm
from lingshu.intake.values import Row, value_at
from lingshu.intake.xml_rows import xml_rows

INSIDE = "!/"
CHUNK_BYTES = 1 << 20


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
    """A table file: its name, its bytes as a stream, and (outside archives) where it and others of its place lie."""

    name: str
    open: Callable[[], IO[bytes]]
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
                found[name] = Table(name, partial(_open, files, name), partial(files.path, name), files.path)
                continue
            archive = Archive(files.path(name), name)
            for member in matching(archive.members(), inner):
                label = f"{name}{INSIDE}{member}"
                found[label] = Table(label, partial(_open_member, archive, member), None)
        if not found:
            return None
        tables |= found
    return [tables[name] for name in sorted(tables)]


def _open(files: Files, name: str) -> IO[bytes]:
    path = files.path(name)
    try:
        handle = gzip.open(path) if name.lower().endswith(".gz") else path.open("rb")  # noqa: SIM115 - the reader closes it
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror}", "check the file") from None
    return cast("IO[bytes]", handle)


def _open_member(archive: Archive, member: str) -> IO[bytes]:
    handle = archive.open(member)
    return cast("IO[bytes]", gzip.open(handle)) if member.lower().endswith(".gz") else handle


def read_rows(table: Table, form: TableForm, max_row_bytes: int = MAX_ROW_BYTES) -> Iterator[RawRow]:
    """Yield the rows of a table in file order; pictures inside Parquet rows stay on disk.

    Raises:
        UserError: the file is broken, or is not of the form's format (names the file, and the line where known).
    """
    readers = {
        "parquet": _parquet, "json": _json, "jsonl": _json_lines, "csv": _csv, "xml": _xml, "text": _text_file,
        "pickle": _pickle, "npy": _arrays, "files": _file,
    }  # fmt: skip
    with _faults_named(table):
        if form.format != "files":
            _check_content(table)
        yield from readers[form.format](table, form, max_row_bytes)


def _check_content(table: Table) -> None:
    """Raise a `UserError` for a file whose content was left on a server."""
    if table.path is not None:
        check_file(table.path(), table.name)


@contextmanager
def _faults_named(table: Table) -> Iterator[None]:
    """Turn what a broken file raises into a `UserError` that names it."""
    try:
        yield
    except UnicodeDecodeError:
        problem = f"{table.name}: not UTF-8 at byte {_utf8_fault(table)}"
        raise UserError(problem, "get the file again, or save it as UTF-8 (Excel: CSV UTF-8)") from None
    except JsonStreamError as error:
        if error.too_large:
            raise row_too_large(f"{table.name}:{error.line}", error.problem) from None
        raise UserError(
            f"{table.name}:{error.line}: not JSON: {error.problem}", "get the file again; it may be cut"
        ) from None
    except PermissionError as error:
        raise UserError(f"{table.name}: can't be read: {error.strerror}", "let yourself read it") from None
    except (EOFError, zlib.error, OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{table.name}: can't be read: {error}", "get the file again; it may be cut") from None


def read_mapping(table: Table, join: Join, max_row_bytes: int = MAX_ROW_BYTES) -> dict[str, Any]:
    """Return a table that completes rows: by its object keys, or by the value at the join's key of each of its rows.

    Raises:
        UserError: the file is broken, or of another shape, or a row of it can't be read (names the file).
    """
    if not join.key:
        return dict(_keyed_values(table, max_row_bytes))
    form = TableForm(
        name="join",
        checked="not checked",
        tables=join.tables,
        rows=join.rows,
        **join.model_dump(include=set(Layout.model_fields)),
    )
    found: dict[str, Any] = {}
    shape = f"a list of objects that have {join.key!r}"
    for raw in read_rows(table, form, max_row_bytes):
        key: Any = None if isinstance(raw.values, RowError) else value_at(raw.values, join.key, None)
        if key is None:
            raise UserError(f"{raw.where}: the file is not {shape}", "get the file that the record names")
        key = found_in(join.key_pattern, str(key))
        if join.many:
            found.setdefault(key, []).append(raw.values)
        else:
            found[key] = raw.values
    return found


def found_in(pattern: str, text: str) -> str:
    """Return what a pattern finds in a text; the whole text where it finds nothing, or is empty."""
    found = re.search(pattern, text) if pattern else None
    return text if found is None else found[0]


def _keyed_values(table: Table, limit: int) -> Iterator[tuple[str, Any]]:
    with _faults_named(table):
        _check_content(table)
    with _faults_named(table), table.open() as handle:
        stream = JsonStream(handle, limit)
        if stream.first() != "{":
            raise UserError(f"{table.name}: the file is not an object", "get the file that the record names")
        yield from stream.pairs()


def _utf8_fault(table: Table) -> int:
    """Return the first byte that is not UTF-8."""
    decoder, seen = codecs.getincrementaldecoder("utf-8")(), 0
    with table.open() as handle:
        while chunk := handle.read(CHUNK_BYTES):
            waiting = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                return seen - waiting + error.start
            seen += len(chunk)
    return seen


def _json(table: Table, form: TableForm, limit: int) -> Iterator[RawRow]:
    shape = form.rows
    with table.open() as handle:
        stream = JsonStream(handle, limit)
        opening = {"list": "[", "values": "["}.get(shape, "{")
        first = stream.first()
        if not first:
            raise UserError(f"{table.name}:1: not JSON: the file is empty", "get the file again; it may be cut")
        if first == opening:
            rows = stream.array() if opening == "[" else _of_pairs(table, stream.pairs(), shape)
        elif first == "{" and shape == "list":
            rows = _one_after_another(table, stream)
        else:
            raise _of_another_shape(table, shape)
        for number, row in enumerate(rows, start=1):
            if stream.size > limit and shape not in ("columns", "lists"):
                yield RawRow(table.name, number, RowError(Reason.ROW_TOO_LARGE, f"{stream.size} characters"))
            else:
                yield RawRow(table.name, number, {"value": row} if shape == "values" else _as_row(row, form))


def _of_another_shape(table: Table, shape: str) -> UserError:
    wanted = {"keyed": "an object of rows", "lists": "an object of lists of rows", "columns": "an object of columns"}
    return UserError(
        f"{table.name}: the file is not {wanted.get(shape, 'a list of rows')}", "get the file that the record names"
    )


def _one_after_another(table: Table, stream: JsonStream) -> Iterator[Any]:
    """Yield the rows of JSON lines that are called JSON, which `datasets` reads too; one object is no list."""
    values = stream.values()
    first = next(values)
    if not stream.first():
        raise _of_another_shape(table, "list")
    yield first
    yield from values


def _of_pairs(table: Table, pairs: Iterator[tuple[str, Any]], shape: str) -> Iterator[Any]:
    if shape == "keyed":
        yield from ({"key": key, **row} if isinstance(row, dict) else row for key, row in pairs)
    elif shape == "lists":
        for key, rows in pairs:
            if not isinstance(rows, list):
                raise UserError(f"{table.name}: {key!r} is not a list of rows", "get the file that the record names")
            yield from ({"key": key, **row} if isinstance(row, dict) else row for row in rows)
    else:
        yield from _by_columns(table, dict(pairs))


def _by_columns(table: Table, data: dict[str, Any]) -> list[Row]:
    if not data or not all(isinstance(column, dict) for column in data.values()):
        raise UserError(f"{table.name}: the file is not an object of columns", "get the file that the record names")
    numbers = list(next(iter(data.values())))
    return [{name: column.get(number) for name, column in data.items()} for number in numbers]


def bounded_lines(handle: IO[bytes], limit: int) -> Iterator[bytes | None]:
    """Yield the lines; of one that is over the limit, None, and no more of it is kept than the limit."""
    while line := handle.readline(limit + 1):
        if len(line) <= limit or line.endswith(b"\n"):
            yield line
            continue
        while (rest := handle.readline(CHUNK_BYTES)) and not rest.endswith(b"\n"):
            pass
        yield None


def _json_lines(table: Table, form: TableForm, limit: int) -> Iterator[RawRow]:
    with table.open() as handle:
        listed = not form.header and handle.read(CHUNK_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    if listed:  # a list that is called JSON lines
        yield from _json(table, form, limit)
        return
    with table.open() as handle:
        for number, line in enumerate(bounded_lines(handle, limit), start=1):
            if line is None or line.strip(b" \t\r\n\xef\xbb\xbf"):
                yield RawRow(table.name, number, _json_line(line, form, limit))


def _json_line(line: bytes | None, form: TableForm, limit: int) -> Row | RowError:
    if line is None:
        return RowError(Reason.ROW_TOO_LARGE, f"more than {limit} bytes")
    try:
        return _as_row(json.loads(line.decode("utf-8-sig")), form)
    except json.JSONDecodeError as error:
        return RowError(Reason.UNREADABLE_ROW, f"not JSON: {error.msg}")
    except UnicodeDecodeError as error:
        return RowError(Reason.UNREADABLE_ROW, f"not UTF-8 at byte {error.start} of the line")
    except (RecursionError, ValueError) as error:
        return RowError(Reason.UNREADABLE_ROW, f"not JSON that can be read: {type(error).__name__}")


def _as_row(row: Any, form: TableForm) -> Row | RowError:
    if form.header and isinstance(row, list) and len(row) == len(form.header):
        return dict(zip(form.header, row, strict=True))
    if not form.header and isinstance(row, dict):
        return row
    wanted = f"a list of {len(form.header)} values" if form.header else "an object"
    return RowError(Reason.UNREADABLE_ROW, f"not {wanted}: {json.dumps(row, ensure_ascii=False, default=str)[:60]}")


def _csv(table: Table, form: TableForm, limit: int) -> Iterator[RawRow]:
    csv.field_size_limit(limit)
    with io.TextIOWrapper(table.open(), encoding="utf-8-sig", newline="") as text:
        header, count, lines, delimiter = form.header, 0, _text_lines(table, text, limit), form.delimiter
        if not header:
            lines, delimiter = find_delimiter(lines, delimiter)
        for line, row in csv_rows(lines, delimiter=delimiter, quoted=form.quoted):
            if isinstance(row, CsvFault):
                if row.too_large:
                    raise row_too_large(f"{table.name}:{line}", f"a cell of more than {limit} characters")
                raise UserError(f"{table.name}:{line}: not CSV: {row.problem}", "mend that line, or get the file again")
            if not header:
                header = column_names(table.name, row)
                continue
            count += 1
            if len(row) == len(header):
                yield RawRow(table.name, count, dict(zip(header, row, strict=True)))
            elif row:
                detail = f"{len(row)} columns where {len(header)} are due"
                yield RawRow(table.name, count, RowError(Reason.UNREADABLE_ROW, detail))


def _text_lines(table: Table, text: IO[str], limit: int) -> Iterator[str]:
    number = 0
    while line := text.readline(limit + 1):
        number += 1
        if len(line) > limit:
            raise row_too_large(f"{table.name}:{number}", f"a line of more than {limit} characters")
        yield line


def _xml(table: Table, form: TableForm, limit: int) -> Iterator[RawRow]:
    """Yield the rows of one document; a document that can't be read is one unreadable row."""
    data = _whole(table, limit)
    try:
        if isinstance(data, RowError):
            raise data
        rows: list[Row | RowError] = [*xml_rows(data, form.element)]
    except RowError as error:
        rows = [error]
    for number, row in enumerate(rows, start=1):
        yield RawRow(table.name, number, row)


def _text_file(table: Table, form: TableForm, limit: int) -> Iterator[RawRow]:  # noqa: ARG001 - one signature
    data = _whole(table, limit)
    try:
        values = data if isinstance(data, RowError) else {"text": data.decode("utf-8-sig")}
    except UnicodeDecodeError as error:
        values = RowError(Reason.UNREADABLE_ROW, f"not UTF-8 at byte {error.start}")
    yield RawRow(table.name, 1, values)


def _pickle(table: Table, form: TableForm, limit: int) -> Iterator[RawRow]:  # noqa: ARG001 - one signature
    with table.open() as handle:
        try:
            rows = read_plain_pickle(handle)
        except ValueError as error:
            raise UserError(f"{table.name}: not a pickle of plain values: {error}", "get the file again") from None
    if not isinstance(rows, list):
        raise UserError(f"{table.name}: the file is not a list of rows", "get the file that the record names")
    for number, row in enumerate(rows, start=1):
        yield RawRow(table.name, number, _as_row(row, form))


def _whole(table: Table, limit: int) -> bytes | RowError:
    with table.open() as handle:
        data = handle.read(limit + 1)
    return data if len(data) <= limit else RowError(Reason.ROW_TOO_LARGE, f"more than {limit} bytes")


def _parquet(table: Table, form: TableForm, limit: int) -> Iterator[RawRow]:
    if table.path is None:
        raise UserError(f"{table.name}: Parquet inside an archive is not read", "unpack it and pass the folder")
    columns = form.pictures.fields if form.pictures and form.pictures.embedded else []
    read = arrow_rows if table.name.lower().endswith(ENDING) else parquet_rows
    for number, row in enumerate(read(table.name, table.path(), columns, limit), start=1):
        yield RawRow(table.name, number, row)


def _arrays(table: Table, form: TableForm, limit: int) -> Iterator[RawRow]:  # noqa: ARG001 - one signature
    if table.path is None or table.other is None:
        raise UserError(f"{table.name}: an array inside an archive is not read", "unpack it and pass the folder")
    found = re.search(form.file_pattern, table.name)
    named = found.groupdict() if found else {}
    beside = {field: table.other(name.format(**named)) for field, name in form.beside.items()}
    for number, row in enumerate(array_rows(table.name, table.path(), beside), start=1):
        yield RawRow(table.name, number, row)


def _file(table: Table, form: TableForm, limit: int) -> Iterator[RawRow]:  # noqa: ARG001 - one signature
    inner = PurePosixPath(table.name.rpartition(INSIDE)[2])
    names = {"path": str(inner), "folder": str(inner.parent), "name": inner.name, "stem": inner.name.split(".")[0]}
    yield RawRow(table.name, 1, names)
