"""Several files at a time: the first failure stops the others, and what came of each is kept."""

from __future__ import annotations

import queue
import shutil
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from pathlib import Path

from lingshu.core.errors import UserError
from lingshu.intake.download import size_of
from lingshu.intake.listing import Remote, RemoteFile
from lingshu.intake.meter import Moved, metered

GRACE_SECONDS = 0.5  # after Ctrl-C or a failure, for threads that can stop by themselves


class _StoppedError(Exception):
    """Another file failed, or the user stopped the run."""


def fetch_all(label: str, remote: Remote, files: Sequence[RemoteFile], folder: Path, downloads: int) -> None:
    """Download files to `folder/<name>`, `downloads` at a time.

    Raises:
        UserError: the first file that can't be had, or there is not enough space for all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = sum(size_of(folder / f"{file.name}.part") for file in files)
    sizes = [file.bytes for file in files]
    total = sum(size or 0 for size in sizes)
    _check_space(label, folder, total - done)
    stop = threading.Event()
    with metered(label, done, None if None in sizes else total) as shown:

        def moved(number: int) -> None:
            if stop.is_set():
                raise _StoppedError
            shown(number)

        _run([_task(remote, file, folder / file.name, moved) for file in files], stop, downloads)


def _task(remote: Remote, file: RemoteFile, target: Path, moved: Moved) -> Callable[[], None]:
    return lambda: remote.fetch(file, target, moved)


def _run(tasks: Sequence[Callable[[], None]], stop: threading.Event, workers: int) -> None:
    """Run the tasks on threads that don't keep the process: a server that says nothing holds up no error, nor Ctrl-C.

    A thread that is left behind in silence writes at most what comes next, and sees then that it was stopped.
    """
    signal.siginterrupt(signal.SIGINT, True)  # polars' handler of Ctrl-C leaves waiting threads asleep
    left: queue.SimpleQueue[tuple[Callable[[], None], Future[None]]] = queue.SimpleQueue()
    running: list[Future[None]] = [Future() for _ in tasks]
    for pair in zip(tasks, running, strict=True):
        left.put(pair)
    threads = [threading.Thread(target=_work, args=(left, stop), daemon=True) for _ in range(min(workers, len(tasks)))]
    for thread in threads:
        thread.start()
    try:
        wait(running, return_when=FIRST_EXCEPTION)
    finally:
        stop.set()
        end = time.monotonic() + GRACE_SECONDS
        for thread in threads:
            thread.join(max(end - time.monotonic(), 0))
    errors = [error for future in running if future.done() and (error := future.exception()) is not None]
    for error in sorted(errors, key=lambda error: isinstance(error, _StoppedError)):
        raise error


def _work(left: queue.SimpleQueue[tuple[Callable[[], None], Future[None]]], stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            task, future = left.get_nowait()
        except queue.Empty:
            return
        try:
            task()
        except BaseException as error:  # noqa: BLE001 (it is raised by the caller)
            future.set_exception(error)
        else:
            future.set_result(None)


def _check_space(label: str, folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{label}: {needed / 1e9:.2f} GB are still to come, {folder} has room for {free / 1e9:.2f} GB",
            "free space, or name a cache on another disk with --cache",
        )
