"""Atomic writing: a file is either absent, as it was, or complete; what is no file is never replaced by one."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from lingshu.core.errors import UserError

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DEVICES = (Path("/dev"), Path("/proc"))
_SHARED_MEMORY = Path("/dev/shm")


def check_file(path: Path) -> None:
    """Find out, before the work, that no file can be written as `path`.

    Raises:
        UserError: it is a folder, a device or a pipe (also one that `/dev` or `/proc` names), or its folder can't be
            made or written.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        mode = stat.S_IFREG
    except OSError as error:
        raise _not_written(path, str(error.strerror), "name a file that can be written") from None
    if stat.S_ISDIR(mode):
        raise _not_written(path, "it is a folder", "name a file")
    # A finished file takes the path's place: as root, that of /dev/null or /dev/stdout too.
    if not stat.S_ISREG(mode) or _names_device(path):
        raise _not_written(path, "it is a device or a pipe", "name a file")
    check_folder(path.parent, path)


def check_files(outputs: Iterable[Path | None], inputs: Iterable[Path]) -> None:
    """Find out, before the work, that outputs (None is none) can't be written, or would overwrite what is read.

    Raises:
        UserError: as `check_file`; or an output is an input, or two are the same file.
    """
    taken = {os.path.realpath(path): "an input" for path in inputs}
    for path in outputs:
        if path is None:
            continue
        check_file(path)
        real = os.path.realpath(path)
        if real in taken:
            raise _not_written(path, f"it would overwrite {taken[real]}", "name another file")
        taken[real] = "another output"


def check_folder(folder: Path, for_file: Path | None = None) -> None:
    """Make `folder` if it is not there, and find out, before the work, that nothing can be written into it.

    Raises:
        UserError: it, or a folder above it, is a file or can't be made, or it can't be written (names `for_file`, if
            that is what it is for).
    """
    named = for_file or folder
    fix = "name a file that can be written" if for_file else "name a folder that can be written"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise _not_written(named, f"{folder} is no folder" if for_file else "it is no folder", fix) from None
    except OSError as error:
        raise _not_written(named, str(error.strerror), fix) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _not_written(named, f"{folder} is not writable" if for_file else "it is not writable", fix)


def listed(folder: Path, pattern: str) -> list[Path]:
    """Return what lies in a folder under names like `part-*.parquet`, sorted; nothing where there is no such folder.

    Raises:
        PermissionError: the folder can't be listed, of which `Path.glob` says nothing.
    """
    try:
        return sorted(path for path in folder.iterdir() if fnmatchcase(path.name, pattern))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _names_device(path: Path) -> bool:
    """Tell whether a path lies where the system keeps devices: /dev/stdout may lead to a file, but is none."""
    folder = Path(os.path.realpath(path.parent))
    return any(folder.is_relative_to(place) for place in _DEVICES) and not folder.is_relative_to(_SHARED_MEMORY)


def _not_written(path: Path, reason: str, fix: str) -> UserError:
    return UserError(f"{path}: can't be written: {reason}", fix)


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path`, on any error it is removed.

    Raises:
        UserError: no file can take that place (see `check_file`), the disk is full (no half-written file is left), or
            the folder can't be written.
    """
    check_file(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.errno not in DISK_FULL and error.filename != str(temporary):
            raise
        raise _not_written(path, str(error.strerror), "free space there or give another path") from error
    finally:
        with contextlib.suppress(OSError):  # of a name that is too long: there is no such file
            temporary.unlink()


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 `text` to `path` atomically."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON with sorted keys and a final line feed, atomically."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def fresh_dir(path: Path) -> Path:
    """Make `path` an empty folder, removing what an interrupted run left there, and return it.

    Raises:
        UserError: it, or a folder above it, is a file or can't be made or written.
    """
    if path.is_dir():
        check_folder(path.parent)  # else all that lies in it would go, and the folder itself would not
        check_folder(path)
        shutil.rmtree(path)
    check_folder(path)
    return path
