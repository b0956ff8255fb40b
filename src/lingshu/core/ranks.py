"""One piece of work by several processes of this machine in step: the ranks of a torch.distributed job.

Unlike `parallel`, nobody hands out parts: every rank runs the same work, and the work asks its rank which share is its
own. Nothing heavy is imported here, so that the ranks alone pay for it, at the same time.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lingshu.core.errors import UserError
from lingshu.core.parallel import follow_parent, interrupts_held

A = TypeVar("A")
LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"


@dataclass(frozen=True, slots=True)
class Rank:
    """Which of the processes this is.

    Attributes:
        number: from 0; rank 0 writes what the work writes.
        of: how many there are.
        meeting: the file at which they find each other, or None for one alone.
    """

    number: int = 0
    of: int = 1
    meeting: Path | None = None


ALONE = Rank()


def in_ranks(work: Callable[[Rank], A], processes: int) -> A:
    """Run `work(rank)` in so many processes at once and return what rank 0 returns.

    With one process it runs in this one. An error in a rank ends the others and is raised here; a killed parent takes
    its ranks along.

    Args:
        work: a function of a module, or a `functools.partial` of one; it and its result must be picklable, and no rank
            may come to its end before all have begun.
        processes: at least 1.

    Raises:
        UserError: a rank was killed, say for want of memory.
    """
    if processes == 1:
        return work(ALONE)
    others = set(multiprocessing.active_children())
    with tempfile.TemporaryDirectory(prefix="lingshu-ranks-") as folder:
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(processes, mp_context=context, initializer=follow_parent)
        ranks = [Rank(number, processes, Path(folder) / "meeting") for number in range(processes)]
        try:
            with interrupts_held():
                runs = [pool.submit(_run, work, rank) for rank in ranks]
            for run in wait(runs, return_when=FIRST_EXCEPTION).done:
                run.result()
            return runs[0].result()
        except BrokenProcessPool as error:
            raise UserError(
                f"one of {processes} processes was killed",
                "free memory if there was too little, or set `processes` lower; then run the same command to go on",
            ) from error
        finally:
            for process in set(multiprocessing.active_children()) - others:
                process.kill()
            pool.shutdown()


def _run(work: Callable[[Rank], A], rank: Rank) -> A:
    """Return the rank's result; torch and accelerate look for these names in the environment."""
    names = {"RANK": rank.number, "LOCAL_RANK": rank.number, "WORLD_SIZE": rank.of, "LOCAL_WORLD_SIZE": rank.of}
    os.environ.update({name: str(value) for name, value in names.items()}, GLOO_SOCKET_IFNAME=LOOPBACK)
    result = work(rank)
    gc.freeze()  # as at the end of a stage (core/stage.py)
    return result
