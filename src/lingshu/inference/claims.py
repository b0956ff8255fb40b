"""Which questions a process is asking now, so that processes that share a store share the work as well.

A claim is a lock on one byte of an empty file, at the place that the question's key gives. The system lets go of it
when the process ends in whatever way, so a killed process leaves no claim behind.
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

FILE = "claims"
_DIGITS = 15  # 60 bits: below the largest offset of a file


class Claims:
    """The claims of this process on the questions of one folder; use it as a context manager, one object a process."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o644)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._file)

    def take(self, key: str) -> bool:
        """Claim a question; False if another process has it."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _offset(key))
        except OSError as error:
            if error.errno in {errno.EACCES, errno.EAGAIN}:
                return False
            raise
        return True

    def wait(self, key: str) -> None:
        """Return once no other process has the question."""
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1, _offset(key))
        self.release(key)

    def release(self, key: str) -> None:
        """Let go of a question."""
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _offset(key))


def _offset(key: str) -> int:
    return int(key[:_DIGITS], 16)
