"""Append-only files of lines: a kill can leave at most the last line unfinished, and that is cut off."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from lingshu.core.errors import UserError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_BLOCK = 1 << 16


@contextlib.contextmanager
def disk_full_said(path: Path) -> Iterator[None]:
    """Turn the error of a full disk into a message.

    Raises:
        UserError: the disk is full or a quota is used up while the block writes to `path`.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise UserError(
            f"{path}: the disk is full, or a quota is used up", "free space, then run the same command"
        ) from None


def end_of_whole_lines(descriptor: int) -> int:
    """Return the offset after the last line feed of an open file (0 for none), reading back from its end."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - _BLOCK)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def cut_torn_line(descriptor: int) -> int:
    """Truncate an open file after its last whole line and return its size; the caller holds the file's lock."""
    whole = end_of_whole_lines(descriptor)
    if whole != os.fstat(descriptor).st_size:
        os.ftruncate(descriptor, whole)
    return whole
