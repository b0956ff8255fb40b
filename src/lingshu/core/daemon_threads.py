"""Work on threads that don't keep the process: one that waits for a silent server holds up no error, nor Ctrl-C."""

from __future__ import annotations

import queue
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ALL_COMPLETED, FIRST_EXCEPTION, Future, wait

GRACE_SECONDS = 0.5  # after Ctrl-C or a failure, for threads that can stop by themselves

Task = Callable[[], None]


def run_tasks(tasks: Sequence[Task], workers: int, stop: threading.Event, *, all_of_them: bool) -> list[BaseException]:
    """Run the tasks, several at a time, and return what they raised, in their order.

    A thread that is left behind in silence goes on until its task sees `stop`, or the process ends.

    Args:
        tasks: called without arguments, on other threads.
        workers: the most at a time.
        stop: set when no more is wanted: after Ctrl-C, after the last task, and after a failure unless `all_of_them`.
        all_of_them: go on after a failure.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    if threading.current_thread() is threading.main_thread():
        signal.siginterrupt(signal.SIGINT, True)  # polars' handler of Ctrl-C leaves waiting threads asleep
    left: queue.SimpleQueue[tuple[Task, Future[None]]] = queue.SimpleQueue()
    running: list[Future[None]] = [Future() for _ in tasks]
    for pair in zip(tasks, running, strict=True):
        left.put(pair)
    threads = [threading.Thread(target=_work, args=(left, stop), daemon=True) for _ in range(min(workers, len(tasks)))]
    for thread in threads:
        thread.start()
    try:
        wait(running, return_when=ALL_COMPLETED if all_of_them else FIRST_EXCEPTION)
    finally:
        stop.set()
        end = time.monotonic() + GRACE_SECONDS
        for thread in threads:
            thread.join(max(end - time.monotonic(), 0))
    return [error for future in running if future.done() and (error := future.exception()) is not None]


def _work(left: queue.SimpleQueue[tuple[Task, Future[None]]], stop: threading.Event) -> None:
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
