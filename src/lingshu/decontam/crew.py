"""Workers that stay for several rounds of work: starting processes for each round would cost more than the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from types import TracebackType
from typing import TypeVar

from lingshu.core.parallel import ALONE, Workers, chunks, end_pool, in_order, make_pool, through_pool

A = TypeVar("A")
B = TypeVar("B")


class Crew:
    """What `core.parallel.in_order` is, for as long as the context lasts. Ray keeps its own workers.

    Args:
        workers: who works.
    """

    def __init__(self, workers: Workers = ALONE) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            end_pool(self._pool)

    def in_order(self, work: Callable[[A], B], items: Iterable[A], chunk: int) -> Iterator[B]:
        """Yield `work(item)` of each item, in order; arguments and errors as of `core.parallel.in_order`."""
        if self._workers.engine != "local" or self._workers.processes == 1:
            yield from in_order(work, items, self._workers, chunk)
            return
        if self._pool is None:
            self._pool = make_pool(self._workers.processes)
        yield from through_pool(self._pool, work, chunks(items, chunk), self._workers.processes)
