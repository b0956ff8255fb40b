"""An archive of the user as a place of files: a member is copied to a temporary folder when it is asked for.

The copies bear names of our own, so that no member's name leads anywhere; they go when the place goes.
"""

from __future__ import annotations

import re
import tempfile
from functools import cached_property
from pathlib import Path

from lingshu.core.errors import UserError
from lingshu.intake.archive import TAR_ENDINGS, Archive
from lingshu.intake.places import Files, FolderFiles, OwnNames

UNFINISHED = (".part", ".partial", ".incomplete", ".crdownload", ".download", ".aria2", ".filepart")
ARCHIVE_ENDINGS = (".zip", *TAR_ENDINGS)
_ENDING = re.compile(r"(?:\.nii|\.tar)?\.[^./]{1,16}$", re.IGNORECASE)  # that tells a reader what a copy is


class ArchiveFiles:
    """A zip or tar file; the names are its members'."""

    def __init__(self, path: Path) -> None:
        self.label = str(path)
        self._archive = Archive(path, path.name)  # what verdicts say does not depend on where it lies
        self._copies = tempfile.TemporaryDirectory(prefix="lingshu-archive-")

    @cached_property
    def _members(self) -> dict[str, str]:
        """Members by name; `tar -C folder .` writes `./` before each."""
        return {name.removeprefix("./"): name for name in self._archive.members()}

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self._members)}

    @cached_property
    def _names(self) -> OwnNames:
        return OwnNames(self._places)

    def match(self, pattern: str) -> list[str]:
        """See `Files.match`."""
        return self._names.match(pattern)

    def has(self, name: str) -> bool:
        """See `Files.has`."""
        return name in self._places

    def path(self, name: str) -> Path:
        """See `Files.path`."""
        if name not in self._places:
            raise UserError(f"{self.label}!/{name}: no such file", "check that the archive is complete")
        ending = _ENDING.search(name)
        copy = Path(self._copies.name) / f"{self._places[name]}{ending[0] if ending else ''}"
        if not copy.exists():
            self._archive.copy(self._members[name], copy)
        return copy


def unfinished(files: Files) -> list[str]:
    """Return the names of files that a browser or a download program has not brought to their end."""
    return [name for name in files.match("**/*") if name.lower().endswith(UNFINISHED)]


def brought_files(path: Path) -> Files:
    """Return a folder, or a zip or tar file, as a place of files.

    Raises:
        UserError: there is no such folder, and it is no archive that can be read.
    """
    if path.is_file() and not path.name.lower().endswith(ARCHIVE_ENDINGS):
        raise UserError(
            f"{path}: is neither a folder nor a zip or tar file",
            f"give the folder it lies in ({path.parent}); unpack other archives, and give that folder",
        )
    return ArchiveFiles(path) if path.is_file() else FolderFiles(path)
