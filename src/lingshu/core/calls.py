"""Calls made now whose results are asked for later: by threads of this process, or by tasks of a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, ParamSpec, Protocol, TypeVar

from lingshu.core.parallel import Workers

P = ParamSpec("P")
B = TypeVar("B")
B_co = TypeVar("B_co", covariant=True)


class Later(Protocol[B_co]):
    """What a call will have returned."""

    def result(self) -> B_co:
        """Wait for the call, and return what it returned or raise what it raised."""
        ...

    def failed(self) -> bool:
        """Return whether the call is known to have raised; this never waits."""
        ...


class Calls(Protocol):
    """Who makes the calls.

    Attributes:
        workers: how many are made at a time.
        elsewhere: in other processes, which see the same files, but none that are open here; arguments, results and
            what is raised must be picklable.
    """

    workers: int
    elsewhere: bool

    def submit(self, work: Callable[P, B], /, *args: P.args, **kwargs: P.kwargs) -> Later[B]:
        """Have `work` called; of a module, where the calls are made elsewhere."""
        ...


@contextmanager
def calls_by(workers: Workers, part: int) -> Iterator[Calls]:
    """Yield who makes calls: as many threads as `workers` has processes, or its Ray cluster.

    Args:
        workers: who works.
        part: calls that a task of Ray makes, one after the other.

    Raises:
        UserError: with engine ray, as `parallel.in_order`.
    """
    if workers.engine == "ray":
        # Imported here: Ray is an extra, and slow to import.
        from lingshu.core.ray_calls import ray_calls  # noqa: PLC0415

        with ray_calls(workers, part) as calls:
            yield calls
        return
    pool = ThreadPoolExecutor(workers.processes)
    try:
        yield _Threads(pool, workers.processes)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Threads:
    elsewhere = False

    def __init__(self, pool: ThreadPoolExecutor, workers: int) -> None:
        self._pool, self.workers = pool, workers

    def submit(self, work: Callable[P, B], /, *args: P.args, **kwargs: P.kwargs) -> Later[B]:
        return _OnThread(self._pool.submit(work, *args, **kwargs))


class _OnThread(Generic[B]):
    __slots__ = ("_future",)

    def __init__(self, future: Future[B]) -> None:
        self._future = future

    def result(self) -> B:
        return self._future.result()

    def failed(self) -> bool:
        return self._future.done() and self._future.exception() is not None
