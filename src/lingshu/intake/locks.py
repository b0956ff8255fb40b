"""One process at a time: a lock file that the kernel frees when its holder is killed."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from lingshu.core.errors import UserError


@contextlib.contextmanager
def alone(lock: Path, busy: UserError | None = None) -> Iterator[None]:
    """Wait until no other process holds the lock file, and hold it; the file stays, for it costs nothing.

    Raises:
        UserError: `busy`, at once, where it is given and another process holds the lock.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX if busy is None else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            assert busy is not None
            raise busy from None
        yield
