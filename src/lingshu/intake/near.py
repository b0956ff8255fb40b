"""A user's folder for a data set: its files may lie in a folder below it, or below the folder above it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from lingshu.core.errors import UserError
from lingshu.intake.places import Files, FolderFiles
from lingshu.intake.rows import is_there
from lingshu.intake.shapes import TableForm

_DEPTH = 3  # folders below
_MOST = 2000  # folders that are looked at


def folder_near(name: str, folder: Path, forms: Sequence[TableForm], beside: Files | None = None) -> FolderFiles | None:
    """Return the one folder near `folder` that holds the files of a form, None if there is none.

    Near is the folder above, where `folder` bears the name of the layout's own ("data" of `data/test-*.parquet`), and
    those below it.

    Args:
        name: of the data set.
        folder: the user's.
        forms: of the data set.
        beside: holds tables of the project's own that complete rows.

    Raises:
        UserError: several folders below hold such files.
    """
    own = {table.partition("/")[0] for form in forms for table in form.tables if "/" in table}
    above = folder.resolve().parent
    if folder.resolve().name in own and _is_there(files := FolderFiles(above), forms, beside):
        return files
    found: list[FolderFiles] = []
    for below in _below(folder):
        inside = any(below.is_relative_to(one.folder) for one in found)
        if not inside and _is_there(files := FolderFiles(below), forms, beside):
            found.append(files)
    if len(found) > 1:
        where = ", ".join(one.label for one in found[:4])
        raise UserError(f"{name}: several folders below {folder} hold its files: {where}", "give one of them")
    return found[0] if found else None


def _is_there(files: Files, forms: Sequence[TableForm], beside: Files | None) -> bool:
    return any(is_there(files, form, beside) for form in forms)


def _below(folder: Path) -> Iterator[Path]:
    """Yield the folders below, outer ones first, no deeper than `_DEPTH` and no more than `_MOST`."""
    level, count = [folder], 0
    for _ in range(_DEPTH):
        level = [
            Path(entry.path)
            for one in level
            for entry in sorted(os.scandir(one), key=lambda entry: entry.name)
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
        ]
        for below in level:
            count += 1
            if count > _MOST:
                return
            yield below
