"""Progress of transfers: bytes of all files together, their rate and the remaining time, on stderr."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

from rich.progress import DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

SECONDS_BETWEEN_LINES = 10.0
Moved = Callable[[int], None]  # is told how many bytes came; a negative number takes some back


def silent(_number: int) -> None:
    """Show nothing."""


@contextlib.contextmanager
def metered(label: str, done: int, total: int | None) -> Iterator[Moved]:
    """Yield a function that is told of bytes as they come, by any thread: a bar on a terminal, lines elsewhere.

    Args:
        label: what is transferred.
        done: bytes that are here already.
        total: bytes of all files; None where the sender does not say.
    """
    if sys.stderr.isatty():
        with _bar(label, done, total) as moved:
            yield moved
    else:
        yield _Lines(label, done, total).moved


@contextlib.contextmanager
def _bar(label: str, done: int, total: int | None) -> Iterator[Moved]:
    columns = (*Progress.get_default_columns()[:2], DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task(label, total=total, completed=done)
        yield lambda number: progress.advance(task, number)


class _Lines:
    def __init__(self, label: str, done: int, total: int | None) -> None:
        self._label, self._before, self._done, self._total = label, done, done, total
        self._start = self._last = time.monotonic()
        self._lock = threading.Lock()

    def moved(self, number: int) -> None:
        with self._lock:
            self._done += number
            now = time.monotonic()
            if now - self._last >= SECONDS_BETWEEN_LINES:
                self._last = now
                print(line(self._label, self._done, self._before, self._total, now - self._start), file=sys.stderr)


def line(label: str, done: int, before: int, total: int | None, seconds: float) -> str:
    """Return one line of progress; the rate is of this run, so what lay there `before` does not count."""
    rate = (done - before) / seconds
    text = f"{label}: {done / 1e6:.1f} MB, {rate / 1e6:.2f} MB/s"
    if total is None:
        return text
    remaining = f", {(total - done) / rate:.0f} s left" if rate > 0 else ""
    return f"{label}: {done / 1e6:.1f} of {total / 1e6:.1f} MB, {rate / 1e6:.2f} MB/s{remaining}"
