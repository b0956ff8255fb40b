"""A user's folder for a benchmark: its files may lie in a folder below it, or below the folder above it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from lingshu.benchmarks.public.forms import Form
from lingshu.core.errors import UserError
from lingshu.intake.places import FolderFiles
from lingshu.intake.rows import find_source

_DEPTH = 3  # folders below
_MOST = 2000  # folders that are looked at


def folder_near(name: str, folder: Path, forms: Sequence[Form]) -> FolderFiles | None:
    """Return the one folder near `folder` that holds the files of a form, None if there is none.

    Near is the folder above, where `folder` bears the name of the layout's own ("data" of `data/test-*.parquet`), and
    those below it.

    Raises:
        UserError: several folders below hold such files.
    """
    own = {table.partition("/")[0] for form in forms for table in form.tables if "/" in table}
    above = folder.resolve().parent
    if folder.resolve().name in own and find_source(files := FolderFiles(above), forms):
        return files
    found: list[FolderFiles] = []
    for below in _below(folder):
        inside = any(below.is_relative_to(one.folder) for one in found)
        if not inside and find_source(files := FolderFiles(below), forms):
            found.append(files)
    if len(found) > 1:
        where = ", ".join(one.label for one in found[:4])
        raise UserError(f"{name}: several folders below {folder} hold its files: {where}", "give one of them")
    return found[0] if found else None


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
