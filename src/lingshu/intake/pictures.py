"""Pictures that are read when they are needed: beside the tables, in a zip archive, or inside a Parquet row."""

from __future__ import annotations

import re
import threading
import zipfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, cast

import pyarrow.parquet as pq

from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_bytes
from lingshu.core.question import PictureFile
from lingshu.intake.errors import Reason, RowError
from lingshu.intake.places import Files
from lingshu.intake.shapes import Pictures
from lingshu.intake.values import Row, value_at


@dataclass(slots=True)
class StoredPicture:
    """A file of a place."""

    name: str
    files: Files = field(repr=False)

    def size(self) -> int | None:
        """Return the file's bytes, or None where that is known only after it was read."""
        try:
            return self.files.path(self.name).stat().st_size
        except OSError:
            return None

    def read(self) -> bytes:
        """See `PictureFile.read`."""
        path = self.files.path(self.name)
        try:
            return path.read_bytes()
        except OSError as error:
            raise UserError(f"{path}: can't be read: {error.strerror}", "check the file") from None


class Archive:
    """A zip archive that is opened once, and whose members are found by the end of their path.

    Raises:
        UserError: the file is no zip archive.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, OSError) as error:
            raise UserError(f"{self.path}: not a zip archive that can be read: {error}", "get it again") from None

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for member in self.members():
            found.setdefault(PurePosixPath(member).name, []).append(member)
        return found

    def members(self) -> list[str]:
        """Return the names of the files inside."""
        return [info.filename for info in self._zip.infolist() if not info.is_dir()]

    def find(self, name: str) -> str | None:
        """Return the member whose path is or ends with `name` (the shortest one), or None."""
        wanted = PurePosixPath(name)
        ends = [
            member
            for member in self._by_name.get(wanted.name, [])
            if PurePosixPath(member).parts[-len(wanted.parts) :] == wanted.parts
        ]
        return min(ends, key=lambda member: (len(member), member), default=None)

    def size(self, member: str) -> int:
        """Return a member's bytes when unpacked, as the archive says (and no more are ever unpacked)."""
        return self._zip.getinfo(member).file_size

    def read(self, member: str) -> bytes:
        """Return a member's bytes.

        Raises:
            UserError: the member is missing or broken.
        """
        try:
            return self._zip.read(member)
        except (KeyError, zipfile.BadZipFile, OSError, RuntimeError, ValueError) as error:
            raise UserError(f"{self.path}!/{member}: can't be read: {error}", "get the archive again") from None


@dataclass(slots=True)
class ZippedPicture:
    """A member of a zip archive."""

    name: str
    archive: Archive = field(repr=False)

    def size(self) -> int | None:
        """See `StoredPicture.size`."""
        return self.archive.size(self.name)

    def read(self) -> bytes:
        """See `PictureFile.read`."""
        return self.archive.read(self.name)


class ParquetBytes:
    """Bytes of one picture column of a Parquet file; the row group read last is kept, so reading in order is cheap."""

    def __init__(self, path: Path, column: str) -> None:
        self._path = path
        self._column = column
        self._group = -1
        self._values: list[Any] = []
        self._lock = threading.Lock()

    @cached_property
    def _file(self) -> pq.ParquetFile:
        return pq.ParquetFile(self._path)

    @cached_property
    def _starts(self) -> list[int]:
        counts = (self._file.metadata.row_group(g).num_rows for g in range(self._file.metadata.num_row_groups))
        starts = [0]
        for count in counts:
            starts.append(starts[-1] + count)
        return starts

    def get(self, row: int) -> bytes:
        """Return the bytes of a row.

        Raises:
            UserError: the row has no bytes (only the name of a file that is elsewhere).
        """
        with self._lock:
            group = next(g for g in range(len(self._starts) - 1) if row < self._starts[g + 1])
            if group != self._group:
                table = self._file.read_row_group(group, columns=[self._column])
                self._values, self._group = table.column(0).to_pylist(), group
            value = self._values[row - self._starts[group]]
        data = value["bytes"] if isinstance(value, dict) else value
        if not isinstance(data, bytes):
            raise UserError(f"{self._path}: row {row + 1}: column {self._column!r} holds no bytes", "get it again")
        return data


@dataclass(slots=True)
class EmbeddedPicture:
    """A picture inside a Parquet row."""

    name: str
    row: int
    column: ParquetBytes = field(repr=False)

    def size(self) -> int | None:
        """See `StoredPicture.size`."""
        return None

    def read(self) -> bytes:
        """See `PictureFile.read`."""
        return self.column.get(self.row)


FoundPicture = StoredPicture | ZippedPicture | EmbeddedPicture


def picture_key(picture: PictureFile) -> str:
    """Return what tells two pictures apart: the file's name, or a digest of the bytes where a row holds them."""
    return f"sha256:{sha256_bytes(picture.read())[:20]}" if isinstance(picture, EmbeddedPicture) else picture.name


class PictureFinder:
    """Finds the pictures that rows name, in a place's folders first, then in its archives."""

    def __init__(self, files: Files, spec: Pictures) -> None:
        self._files = files
        self._spec = spec

    @cached_property
    def _archives(self) -> list[Archive]:
        names = {name for pattern in self._spec.archives for name in self._files.match(pattern)}
        return [Archive(self._files.path(name)) for name in sorted(names)]

    def find(self, name: str) -> StoredPicture | ZippedPicture:
        """Return the picture called `name`.

        Raises:
            RowError: no folder and no archive has it.
        """
        name += self._spec.suffix
        for folder in self._spec.folders:
            inside = name if folder == "." else f"{folder}/{name}"
            if self._files.has(inside):
                return StoredPicture(inside, self._files)
        for archive in self._archives:
            if (member := archive.find(name)) is not None:
                return ZippedPicture(member, archive)
        places = ", ".join((*(f"{folder}/" for folder in self._spec.folders), *self._spec.archives))
        raise RowError(Reason.MISSING_PICTURE, f"{name} is not in {places} of {self._files.label}")


def row_pictures(spec: Pictures | None, row: Row, finder: PictureFinder | None) -> tuple[FoundPicture, ...]:
    """Return the pictures of a row, in order.

    Args:
        spec: where they are; None for a form without pictures.
        row: as read.
        finder: of the pictures that rows name; None where the rows hold them.

    Raises:
        RowError: one is missing, or the row names none and must.
    """
    if spec is None:
        return ()
    found: list[FoundPicture] = []
    for path in spec.fields:
        value = value_at(row, path, None)
        for item in value if isinstance(value, list) else [value]:
            if item is not None and item != "":
                found.append(
                    cast("EmbeddedPicture", item) if finder is None else finder.find(_name(spec, item, path, row))
                )
    if not found and not spec.optional:
        raise RowError(Reason.MISSING_PICTURE, f"{', '.join(spec.fields)} name none")
    return tuple(found)


def _name(spec: Pictures, item: Any, path: str, row: Row) -> str:
    name = item.get(spec.key) if spec.key and isinstance(item, dict) else item
    if spec.name:
        found = re.search(spec.pattern, str(name)) if spec.pattern else None
        parts = found.groupdict() if found else {}
        fields = row | (item if isinstance(item, dict) else {}) | {"picture": name} | parts
        try:
            return spec.name.format_map({key: str(value) for key, value in fields.items()})
        except (KeyError, ValueError, IndexError) as error:
            raise RowError(Reason.MISSING_PICTURE, f"{spec.name!r} can't be written: {error!r}") from None
    if not isinstance(name, str) or not name.strip():
        raise RowError(Reason.MISSING_PICTURE, f"{path!r} is {item!r:.60}, not a file's name")
    return name
