"""Calls made by tasks of a Ray cluster, several a task; a task whose worker dies is done again elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

from lingshu.core.parallel import Workers
from lingshu.core.ray_tasks import connected, cpus, result_of, task_of

P = ParamSpec("P")
B = TypeVar("B")
Call = Callable[[], Any]
Outcome = tuple[Any, Exception | None]


@contextmanager
def ray_calls(workers: Workers, part: int) -> Iterator[RayCalls]:
    """Yield who makes calls on a cluster; its tasks end when this ends.

    Raises:
        UserError: as `ray_tasks.in_ray_tasks`.
    """
    ray = connected(workers.address)
    try:
        yield RayCalls(ray, task_of(ray, workers), part)
    finally:
        ray.shutdown()


class RayCalls:
    """See `calls.Calls`."""

    elsewhere = True

    def __init__(self, ray: Any, task: Any, part: int) -> None:
        self._ray, self._task, self._size = ray, task, part
        self._folder = Path.cwd()
        self.workers = cpus(ray)
        self._open = _Part()

    def submit(self, work: Callable[P, B], /, *args: P.args, **kwargs: P.kwargs) -> RayLater[B]:
        """See `calls.Calls.submit`; the call waits until its part is full, or somebody asks for its result."""
        later: RayLater[B] = RayLater(self, self._open)
        self._open.laters.append(later)
        self._open.calls.append(partial(work, *args, **kwargs))
        if len(self._open.calls) == self._size:
            self._send()
        return later

    def _send(self) -> None:
        part, self._open = self._open, _Part()
        part.reference = self._task.remote(self._folder, _outcome, part.calls)
        part.calls = []

    def receive(self, part: _Part) -> None:
        """Wait for the results of a part."""
        if part.reference is None:
            self._send()
        outcomes: list[Outcome] = result_of(self._ray, part.reference)
        for later, outcome in zip(part.laters, outcomes, strict=True):
            later.settle(outcome)


class _Part:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.laters: list[RayLater[Any]] = []
        self.reference: Any = None


class RayLater(Generic[B]):
    """See `calls.Later`. Once its part has come it holds its own result alone."""

    __slots__ = ("_calls", "_outcome", "_part")

    def __init__(self, calls: RayCalls, part: _Part) -> None:
        self._calls = calls
        self._part: _Part | None = part
        self._outcome: Outcome = (None, None)

    def settle(self, outcome: Outcome) -> None:
        """Take the result."""
        self._part, self._outcome = None, outcome

    def result(self) -> B:
        """See `calls.Later.result`."""
        if self._part is not None:
            self._calls.receive(self._part)
        value, error = self._outcome
        if error is not None:
            raise error
        found: B = value
        return found

    def failed(self) -> bool:
        """See `calls.Later.failed`."""
        return self._outcome[1] is not None


def _outcome(call: Call) -> Outcome:
    try:
        return call(), None
    except Exception as error:  # noqa: BLE001 (it is raised where the result is asked for)
        return None, error
