"""Work on many items as tasks of a Ray cluster, with results in the items' order.

A part whose worker or machine dies is worked on again elsewhere (Ray's own retries), so the result is that of an
undisturbed run. The machines must see the project's folder under the same path, with an environment like this one's.
"""

from __future__ import annotations

import logging
import os
import pickle
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from lingshu.core.errors import UserError
from lingshu.core.parallel import CHUNKS_WAITING, Workers, work_through

A = TypeVar("A")
B = TypeVar("B")
SECONDS_TO_ANSWER = 10
SECONDS_A_LOOK = 2  # at the machines, while a part is waited for
SECONDS_WITHOUT = 600  # that the cluster may have no machine to work on: an autoscaler takes minutes to start one
RETRIES = 3  # of a part whose worker died; an error that the work raises is never tried again


def in_ray_tasks(work: Callable[[A], B], parts: Iterable[list[A]], workers: Workers) -> Iterator[B]:
    """Yield the results of the parts' items in order, from one task a part.

    Raises:
        UserError: Ray is not installed, the cluster can't be reached, has too few GPUs or no machine that works,
            or a part's worker died again and again.
    """
    ray = connected(workers.address)
    folder, most = Path.cwd(), CHUNKS_WAITING * cpus(ray)
    waiting: deque[Any] = deque()
    try:
        task = task_of(ray, workers)
        for part in parts:
            waiting.append(task.remote(folder, work, part))
            if len(waiting) >= most:
                yield from result_of(ray, waiting.popleft())
        while waiting:
            yield from result_of(ray, waiting.popleft())
    finally:
        for reference in waiting:
            ray.cancel(reference, force=True)
        ray.shutdown()


def connected(address: str) -> Any:
    """Return the module `ray`, connected to a cluster until its `shutdown`.

    Raises:
        UserError: Ray is not installed, or no cluster answers.
    """
    try:
        import ray  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise UserError(
            "params.yaml: workers.engine is ray, and Ray is not installed", "run `make setup-ray`, or set it to local"
        ) from None
    # Workers import from where this process does, wherever they were started.
    places = os.pathsep.join(dict.fromkeys(str(Path(entry).resolve()) for entry in sys.path))
    environment = {"env_vars": {"PYTHONPATH": places}}
    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, runtime_env=environment)
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(
            f"params.yaml: workers.address {address!r}: no Ray cluster answers ({str(error).splitlines()[0]})",
            "start one (`ray start --head`), correct the address, or set engine to local",
        ) from None
    return ray


def _knock(address: str) -> None:
    """Raise an OSError if nobody listens at `host:port`: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=SECONDS_TO_ANSWER).close()


def cpus(ray: Any) -> int:
    """Return how many CPUs the cluster has now: each is a worker."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def task_of(ray: Any, workers: Workers) -> Any:
    """Return the task that does a part: `task.remote(folder, work, items)`, whose result `result_of` gives.

    Raises:
        UserError: no machine has the GPUs of one worker.
    """
    _find_gpus(ray, workers)
    # max_calls: by default Ray ends a process with GPUs after each part, and the next would load its model again.
    return ray.remote(num_cpus=1, num_gpus=workers.gpus, max_calls=0, max_retries=RETRIES)(_in_folder)


def _find_gpus(ray: Any, workers: Workers) -> None:
    """Raise if no machine of the cluster has the GPUs of one worker: Ray itself would wait for one to join."""
    most = max((node["Resources"].get("GPU", 0.0) for node in ray.nodes() if node["Alive"]), default=0.0)
    if workers.gpus > most:
        raise UserError(
            f"params.yaml: workers.gpus is {workers.gpus:g}, and no machine of the Ray cluster has more than {most:g}",
            "run `ray start` where the GPUs are, or give less",
        )


def _wait(ray: Any, reference: Any) -> None:
    """Wait for a part; raise if no machine could work on it for a while: Ray itself would wait for ever."""
    last = time.monotonic()
    while not ray.wait([reference], timeout=SECONDS_A_LOOK)[0]:
        if any(node["Alive"] and node["Resources"].get("CPU", 0.0) >= 1 for node in ray.nodes()):
            last = time.monotonic()
        elif time.monotonic() - last >= SECONDS_WITHOUT:
            raise UserError(
                "params.yaml: workers.engine is ray, and no machine of the Ray cluster has a CPU to work on",
                "start one (`ray start --address=…`) and run the same command, or set engine to local",
            )


def result_of(ray: Any, reference: Any) -> list[Any]:
    """Wait for a part, and return its results, or raise what the work raised.

    Raises:
        UserError: the cluster has no machine that works, or the part's worker died again and again.
    """
    _wait(ray, reference)
    try:
        packed: bytes = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None  # what the work raised, as if it had been done here
    except ray.exceptions.RayError as error:
        raise UserError(
            f"Ray lost a part of the work {RETRIES + 1} times: {str(error).strip().splitlines()[0]}",
            "see that the cluster's machines stay up and have memory enough, then run the same command",
        ) from None
    found: list[Any] = pickle.loads(packed)
    return found


def _in_folder(folder: Path, work: Callable[[A], B], items: list[A]) -> bytes:
    """Work in the project's folder, as a local process does: paths in items are relative to it.

    Results come packed: Ray hands over an array as a view of its store, which is gone with the connection.
    """
    os.chdir(folder)
    return pickle.dumps(work_through(work, items), pickle.HIGHEST_PROTOCOL)
