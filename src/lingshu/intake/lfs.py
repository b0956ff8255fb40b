"""Pointers of Git LFS: what `git clone` leaves in the place of large files where Git LFS is not installed."""

from __future__ import annotations

from pathlib import Path

from lingshu.core.errors import UserError

POINTER = b"version https://git-lfs.github.com/spec/"


def check_content(data: bytes, name: str) -> None:
    """Raise a `UserError` that names the file, if these bytes begin a pointer."""
    if data.startswith(POINTER):
        raise UserError(
            f"{name}: is a pointer of Git LFS, not the file itself",
            "run `git lfs pull` in its repository, or download it",
        )


def check_file(path: Path, name: str = "") -> None:
    """Raise a `UserError` that names the file (as the user knows it), if it is a pointer.

    Raises:
        OSError: it can't be opened.
    """
    with path.open("rb") as handle:
        check_content(handle.read(len(POINTER)), name or str(path))
