"""Work on many items by several workers, with results in the items' order: outputs do not depend on the workers.

`Workers.engine` says who works: `local` processes of this machine, or `ray`, tasks on a Ray cluster.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import wait
from typing import Literal, TypeVar

from pydantic import Field, model_validator

from lingshu.core.errors import UserError
from lingshu.core.params import Strict

A = TypeVar("A")
B = TypeVar("B")
CHUNKS_WAITING = 2  # of each worker: enough to keep it busy, and all that is held in memory


class Workers(Strict):
    """Who works on the parts of a stage; results do not depend on it.

    Attributes:
        engine: `local` processes, or tasks on a `ray` cluster whose machines see the same files under the same paths.
        processes: local ones; 1 works in the stage's own process. Of Ray, each CPU of the cluster is a worker.
        address: of the Ray cluster, as `ray.init` takes it (`auto` is the one of this machine).
        gpus: of Ray, for each worker; a part of one lets workers share it. Without, a worker sees no GPU.
    """

    engine: Literal["local", "ray"] = "local"
    processes: int = Field(default=1, ge=1)
    address: str = ""
    gpus: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _address_fits(self) -> Workers:
        if (self.engine == "ray") != bool(self.address):
            raise ValueError("engine ray needs an address (auto, or host:port), and local has none")
        if self.gpus and self.engine == "local":
            raise ValueError("gpus are given out by Ray; local processes all see those of the machine")
        return self


ALONE = Workers()


def in_order(work: Callable[[A], B], items: Iterable[A], workers: Workers = ALONE, chunk: int = 1) -> Iterator[B]:
    """Yield `work(item)` of each item, in order; an error that `work` raises is raised here, at its item.

    Args:
        work: a function of a module, or a `functools.partial` of one; it, items and results must be picklable.
        items: read as they are needed.
        workers: who works.
        chunk: items handed to a worker at a time.

    Raises:
        UserError: a local process was killed; with engine ray, Ray is not installed, or its cluster can't be reached or
            lost a part for good.
    """
    if workers.engine == "ray":
        # Imported here: Ray is an extra, and slow to import.
        from lingshu.core.ray_tasks import in_ray_tasks  # noqa: PLC0415

        yield from in_ray_tasks(work, chunks(items, chunk), workers)
    elif workers.processes == 1:
        yield from map(work, items)
    else:
        yield from _in_processes(work, chunks(items, chunk), workers.processes)


def chunks(items: Iterable[A], size: int) -> Iterator[list[A]]:
    """Yield the items in lists of `size`, the last one shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _in_processes(work: Callable[[A], B], parts: Iterable[list[A]], processes: int) -> Iterator[B]:
    pool = make_pool(processes)
    try:
        yield from through_pool(pool, work, parts, processes)
    finally:
        end_pool(pool)


def make_pool(processes: int) -> ProcessPoolExecutor:
    """Return a pool of processes that end with this one, and leave Ctrl-C to it."""
    context = multiprocessing.get_context("spawn")  # fork would copy the locks of polars' and torch's threads
    return ProcessPoolExecutor(processes, mp_context=context, initializer=follow_parent)


def end_pool(pool: ProcessPoolExecutor) -> None:
    """End a pool; its processes finish the parts that they have begun."""
    pool.shutdown(wait=True, cancel_futures=True)  # without the wait Python's own end may write to a closed pipe


def through_pool(
    pool: ProcessPoolExecutor, work: Callable[[A], B], parts: Iterable[list[A]], processes: int
) -> Iterator[B]:
    """Yield `work(item)` of each item of each part, in order, by the processes of a pool.

    Raises:
        UserError: one of them was killed. The pool is of no more use then.
    """
    waiting: deque[Future[list[B]]] = deque()
    try:
        for part in parts:
            with interrupts_held():
                waiting.append(pool.submit(work_through, work, part))
            if len(waiting) >= CHUNKS_WAITING * processes:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool as error:
        raise UserError(
            f"one of {processes} worker processes was killed",
            "free memory if there was too little, or set `processes` of these `workers` lower; then run the same"
            " command to go on",
        ) from error


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back: a process that starts meanwhile inherits that, and doesn't tell of it while it imports."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def work_through(work: Callable[[A], B], items: list[A]) -> list[B]:
    """Return `work(item)` of each item."""
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
