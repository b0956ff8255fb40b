"""Pictures that are read when they are needed: beside the tables, in an archive, or inside a Parquet row."""

from __future__ import annotations

import itertools
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, cast

from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_bytes
from lingshu.core.question import PictureFile
from lingshu.intake.archive import Archive
from lingshu.intake.errors import Reason, RowError
from lingshu.intake.lfs import check_content
from lingshu.intake.name_ends import NameEnds
from lingshu.intake.parquet_rows import EmbeddedPicture
from lingshu.intake.places import Files
from lingshu.intake.shapes import Pictures
from lingshu.intake.values import Row, value_at

NAMES_KNOWN = 1 << 16


class _OnDisk(ABC):
    """A picture that is a file of its own."""

    __slots__ = ()
    name: str

    @abstractmethod
    def path(self) -> Path:
        """Return where it lies.

        Raises:
            UserError: there is no such file, or it can't be had.
        """

    def size(self) -> int | None:
        """Return the file's bytes, or None where that is known only after it was read."""
        try:
            return self.path().stat().st_size
        except OSError:
            return None

    def read(self) -> bytes:
        """See `PictureFile.read`."""
        try:
            data = self.path().read_bytes()
        except OSError as error:
            raise UserError(f"{self.name}: can't be read: {error.strerror}", "check the file") from None
        check_content(data, self.name)
        return data


@dataclass(slots=True)
class StoredPicture(_OnDisk):
    """A file of a place."""

    name: str
    files: Files = field(repr=False)

    def path(self) -> Path:
        """Return where the file lies, or raise as `Files.path`."""
        return self.files.path(self.name)


@dataclass(slots=True)
class LocatedPicture(_OnDisk):
    """A file of which it is known where it lies, or why it can't be had."""

    name: str
    place: Path | UserError

    def path(self) -> Path:
        """Return where the file lies, or raise why it can't be had."""
        if isinstance(self.place, UserError):
            raise self.place
        return self.place


@dataclass(slots=True)
class HeldPicture:
    """A picture that was read, as far as it is not too large, or why it could not be."""

    name: str
    length: int | None
    data: bytes | UserError = field(repr=False)

    def size(self) -> int | None:
        """Return the file's bytes, or None where nothing but its bytes told that."""
        return self.length

    def read(self) -> bytes:
        """See `PictureFile.read`."""
        if isinstance(self.data, UserError):
            raise self.data
        return self.data


@dataclass(slots=True)
class ZippedPicture:
    """A member of an archive."""

    name: str
    archive: Archive = field(repr=False)

    def size(self) -> int | None:
        """See `StoredPicture.size`."""
        return self.archive.size(self.name)

    def read(self) -> bytes:
        """See `PictureFile.read`."""
        return self.archive.read(self.name)


@dataclass(slots=True)
class AbsentPicture:
    """A picture that a row names and no file holds, where nobody is to look at it."""

    name: str
    place: str

    def size(self) -> int | None:
        """See `StoredPicture.size`."""
        return None

    def read(self) -> bytes:
        """Raise `UserError`: there is nothing to read."""
        raise UserError(f"{self.name}: not in {self.place}", "pictures lie beside the tables, or in an archive there")


FoundPicture = AbsentPicture | StoredPicture | LocatedPicture | ZippedPicture | EmbeddedPicture | HeldPicture


def picture_key(picture: PictureFile) -> str:
    """Return what tells two pictures apart: the file's name, or a digest of the bytes where a row holds them."""
    return f"sha256:{sha256_bytes(picture.read())[:20]}" if isinstance(picture, EmbeddedPicture) else picture.name


