"""Archives whose members are read one by one, by name: zip, and tar plain or compressed. Nothing is unpacked to a path.

So a member's name can lead nowhere, and a link is no file.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import stat
import struct
import tarfile
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Protocol

from lingshu.core.errors import UserError
from lingshu.core.files import DISK_FULL
from lingshu.intake.lfs import check_file
from lingshu.intake.name_ends import NameEnds

TAR_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
CHUNK_BYTES = 1 << 20
UTF8_FLAG = 0x800
_WINDOWS = 0  # what a member of a zip says of the system that made it; no name there has a backslash
# zipfile and tarfile raise what their parsers stumble over: a broken archive is an error that names it.
_DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError,
    LookupError, ArithmeticError, MemoryError, lzma.LZMAError,
)  # fmt: skip


def _full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in DISK_FULL


class NoRoomError(UserError):
    """The disk of temporary files is full: no fault of the member that is copied there."""


class _Members(Protocol):
    sizes: dict[str, int]

    def read(self, member: str) -> bytes: ...

    def open(self, member: str) -> IO[bytes]: ...


class _Zip:
    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)
        infos = [i for i in self._zip.infolist() if not (i.is_dir() or stat.S_ISLNK(i.external_attr >> 16))]
        named = zip(_with_slashes(infos, _names_in(infos)), infos, strict=True)
        self._infos = {name: info for name, info in named if not name.endswith("/")}
        self.sizes = {name: info.file_size for name, info in self._infos.items()}

    def read(self, member: str) -> bytes:
        return self._zip.read(self._infos[member])

    def open(self, member: str) -> IO[bytes]:
        return self._zip.open(self._infos[member])


def _names_in(infos: list[zipfile.ZipInfo]) -> list[str]:
    """Return the members' names; where they don't say their coding, as macOS (UTF-8) or Chinese Windows writes them.

    One coding for all of an archive: bytes of short Chinese names are often valid in both. Letters of western Windows
    are often valid Chinese too, but of characters that hardly anybody writes: names without a common one are none.
    """
    names = [info.filename for info in infos]
    silent = [n for n, info in enumerate(infos) if not (info.flag_bits & UTF8_FLAG or info.filename.isascii())]
    for coding in ("utf-8", "gb18030"):
        try:  # cp437 is what the standard has such names mean
            told = {n: infos[n].orig_filename.encode("cp437").decode(coding) for n in silent}
        except UnicodeError:
            continue
        if coding == "utf-8" or any(map(_common_chinese, "".join(told.values()))):
            return [told.get(n, name) for n, name in enumerate(names)]
    return names


def _common_chinese(character: str) -> bool:
    return not character.isascii() and bool(character.encode("gb2312", "ignore"))


def _with_slashes(infos: list[zipfile.ZipInfo], names: list[str]) -> list[str]:
    """Return the names with slashes between folders, where a program of Windows wrote backslashes."""
    none = not any("/" in name for name in names)
    windows = (none or info.create_system == _WINDOWS for info in infos)
    return [name.replace("\\", "/") if there else name for name, there in zip(names, windows, strict=True)]


_OPENERS: dict[str, Callable[[Path], IO[bytes]]] = {
    ".bz2": bz2.open, ".tbz2": bz2.open, ".xz": lzma.open, ".txz": lzma.open,
}  # fmt: skip


class _Tar:
    """A tar file; a compressed one is uncompressed once into a temporary file, so that any member can be read."""

    def __init__(self, path: Path) -> None:
        self._handle: IO[bytes] = path.open("rb") if path.suffix.lower() == ".tar" else self._uncompressed(path)
        with tarfile.open(fileobj=self._handle, mode="r:") as opened:
            infos = [info for info in opened if info.isreg()]
        self._places = {info.name: info.offset_data for info in infos}
        self.sizes = {info.name: info.size for info in infos}
        self._lock = threading.Lock()

    @staticmethod
    def _uncompressed(path: Path) -> IO[bytes]:
        spool: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - kept as long as the archive
        with _OPENERS.get(path.suffix.lower(), gzip.open)(path) as handle:
            shutil.copyfileobj(handle, spool, CHUNK_BYTES)
        spool.seek(0)
        return spool

    def read(self, member: str) -> bytes:
        return self.part(self._places[member], self.sizes[member])

    def open(self, member: str) -> IO[bytes]:
        return io.BufferedReader(_TarMember(self, self._places[member], self.sizes[member]), CHUNK_BYTES)

    def part(self, place: int, size: int) -> bytes:
        """Return the bytes at a place.

        Raises:
            EOFError: there are fewer.
        """
        with self._lock:
            self._handle.seek(place)
            data = self._handle.read(size)
        if len(data) < size:
            raise EOFError("it is cut off")
        return data


class _TarMember(io.RawIOBase):
    """A member as a stream, a piece at a time."""

    def __init__(self, tar: _Tar, place: int, size: int) -> None:
        self._tar, self._place, self._left = tar, place, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._tar.part(self._place, min(len(buffer), self._left))
        buffer[: len(data)] = data
        self._place += len(data)
        self._left -= len(data)
        return len(data)


class Archive:
    """An archive that is opened once, and whose members are found by the end of their path.

    Args:
        path: of the file.
        name: of it in messages, where the user knows it by another than its path.

    Raises:
        UserError: the file is no archive, or is damaged (when it is first looked into).
    """

    def __init__(self, path: Path, name: str = "") -> None:
        self.path = path
        self._name = name or str(path)

    @cached_property
    def _inside(self) -> _Members:
        is_tar = self.path.name.lower().endswith(TAR_ENDINGS)
        try:
            check_file(self.path, self._name)
            return _Tar(self.path) if is_tar else _Zip(self.path)
        except _DAMAGE as error:
            if _full(error):
                raise self._no_room(error) from None
            kind = "tar" if is_tar else "zip"
            raise UserError(
                f"{self._name}: not a {kind} archive that can be read: {error}", "get it again; it may be cut"
            ) from None

    @cached_property
    def _ends(self) -> NameEnds:
        return NameEnds(self.members())

    def members(self) -> list[str]:
        """Return the names of the files inside; links are none."""
        return list(self._inside.sizes)

    def find(self, name: str) -> str | None:
        """Return the member whose path is or ends with `name` (the shortest one; see `NameEnds`), or None."""
        return min(self._ends.find(name), key=lambda member: (len(member), member), default=None)

    def size(self, member: str) -> int:
        """Return a member's bytes when unpacked, as the archive says (and no more are ever unpacked)."""
        return self._inside.sizes[member]

    def read(self, member: str) -> bytes:
        """Return a member's bytes.

        Raises:
            UserError: the member is missing or broken.
        """
        try:
            return self._inside.read(member)
        except _DAMAGE as error:
            raise self._unread(member, error) from None

    def open(self, member: str) -> IO[bytes]:
        """Return a member as a stream, so that a large one needs no memory; reading it may raise what a file's may.

        Raises:
            UserError: the member is missing or broken.
        """
        try:
            return self._inside.open(member)
        except _DAMAGE as error:
            raise self._unread(member, error) from None

    def chunks(self, member: str) -> Iterator[bytes]:
        """Yield a member's bytes, a mebibyte at a time.

        Raises:
            UserError: as `read`.
        """
        try:
            with self._inside.open(member) as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    yield chunk
        except _DAMAGE as error:
            raise self._unread(member, error) from None

    def copy(self, member: str, path: Path) -> None:
        """Write a member to a file.

        Raises:
            UserError: the member is missing or broken; `NoRoomError` if the disk is full.
        """
        try:
            with self._inside.open(member) as stream, path.open("wb") as handle:
                shutil.copyfileobj(stream, handle, CHUNK_BYTES)
        except _DAMAGE as error:
            path.unlink(missing_ok=True)
            raise (self._no_room(error) if _full(error) else self._unread(member, error)) from None

    def _no_room(self, error: Exception) -> NoRoomError:
        return NoRoomError(
            f"{self._name}: its files can't be copied to {tempfile.gettempdir()}: {error}",
            "free space there, set TMPDIR to a folder with more, or unpack the archive and pass the folder",
        )

    def _unread(self, member: str, error: Exception) -> UserError:
        return UserError(f"{self._name}!/{member}: can't be read: {error}", "get the archive again")
