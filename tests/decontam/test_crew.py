"""Workers that stay for several rounds: results in order, the same processes again, a killed one told of."""

from __future__ import annotations

import os
import signal

import pytest

from lingshu.core.errors import UserError
from lingshu.core.parallel import Workers
from lingshu.decontam.crew import Crew


def whose(number: int) -> tuple[int, int]:
    return number, os.getpid()


def end_at_five(number: int) -> int:
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("processes", [1, 2])
def test_rounds_come_in_order_from_the_same_processes(processes: int) -> None:
    with Crew(Workers(processes=processes)) as crew:
        rounds = [list(crew.in_order(whose, range(20), chunk=3)) for _ in range(2)]
    assert [[number for number, _ in one] for one in rounds] == [list(range(20))] * 2
    used = {process for one in rounds for _, process in one}
    assert len(used) <= processes
    assert (os.getpid() in used) == (processes == 1)


def test_a_killed_process_is_told_of() -> None:
    with (
        pytest.raises(UserError, match="one of 2 worker processes was killed"),
        Crew(Workers(processes=2)) as crew,
    ):
        list(crew.in_order(end_at_five, range(40), chunk=2))