class PictureFinder:
    """Finds the pictures that rows name, in a place's folders first, then in its archives.

    Folders are looked for in the place itself, then beside the tables and in the folders above them: a user's folder
    often holds the data set's own one. A file that lies in none of them is found by the end of its path, if it is the
    only one below the outermost folder that holds the tables: people put pictures into folders by split, and other
    systems spell names otherwise.

    Args:
        files: the place.
        spec: where pictures are.
        tables: names of the tables whose rows name them.
        needed: one that is missing is an error; else it is an `AbsentPicture`, counted in `absent`.

    Attributes:
        absent: names of pictures that are not there.
        elsewhere: files that were found by the end of their path.
    """

    def __init__(self, files: Files, spec: Pictures, tables: Sequence[str] = (), *, needed: bool = True) -> None:
        self.absent: set[str] = set()
        self.elsewhere: set[str] = set()
        self._needed = needed
        self._files = files
        self._spec = spec
        above = _above(tables)
        self._folders = [folder if folder != "." else "" for folder in spec.folders] + [
            f"{outer}/{folder}" if folder != "." else outer for outer in above for folder in spec.folders
        ]
        self._below = f"{above[-1]}/**/*" if above else "**/*"
        self._looked_up = lru_cache(NAMES_KNOWN)(self._found)  # rows of one picture stand together

    @cached_property
    def _ends(self) -> NameEnds:
        return NameEnds(self._files.match(self._below))

    @cached_property
    def _archives(self) -> list[Archive]:
        names = {name for pattern in self._spec.archives for name in self._files.match(pattern)}
        return [Archive(self._files.path(name), name) for name in sorted(names)]

    def find(self, name: str) -> AbsentPicture | StoredPicture | ZippedPicture:
        """Return the picture called `name`.

        Raises:
            RowError: no folder and no archive has it, and it is needed.
        """
        name += self._spec.suffix
        wanted = PurePosixPath(name).name if self._spec.flat else name
        for ending in ("", *self._spec.endings):
            found = self._looked_up(str(PurePosixPath(wanted).with_suffix(ending)) if ending else wanted)
            if found is not None:
                return found
        if not self._needed:
            self.absent.add(wanted)
            return AbsentPicture(wanted, self._files.label)
        if ends := sorted(self._ends.find(wanted)):
            known = f"may be {' or '.join(ends[:3])}" if len(ends) > 1 else "is a link that leads nowhere"
            raise RowError(Reason.MISSING_PICTURE, f"{name} {known}")
        places = ", ".join((*(f"{folder}/" for folder in self._spec.folders), *self._spec.archives))
        raise RowError(Reason.MISSING_PICTURE, f"{name} is not in {places}")

    def _found(self, name: str) -> StoredPicture | ZippedPicture | None:
        for folder in self._folders:
            inside = f"{folder}/{name}" if folder else name
            if self._files.has(inside):
                return StoredPicture(inside, self._files)
        for archive in self._archives:
            if (member := archive.find(name)) is not None:
                return ZippedPicture(member, archive)
        if len(ends := self._ends.find(name)) == 1 and self._files.has(ends[0]):
            self.elsewhere.add(ends[0])
            return StoredPicture(ends[0], self._files)
        return None


def _above(tables: Sequence[str]) -> list[str]:
    """Return the folder that holds all the tables, and those above it, the place itself excepted."""
    parents = [PurePosixPath(name.partition("!/")[0]).parent.parts for name in tables]
    if not parents:
        return []
    first, last = min(parents), max(parents)
    common = list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
    parts = [part for part, _ in common]
    return ["/".join(parts[:depth]) for depth in range(len(parts), 0, -1)]


def row_pictures(spec: Pictures | None, row: Row, finder: PictureFinder | None) -> tuple[FoundPicture, ...]:
    """Return the pictures of a row, in order.

    Args:
        spec: where they are; None for a form without pictures.
        row: as read.
        finder: of the pictures that rows name; may be None where the rows hold them.

    Raises:
        RowError: one is missing, or the row names none and must.
    """
    if spec is None:
        return ()
    found: list[FoundPicture] = []
    for path in spec.fields:
        value = value_at(row, path, None)
        for item in value if isinstance(value, list) else [value]:
            if item is None or item == "":
                continue
            if spec.embedded and not isinstance(item, str):
                found.append(cast("EmbeddedPicture", item))
            elif finder is None:
                raise RowError(Reason.MISSING_PICTURE, f"{path!r} is {item!r:.60} and holds no bytes")
            else:
                found.append(finder.find(_name(spec, item, path, row)))
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
