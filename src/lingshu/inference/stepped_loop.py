"""An event loop that ordinary code drives step by step, and that Ctrl-C ends between two steps, never inside a task.

Python's own handler raises KeyboardInterrupt in whatever runs: inside a task it can break a client in the middle of a
change, so that others wait for it for ever, or be lost where an exception can only be logged.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from lingshu.inference.engine import Outcome

LONGEST_END = 5.0
"""Seconds that cancelled tasks, and then the last work, get to end; what has not is left behind."""


class SteppedLoop:
    """Tasks of one event loop, which runs only inside `first`, `cancel` and `end`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._running: set[asyncio.Task[Outcome]] = set()
        self._interrupted = False

    @property
    def running(self) -> int:
        """How many tasks `first` has yet to return."""
        return len(self._running)

    def start(self, work: Coroutine[Any, Any, Outcome]) -> None:
        """Add a task."""
        self._running.add(self._loop.create_task(work))

    def first(self) -> set[asyncio.Task[Outcome]]:
        """Wait until a task has ended or Ctrl-C is pressed; return, and forget, all tasks that have ended.

        The press is kept for `raise_if_interrupted`, so that what has ended can be kept first.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed twice.
        """
        self._run(asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED))
        done = {task for task in self._running if task.done()}
        self._running -= done
        return done

    def raise_if_interrupted(self) -> None:
        """Say what was kept.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed while the loop ran.
        """
        if self._interrupted:
            self._interrupted = False
            raise KeyboardInterrupt

    def cancel(self) -> None:
        """Cancel and forget every task, and wait until they have ended: LONGEST_END at most, or until Ctrl-C."""
        left, self._running = self._running, set()
        if not left or self._loop.is_closed():
            return
        for task in left:
            task.cancel()
        self._run(asyncio.wait(left, timeout=LONGEST_END))
        for task in left:
            if task.done() and not task.cancelled():
                task.exception()  # asyncio logs an exception that nobody has looked at

    def end(self, last: Coroutine[Any, Any, None]) -> None:
        """Cancel every task, run the last work for LONGEST_END at most, and close the loop.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed meanwhile.
        """
        try:
            self.cancel()
            self._run(asyncio.wait({self._loop.create_task(last)}, timeout=LONGEST_END))
            self._run(self._loop.shutdown_asyncgens())
        finally:
            self._loop.set_exception_handler(lambda *_: None)  # tasks left behind are no news
            self._loop.close()
        self.raise_if_interrupted()

    def _run(self, work: Coroutine[Any, Any, Any]) -> None:
        waiting = self._loop.create_task(work)

        def stop(*_: object) -> None:
            if self._interrupted:
                raise KeyboardInterrupt
            self._interrupted = True
            self._loop.call_soon_threadsafe(waiting.cancel)

        with _at_interrupt(stop), suppress(asyncio.CancelledError):
            self._loop.run_until_complete(waiting)


@contextmanager
def _at_interrupt(handler: Callable[..., None]) -> Iterator[None]:
    """Put a handler in the place of Python's own; another one, or none in another thread, stays as it is."""
    own = signal.default_int_handler
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is not own:
        yield
        return
    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, own)
