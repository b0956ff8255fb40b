"""Rows of Parquet files; the pictures inside them stay on disk until they are asked for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, cast

import pyarrow as pa
import pyarrow.parquet as pq

from lingshu.core.errors import UserError
from lingshu.intake.errors import Reason, RowError
from lingshu.intake.values import Row

GROUP_BYTES = 256 << 20  # a row group whose pictures are larger is read a few rows at a time
ROWS_AT_ONCE = 32
MOST_ROWS = 512  # of text columns; more at once are not faster
BATCH_BYTES = 1 << 30
MAX_ROW_BYTES = 64 << 20
DAMAGE = (
    pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, pa.ArrowCapacityError, pa.ArrowIndexError,
    pa.ArrowKeyError, pa.ArrowSerializationError, pa.ArrowMemoryError, OSError, UnicodeDecodeError,
)  # fmt: skip


class ParquetBytes:
    """Bytes of one picture column of a Parquet file; what was read last is kept, so reading in order is cheap."""

    def __init__(self, path: Path, column: str, name: str = "") -> None:
        self._path = path
        self._name = name or str(path)
        self._column = column
        self._kept: deque[tuple[int, list[Any]]] = deque(maxlen=2)  # first row and values; two, for threads
        self._ahead: Iterator[tuple[int, list[Any]]] = iter(())
        self._next = -1
        self._lock = threading.Lock()

    @cached_property
    def _file(self) -> pq.ParquetFile:
        return pq.ParquetFile(self._path, buffer_size=1 << 20)

    @cached_property
    def _starts(self) -> list[int]:
        counts = (self._file.metadata.row_group(g).num_rows for g in range(self._file.metadata.num_row_groups))
        starts = [0]
        for count in counts:
            starts.append(starts[-1] + count)
        return starts

    def get(self, row: int, place: int | None = None) -> bytes:
        """Return the bytes of a row, or of one of its list of pictures.

        Raises:
            UserError: the row has no bytes (only the name of a file that is elsewhere), or the file is broken.
        """
        with self._lock:
            try:
                value = self._value(row)
            except DAMAGE as error:
                self._next = -1  # what was read ahead ended with the error: who asks next begins anew
                raise UserError(f"{self._name}: row {row + 1}: can't be read: {error}", "get the file again") from None
        if place is not None:
            value = value[place] if value is not None and place < len(value) else None
        data = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(data, bytes):
            raise UserError(f"{self._name}: row {row + 1}: column {self._column!r} holds no bytes", "get it again")
        return data

    def _value(self, row: int) -> Any:
        while True:
            for start, values in self._kept:
                if start <= row < start + len(values):
                    return values[row - start]
            if not self._next <= row or self._next < 0:
                self._seek(row)
            if (read := next(self._ahead, None)) is None or read[0] > row:
                raise pa.ArrowInvalid("there are fewer rows than the file says it has")
            self._kept.append(read)
            start, values = read
            self._next = start + len(values)

    def _seek(self, row: int) -> None:
        group = next(g for g in range(len(self._starts) - 1) if row < self._starts[g + 1])
        self._ahead, self._next = self._batches(group), self._starts[group]

    def _batches(self, first_group: int) -> Iterator[tuple[int, list[Any]]]:
        """Yield `(first row, values)`: whole row groups, or a few rows of a large one."""
        for group in range(first_group, self._file.metadata.num_row_groups):
            start = self._starts[group]
            large = self._file.metadata.row_group(group).total_byte_size > GROUP_BYTES
            rows = ROWS_AT_ONCE if large else max(self._starts[group + 1] - start, 1)
            for batch in self._file.iter_batches(rows, row_groups=[group], columns=[self._column]):
                yield start, batch.column(0).to_pylist()
                start += batch.num_rows


class ColumnBytes(Protocol):
    """Bytes of one picture column of a file."""

    def get(self, row: int, place: int | None = None) -> bytes:
        """Return the bytes of a row, or of one of its list of pictures; a `UserError` if there are none."""
        ...


@dataclass(slots=True)
class EmbeddedPicture:
    """A picture inside a row of a Parquet or Arrow file."""

    name: str
    row: int
    column: ColumnBytes = field(repr=False)
    place: int | None = None

    def size(self) -> int | None:
        """Return None: its bytes are known only after they were read."""
        return None

    def read(self) -> bytes:
        """See `core.question.PictureFile.read`."""
        return self.column.get(self.row, self.place)


@dataclass(frozen=True, slots=True)
class _Column:
    """A picture column: the part of it that tells whether a row has one, and the reader of its bytes.

    `named` are the places, `(row, 0)` or `(row, place in its list)`, that hold the name of a file and no bytes.
    """

    name: str
    light: str
    listed: bool
    heavy: ParquetBytes
    named: frozenset[tuple[int, int]]


def parquet_rows(
    name: str, path: Path, picture_columns: Sequence[str], limit: int = MAX_ROW_BYTES
) -> Iterator[Row | RowError]:
    """Yield the rows of a Parquet file; what the picture columns hold becomes `EmbeddedPicture`s.

    A picture without bytes becomes the name of the file that stands in its place, "" if there is none.
    A row whose other columns take more than `limit` bytes is a `RowError`, and never a Python value.

    Raises:
        UserError: the file is broken.
    """
    try:
        opened = pq.ParquetFile(path, buffer_size=1 << 20)
        _check_groups(opened)
        pictures = [found for column in picture_columns if (found := _column(opened, path, column, name))]
        heavy = {column.name for column in pictures}
        columns = [column for column in opened.schema_arrow.names if column not in heavy]
        columns += [column.light for column in pictures]
        number = 0
        for batch in _few_at_once(opened, columns):
            for row in plain_rows(batch, heavy, limit):
                if isinstance(row, RowError):
                    yield row
                else:
                    yield row | {column.name: _pictures(name, number, column, row[column.name]) for column in pictures}
                number += 1
    except DAMAGE as error:
        raise _broken(name, error) from None


def whole_rows(path: Path, limit: int = MAX_ROW_BYTES) -> Iterator[Row | RowError]:
    """Yield the rows of a Parquet file with all that they hold, pictures too; others as `parquet_rows`.

    Raises:
        UserError: the file is broken.
    """
    try:
        opened = pq.ParquetFile(path, buffer_size=1 << 20)
        _check_groups(opened)
        for batch in _few_at_once(opened, opened.schema_arrow.names):
            yield from plain_rows(batch, (), limit)
    except DAMAGE as error:
        raise _broken(path, error) from None


def parquet_schema(path: Path) -> pa.Schema:
    """Return the columns of a Parquet file, with its metadata; errors as `whole_rows`."""
    try:
        return pq.read_schema(path)
    except DAMAGE as error:
        raise _broken(path, error) from None


def _broken(name: str | Path, error: Exception) -> UserError:
    return UserError(f"{name}: not a Parquet file that can be read: {error}", "get the file again")


def _few_at_once(opened: pq.ParquetFile, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield the rows, as many at once as fit into `BATCH_BYTES` however long each value is.

    No value is longer than its column's part of the row group, but a coded one may stand in every row.
    """
    for number in range(opened.metadata.num_row_groups):
        group = opened.metadata.row_group(number)
        read = [group.column(place) for place in range(group.num_columns)]
        wanted = {name.split(".")[0] for name in columns}
        longest = max((c.total_uncompressed_size for c in read if c.path_in_schema.split(".")[0] in wanted), default=0)
        rows = min(max(BATCH_BYTES // max(longest, 1), 1), MOST_ROWS)
        yield from opened.iter_batches(rows, row_groups=[number], columns=columns)


def plain_rows(batch: pa.RecordBatch, pictures: Collection[str], limit: int) -> list[Row | RowError]:
    """Return the rows of a batch; a `RowError` for one whose columns but `pictures` take more than `limit` bytes."""
    measured = batch.select([name for name in batch.schema.names if name not in pictures])
    if measured.nbytes <= limit:
        return cast("list[Row | RowError]", batch.to_pylist())
    large = RowError(Reason.ROW_TOO_LARGE, f"more than {limit} bytes")
    sizes = [measured.slice(place, 1).nbytes for place in range(batch.num_rows)]
    return [large if size > limit else batch.slice(place, 1).to_pylist()[0] for place, size in enumerate(sizes)]


def _pictures(name: str, number: int, column: _Column, light: Any) -> Any:
    if light is None:
        return None
    label = f"{name}#{number}/{column.name}"
    if not column.listed:
        return file_name(light) if (number, 0) in column.named else EmbeddedPicture(label, number, column.heavy)
    return [
        file_name(item)
        if item is None or (number, place) in column.named
        else EmbeddedPicture(f"{label}/{place}", number, column.heavy, place)
        for place, item in enumerate(light)
    ]


def file_name(light: Any) -> str:
    """Return the name of a file that stands in the place of a picture's bytes, "" if there is none."""
    return str(light.get("path") or "") if isinstance(light, dict) else ""


def _column(opened: pq.ParquetFile, path: Path, name: str, label: str) -> _Column | None:
    """Return a picture column: the hub's Image type (a struct of bytes and path), plain bytes, or a list of these."""
    if name not in opened.schema_arrow.names:
        return None
    kind = opened.schema_arrow.field(name).type
    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    inner = kind.value_type if listed else kind
    if pa.types.is_string(inner) or pa.types.is_large_string(inner):
        return None
    leaves = [opened.schema.column(place).path for place in range(len(opened.schema))]
    paths = [leaf for leaf in leaves if leaf.startswith(f"{name}.") and leaf.endswith(".path")]
    light = paths[0] if pa.types.is_struct(inner) and paths else name
    return _Column(name, light, listed, ParquetBytes(path, name, label), _without_bytes(opened, name, leaves))


def _without_bytes(opened: pq.ParquetFile, name: str, leaves: Sequence[str]) -> frozenset[tuple[int, int]]:
    """Return the places of pictures that are there without bytes; where no bytes are null, nothing is read for it."""
    found: set[tuple[int, int]] = set()
    leaf = next(
        (place for place, path in enumerate(leaves) if path.startswith(f"{name}.") and path.endswith("bytes")), None
    )
    if leaf is None:
        return frozenset()
    start = 0
    for group in range(opened.metadata.num_row_groups):
        facts = _statistics(opened, group, leaf)
        count = opened.metadata.row_group(group).num_rows
        if facts is None or not facts.has_null_count or facts.null_count:
            row = start
            for batch in opened.iter_batches(ROWS_AT_ONCE, row_groups=[group], columns=[name]):
                for place, value in enumerate(batch.column(0)):
                    found.update((row + place, at) for at in bare_places(value))
                row += batch.num_rows
        start += count
    return frozenset(found)


def _check_groups(opened: pq.ParquetFile) -> None:
    """Raise what Arrow raises of a row group whose description is damaged, by reading a row of each.

    To ask for the description itself (`metadata.row_group(…).column(…)`) would end the process, past every `except`.
    """
    for number in range(opened.metadata.num_row_groups):
        next(opened.iter_batches(1, row_groups=[number]), None)


def _statistics(opened: pq.ParquetFile, group: int, leaf: int) -> Any:
    """Return what a file states of a column's part, or None; of a part of another type Arrow would end the process."""
    part = opened.metadata.row_group(group).column(leaf)
    if part.physical_type != opened.schema.column(leaf).physical_type:
        raise pa.ArrowInvalid(f"a part of column {part.path_in_schema} is of another type than the column")
    return part.statistics


def bare_places(value: Any) -> list[int]:
    """Return the places in a row's value, a struct or a list of structs, that are no null and have no bytes."""
    if not value.is_valid:
        return []
    items = value if isinstance(value, pa.ListScalar | pa.LargeListScalar) else [value]
    return [at for at, item in enumerate(items) if item.is_valid and not item["bytes"].is_valid]
