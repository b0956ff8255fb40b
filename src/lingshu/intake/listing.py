"""What a place holds: a list of files with what is known of each before it is downloaded, at one revision."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Protocol

from lingshu.core.errors import UserError
from lingshu.core.half_pairs import has_half_pair
from lingshu.core.params import Strict
from lingshu.intake.meter import Moved
from lingshu.intake.place import safe
from lingshu.intake.places import matching


class RemoteFile(Strict):
    """One file of a place.

    Attributes:
        name: path with forward slashes, relative to the place.
        bytes: size, where the place says it.
        sha256: where the place or the record says it.
        version: what else tells its content: an ETag, or the hub's digest of a small file.
    """

    name: str
    bytes: int | None = None
    sha256: str = ""
    version: str = ""


class Listing(Strict):
    """The files of a place that a record takes, sorted by name.

    Attributes:
        place: in words.
        revision: commit or version of all of it, where the place has one.
        files: sorted by name.
    """

    place: str
    revision: str = ""
    files: list[RemoteFile]


class Remote(Protocol):
    """A place that files are downloaded from."""

    def listing(self) -> Listing:
        """Return what is to be downloaded.

        Raises:
            UserError: the place can't be reached, says no, or has no such files.
        """
        ...

    def fetch(self, file: RemoteFile, target: Path, moved: Moved) -> None:
        """Write the file to `target`, whole or not at all, going on from what an earlier attempt left.

        Raises:
            UserError: it can't be had, is not what the listing says, or can't be written.
        """
        ...


def chosen(subject: str, names: Iterable[str], patterns: list[str]) -> list[str]:
    """Return the names that are taken, sorted; every pattern must find one, and none may lead out of its folder.

    Raises:
        UserError: a pattern finds nothing, or a name is not a safe path.
    """
    known = list(names)
    for pattern in patterns:
        if not matching(known, pattern):
            raise UserError(
                f"{subject}: no file {pattern!r} among {len(known)}",
                "correct `files` in the record, or its revision if the files were renamed upstream",
            )
    taken = sorted({name for pattern in patterns or ["**/*"] for name in matching(known, pattern)})
    others = frozenset(taken)
    for name in taken:
        if not safe(name) or has_half_pair(name) or _clashes(name, others):
            raise UserError(f"{subject}: can't keep file name {name!r}", "leave it out by `files` in the record")
    if not taken:
        raise UserError(f"{subject}: holds no files", "correct the record")
    return taken


def _clashes(name: str, others: frozenset[str]) -> bool:
    """Whether another file has the name of one of its folders, or of its part while it is downloaded."""
    return f"{name}.part" in others or any(str(parent) in others for parent in PurePosixPath(name).parents)
