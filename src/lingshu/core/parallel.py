"""Work on many items in several processes, with results in the items' order: outputs do not depend on their number."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing.connection import wait
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")
CHUNKS_WAITING = 2  # of each process: enough to keep it busy, and all that is held in memory


def in_order(work: Callable[[A], B], items: Iterable[A], processes: int, chunk: int = 1) -> Iterator[B]:
    """Yield `work(item)` of each item, in order; an error that `work` raises is raised here, at its item.

    Args:
        work: a function of a module, or a `functools.partial` of one; it, items and results must be picklable.
        items: read as they are needed.
        processes: 1 works in this process.
        chunk: items handed to a process at a time.
    """
    if processes == 1:
        yield from map(work, items)
        return
    rest = iter(items)
    context = multiprocessing.get_context("spawn")  # fork would copy the locks of polars' and torch's threads
    with ProcessPoolExecutor(processes, mp_context=context, initializer=follow_parent) as pool:
        waiting: deque[Future[list[B]]] = deque()
        try:
            while batch := list(islice(rest, chunk)):
                waiting.append(pool.submit(_all, work, batch))
                if len(waiting) >= CHUNKS_WAITING * processes:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _all(work: Callable[[A], B], items: list[A]) -> list[B]:
    return [work(item) for item in items]


def follow_parent() -> None:
    """Leave Ctrl-C to the parent, and end with it, however it ends: a pool's processes outlive a killed parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
