"""Processes in step: one result, the first error, nobody left behind."""

from __future__ import annotations

import os
import re
import signal
import time
from functools import partial
from multiprocessing import active_children

import pytest

from lingshu.core.errors import UserError
from lingshu.core.ranks import ALONE, in_ranks


def meet(rank):
    """Wait until all ranks are there."""
    rank.meeting.with_name(f"here-{rank.number}").touch()
    while len(list(rank.meeting.parent.glob("here-*"))) < rank.of:
        time.sleep(0.01)


def told(word, rank):
    meet(rank)
    return word, rank.number, rank.of, os.environ["RANK"], os.environ["WORLD_SIZE"]


def fails(error, rank):
    meet(rank)
    if rank.number == 1:
        raise error
    time.sleep(60)


def dies(rank):
    meet(rank)
    if rank.number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def test_one_rank_is_this_process():
    assert in_ranks(lambda rank: (rank, os.getpid()), 1) == (ALONE, os.getpid())


@pytest.fixture
def started():
    """Say which children are new: those of earlier tests (a decoder's) may wait for more."""
    before = set(active_children())
    return lambda: set(active_children()) - before


def test_rank_0_answers(started):
    assert in_ranks(partial(told, "so"), 2) == ("so", 0, 2, "0", "2")
    assert "RANK" not in os.environ
    assert not started()


@pytest.mark.parametrize("error", [UserError("row 3: bad", "mend it"), OSError(28, "No space left on device")])
def test_an_error_ends_all_and_comes_out(started, error):
    began = time.monotonic()
    with pytest.raises(type(error), match=re.escape(str(error))):
        in_ranks(partial(fails, error), 2)
    assert time.monotonic() - began < 30
    assert not started()


def test_a_killed_rank_is_told_of(started):
    with pytest.raises(UserError, match="one of 2 processes was killed") as caught:
        in_ranks(dies, 2)
    assert "lower" in caught.value.fix
    assert not started()
