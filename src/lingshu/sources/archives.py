"""Taking listed files out of an archive (wheel, zip, tar.gz, a zip inside one), with its names and sizes distrusted.

Nothing is written outside the target folder, no link is followed, and unpacking stops at a limit, so that a wrong
record or a hostile archive costs an error message and no more.
"""

from __future__ import annotations

import difflib
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from lingshu.core.errors import UserError
from lingshu.core.files import atomic_path
from lingshu.sources.catalog import NESTED, matches, safe_inner_path

MAX_UNPACKED_BYTES = 1 << 30
CHUNK_BYTES = 1 << 20
NEAR_NAMES = 3
DAMAGE = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, NotImplementedError)


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive; `open` may be called once, before the next member is asked for."""

    path: str
    is_link: bool
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern of the catalogue: `inner` is set when it names files of an archive inside the archive."""

    text: str
    outer: str
    inner: str


@dataclass(slots=True)
class Unpacking:
    """One run over one archive: what is wanted, what was found, and how much may still be written."""

    archive: str
    out: Path
    patterns: list[Pattern]
    bytes_left: int
    found: dict[str, list[str]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def error(self, what: str, fix: str = "correct the record in catalog/, or leave the file out") -> UserError:
        """Return an error about this archive."""
        return UserError(f"{self.archive}: {what}", fix)


def extract(archive: Path, patterns: list[str], out: Path, limit: int = MAX_UNPACKED_BYTES) -> list[str]:
    """Write the files that match `patterns` to `out/<inner path>`; return their paths below `out`, sorted.

    A nested pattern `a.zip!/b` is written to `out/a.zip/b`.

    Args:
        archive: a wheel, zip or tar.gz.
        patterns: see `lingshu.sources.catalog`.
        out: folder that gets the files.
        limit: most bytes that may be unpacked in all.

    Raises:
        UserError: the archive is damaged, a pattern matches nothing, or a matched file is a link, leads outside `out`
            or exceeds the limit.
    """
    split = [Pattern(text, *text.partition(NESTED)[::2]) for text in patterns]
    state = Unpacking(archive.name, out, split, limit, {text: [] for text in patterns})
    try:
        with archive.open("rb") as handle:
            for member in _tar_members(handle) if archive.name.endswith(".tar.gz") else _zip_members(handle):
                _visit(state, member)
    except DAMAGE as error:
        what = f"damaged or cut off ({type(error).__name__}: {error})"
        raise state.error(what, "delete it and run the command again") from None
    for text, paths in state.found.items():
        if not paths:
            near = difflib.get_close_matches(text, state.names, n=NEAR_NAMES, cutoff=0.3)
            raise state.error(f"no file matches {text!r}; the nearest are {', '.join(near) or 'none'}")
    return sorted({path for paths in state.found.values() for path in paths})


def _visit(state: Unpacking, member: Member) -> None:
    """Write the member if a pattern asks for it, or the wanted files inside it."""
    state.names.append(member.path)
    hits = [p for p in state.patterns if matches(p.outer, member.path)]
    if not hits:
        return
    _check(state, member)
    plain, nested = [p for p in hits if not p.inner], [p for p in hits if p.inner]
    if plain:
        _write(state, member, member.path, plain)
    if nested:
        _visit_inside(state, member, nested)


def _visit_inside(state: Unpacking, member: Member, patterns: list[Pattern]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "inner.zip"
        _copy(state, member, path)
        with path.open("rb") as handle:
            for nested in _zip_members(handle):
                state.names.append(f"{member.path}{NESTED}{nested.path}")
                hits = [p for p in patterns if matches(p.inner, nested.path)]
                if hits:
                    _check(state, nested)
                    _write(state, nested, f"{member.path}/{nested.path}", hits)


def _check(state: Unpacking, member: Member) -> None:
    if member.is_link or not safe_inner_path(member.path):
        raise state.error(f"{member.path!r} is a link or leads outside the folder, so it was not unpacked")


def _write(state: Unpacking, member: Member, path: str, patterns: list[Pattern]) -> None:
    _copy(state, member, state.out / path)
    for pattern in patterns:
        state.found[pattern.text].append(path)


def _copy(state: Unpacking, member: Member, path: Path) -> None:
    """Copy the member to `path` atomically, and stop where the limit is reached, whatever size its header claims."""
    with member.open() as stream, atomic_path(path) as temporary, temporary.open("wb") as handle:
        while chunk := stream.read(CHUNK_BYTES):
            state.bytes_left -= len(chunk)
            if state.bytes_left < 0:
                raise state.error(f"unpacks to more bytes than are allowed; stopped in {member.path!r}")
            handle.write(chunk)


def _zip_members(handle: IO[bytes]) -> Iterator[Member]:
    with zipfile.ZipFile(handle) as opened:
        for info in opened.infolist():
            if not info.is_dir():
                yield Member(info.filename, stat.S_ISLNK(info.external_attr >> 16), _opener(opened, info))


def _opener(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: opened.open(info)


def _tar_members(handle: IO[bytes]) -> Iterator[Member]:
    with tarfile.open(fileobj=handle, mode="r|gz") as opened:
        for info in opened:
            if not info.isdir():
                yield Member(info.name, not info.isreg(), _tar_opener(opened, info))


def _tar_opener(opened: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
    def read() -> IO[bytes]:
        stream = opened.extractfile(info)
        assert stream is not None, "only regular files get here"
        return stream

    return read
