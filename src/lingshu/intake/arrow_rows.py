"""Rows of Arrow files as `datasets` keeps them: what `save_to_disk` writes, and what it leaves in its cache.

The file is mapped into memory, not read: a picture's bytes are copied when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from lingshu.core.errors import UserError
from lingshu.intake.errors import RowError
from lingshu.intake.parquet_rows import (
    DAMAGE,
    MAX_ROW_BYTES,
    MOST_ROWS,
    EmbeddedPicture,
    bare_places,
    file_name,
    plain_rows,
)
from lingshu.intake.values import Row

ENDING = ".arrow"
BROKEN = (*DAMAGE, KeyError, TypeError, ValueError, NotImplementedError)
_END = b"\xff\xff\xff\xff\0\0\0\0"  # of a stream


@dataclass(frozen=True, slots=True)
class ArrowBytes:
    """Bytes of one picture column of a mapped file."""

    name: str
    values: pa.ChunkedArray = field(repr=False)

    def get(self, row: int, place: int | None = None) -> bytes:
        """Return the bytes of a row, or of one of its list of pictures.

        Raises:
            UserError: the row has no bytes, or the file is broken.
        """
        try:
            value = self.values[row] if place is None else self.values[row][place]
            data = value["bytes"].as_py() if isinstance(value, pa.StructScalar) else value.as_py()
        except BROKEN as error:
            raise UserError(f"{self.name}: row {row + 1}: can't be read: {error}", "get the file again") from None
        if not isinstance(data, bytes):
            raise UserError(f"{self.name}: row {row + 1}: a picture has no bytes", "get it again")
        return data


def arrow_rows(
    name: str, path: Path, picture_columns: Sequence[str], limit: int = MAX_ROW_BYTES
) -> Iterator[Row | RowError]:
    """Yield the rows of an Arrow file; what the picture columns hold becomes `EmbeddedPicture`s, as of `parquet_rows`.

    Raises:
        UserError: the file is broken.
    """
    try:
        table = _mapped(path)
        if table.num_rows > path.stat().st_size:  # of a damaged count: each would be a row without anything
            raise pa.ArrowInvalid(f"{table.num_rows} rows in fewer bytes")
        table.validate(full=True)  # offsets that lead out of the file would end the process
        yield from _rows(name, table, picture_columns, limit)
    except BROKEN as error:
        raise UserError(f"{name}: not an Arrow file that can be read: {error}", "get the file again") from None


def _rows(name: str, table: pa.Table, picture_columns: Sequence[str], limit: int) -> Iterator[Row | RowError]:
    heavy = [one for one in picture_columns if one in table.column_names and _holds_bytes(table.schema.field(one).type)]
    pictures = {column: ArrowBytes(name, table.column(column)) for column in heavy}
    number = 0
    for batch in table.drop_columns(heavy).to_batches(max_chunksize=MOST_ROWS):
        for row in plain_rows(batch, (), limit):
            found = {} if isinstance(row, RowError) else {c: _pictures(p, c, number) for c, p in pictures.items()}
            yield row if isinstance(row, RowError) else row | found
            number += 1


def _mapped(path: Path) -> pa.Table:
    source = pa.memory_map(str(path))
    try:
        reader = pa.ipc.open_stream(source)
    except pa.ArrowInvalid:
        source.seek(0)
        return pa.ipc.open_file(source).read_all()
    table = reader.read_all()
    source.seek(source.size() - len(_END))
    if source.read() != _END:  # cut between two batches, it would pass for a whole one
        raise pa.ArrowInvalid("it is cut")
    return table


def _holds_bytes(kind: pa.DataType) -> bool:
    inner = kind.value_type if pa.types.is_list(kind) or pa.types.is_large_list(kind) else kind
    return not (pa.types.is_string(inner) or pa.types.is_large_string(inner))


def _pictures(column: ArrowBytes, name: str, number: int) -> Any:
    value = column.values[number]
    if not value.is_valid:
        return None
    label = f"{column.name}#{number}/{name}"
    bare = set(bare_places(value)) if _has_paths(value.type) else set()
    if not isinstance(value, pa.ListScalar | pa.LargeListScalar):
        return file_name({"path": value["path"].as_py()}) if bare else EmbeddedPicture(label, number, column)
    return [
        file_name({"path": item["path"].as_py()} if place in bare else None)
        if place in bare or not item.is_valid
        else EmbeddedPicture(f"{label}/{place}", number, column, place)
        for place, item in enumerate(value)
    ]


def _has_paths(kind: pa.DataType) -> bool:
    inner = kind.value_type if pa.types.is_list(kind) or pa.types.is_large_list(kind) else kind
    return pa.types.is_struct(inner) and {"bytes", "path"} <= {inner.field(n).name for n in range(inner.num_fields)}
