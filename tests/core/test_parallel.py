from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from lingshu.core.errors import UserError
from lingshu.core.parallel import Workers, in_order


def times(factor: int, number: int) -> tuple[int, int]:
    return factor * number, os.getpid()


def refuse(number: int) -> int:
    if number == 3:
        raise UserError("row 3: not a number", "write one")
    return number


@pytest.mark.parametrize("chunk", [1, 4])
def test_results_come_in_order_from_other_processes(chunk: int) -> None:
    alone = list(in_order(partial(times, 2), range(23), Workers(processes=1)))
    several = list(in_order(partial(times, 2), range(23), Workers(processes=2), chunk=chunk))
    assert [value for value, _ in several] == [value for value, _ in alone] == list(range(0, 46, 2))
    assert {process for _, process in alone} == {os.getpid()}
    assert os.getpid() not in {process for _, process in several}


def test_items_are_read_as_they_are_needed() -> None:
    read = []

    def items() -> Iterator[int]:
        for number in range(1000):
            read.append(number)
            yield number

    results = in_order(partial(times, 1), items(), Workers(processes=2), chunk=5)
    assert next(results)[0] == 0
    assert len(read) <= 25
    results.close()


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_arrives_whole_and_at_its_item(processes: int) -> None:
    results = in_order(refuse, range(9), Workers(processes=processes))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(UserError) as caught:
        next(results)
    assert (caught.value.what, caught.value.fix) == ("row 3: not a number", "write one")


def end_at_five(number: int) -> int:
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("chunk", [1, 3])
def test_a_killed_process_is_told_of(chunk: int) -> None:
    others = set(multiprocessing.active_children())
    with pytest.raises(UserError, match="one of 2 worker processes was killed") as caught:
        list(in_order(end_at_five, range(40), Workers(processes=2), chunk=chunk))
    assert "the same command" in caught.value.fix
    until = time.monotonic() + 20
    while (alive := set(multiprocessing.active_children()) - others) and time.monotonic() < until:
        time.sleep(0.1)
    assert not alive


SLOW = """
import os, sys, time
from lingshu.core.parallel import Workers, in_order
def slow(number):
    print(os.getpid(), flush=True)
    time.sleep(60)
if __name__ == "__main__":
    list(in_order(slow, range(4), Workers(processes=2)))
"""


def test_processes_end_with_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "slow.py"
    script.write_text(SLOW, encoding="utf-8")
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        workers = [int(parent.stdout.readline()) for _ in range(2)]
        parent.kill()
    until = time.monotonic() + 20
    while (alive := [worker for worker in workers if _runs(worker)]) and time.monotonic() < until:
        time.sleep(0.1)
    assert not alive


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
