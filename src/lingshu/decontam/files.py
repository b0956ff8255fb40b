"""The files of an input, by the names that pairs.csv gives them: on disk, or members of archives, which stay packed.

A member is called `ARCHIVE!/PATH`. Pictures are read out of the archive one by one; a table or a scan, which its reader
wants as a file, is laid into a temporary folder under a number, so that a member's own name can lead nowhere.
"""

from __future__ import annotations

import gzip
import shutil
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath

from lingshu.core.errors import UserError
from lingshu.decontam.records import Tally
from lingshu.intake.archive import TAR_ENDINGS, Archive
from lingshu.intake.places import walk
from lingshu.intake.values import printable

ARCHIVE_ENDINGS = (".zip", *TAR_ENDINGS)
PACKED = ".gz"  # of a single file
PACKED_SCAN = ".nii.gz"  # is read as it is
OPEN_ARCHIVES = 32  # a compressed tar is uncompressed again where more are in turn
CHUNK_BYTES = 1 << 20
LEAST_FREE = 1 << 30  # bytes that stay free on the temporary folder's disk
NOT_DATA = ("__MACOSX/",)


@lru_cache(OPEN_ARCHIVES)
def _opened(path: Path) -> Archive:
    return Archive(path)


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file, and a `PictureFile` where it is a picture.

    Attributes:
        name: as the user would find it: the path as given, or `ARCHIVE!/MEMBER`.
        path: of the file, or of the archive that holds it.
        member: its path in the archive, else "".
    """

    name: str
    path: Path
    member: str = ""

    @property
    def last(self) -> str:
        """The name without folders."""
        return PurePosixPath(self.member).name if self.member else self.path.name

    @property
    def key(self) -> str:
        """What tells files apart, whatever way led to them."""
        return self.name if self.member else str(self.path.resolve())

    def begins(self, number: int) -> bytes:
        """Return the first bytes, up to `number`."""
        if self.member:
            return next(_opened(self.path).chunks(self.member), b"")[:number]
        with self.path.open("rb") as handle:
            return handle.read(number)

    def read(self) -> bytes:
        """See `PictureFile.read`."""
        if self.member:
            return _opened(self.path).read(self.member)
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise UserError(f"{self.path}: can't be read: {error.strerror}", "check the file") from None


@dataclass(slots=True)
class Scratch:
    """Lays files that are inside others into a temporary folder, for as long as the run needs them."""

    folder: Path
    _laid: dict[str, Path] = field(default_factory=dict)
    _kept: int = 0

    def keep(self, data: bytes) -> Path:
        """Return a file that holds these bytes; errors as `path`."""
        self._kept += 1
        place = self.folder / "rows" / str(self._kept)
        place.parent.mkdir(exist_ok=True)
        self._write("pictures inside rows", place, iter([data]))
        return place

    def path(self, file: InputFile) -> Path:
        """Return where the file can be opened, unpacked: itself, or a copy in the folder.

        Raises:
            UserError: the archive is damaged, or the disk has no room for what it unpacks to.
        """
        packed = file.last.endswith(PACKED) and not file.last.endswith(PACKED_SCAN)
        if not file.member and not packed:
            return file.path
        if file.name not in self._laid:
            place = self.folder / str(len(self._laid)) / (file.last.removesuffix(PACKED) if packed else file.last)
            place.parent.mkdir()
            self._laid[file.name] = self._lay(file, place, packed=packed)
        return self._laid[file.name]

    def _lay(self, file: InputFile, place: Path, *, packed: bool) -> Path:
        inside = file.path
        if file.member:
            inside = place.with_name("packed") if packed else place
            self._check_room(file.name, _opened(file.path).size(file.member))
            self._write(file.name, inside, _opened(file.path).chunks(file.member))
        if packed:
            try:
                with gzip.open(inside) as source:
                    self._write(file.name, place, iter(partial(source.read, CHUNK_BYTES), b""))
            except (OSError, EOFError, ValueError, zlib.error) as error:
                raise UserError(f"{file.name}: can't be unpacked: {error}", "get the file again") from None
        return place

    def _write(self, name: str, place: Path, chunks: Iterator[bytes]) -> None:
        with place.open("wb") as target:
            for chunk in chunks:
                self._check_room(name, len(chunk))
                target.write(chunk)

    def _check_room(self, name: str, number: int) -> None:
        if number + LEAST_FREE > shutil.disk_usage(self.folder).free:
            raise UserError(f"{name}: no room to unpack it in {self.folder}", "set TMPDIR to a folder of a larger disk")


def list_files(path: Path, tally: Tally, without: Collection[Path] = ()) -> list[InputFile]:
    """Return a file, or the files of a folder and those below it by path, with the members of archives in their place.

    Links to folders are followed. An archive that can't be opened and a link that leads nowhere are noted in the tally.

    Args:
        path: of the file or folder.
        tally: of the input.
        without: whole paths of files that are none of it.
    """
    on_disk = [path] if path.is_file() else sorted(path / name for name in walk(path))
    found: list[InputFile] = []
    for file in on_disk:
        if not file.is_file():
            tally.problem(printable(str(file)), "a link that leads nowhere")
            continue
        if without and file.resolve() in without:
            continue
        if not file.name.lower().endswith(ARCHIVE_ENDINGS):
            found.append(InputFile(printable(str(file)), file))
            continue
        try:
            found += _members(file)
        except UserError as error:
            tally.problem(printable(str(file)), printable(error.what))
    return found


def _members(archive: Path) -> Iterator[InputFile]:
    for member in sorted(_opened(archive).members()):
        if not member.startswith(NOT_DATA):
            yield InputFile(printable(f"{archive}!/{member}"), archive, member)
