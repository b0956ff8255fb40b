"""Settings of all tests."""

from __future__ import annotations

import gc
import os
import signal

import pytest
from hypothesis import settings

# Processes that share the cores, and those that tests start, compute with one thread each: more would wait, busily.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# As a stage (core/stage.py): what torch, transformers and TRL make of themselves is no garbage.
gc.set_threshold(50_000)
# A shell starts what it leaves in the background with Ctrl-C ignored, and so would all that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST = ("pipeline", "types", "slow")  # marks of files that take minutes, the longest first

# No deadline: machines differ in speed. Derandomised: a failure is the change's, never the draw's.
settings.register_profile("project", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("project")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take how often each small file is broken (tests/sources/test_mutated_files.py); thousands for a long run."""
    parser.addoption("--mutations", dest="mutations", type=int, default=150)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first, so that processes that share the files end together."""
    place = {item.path: len(LONGEST) for item in items}
    for item in items:
        for mark in item.iter_markers():
            if mark.name in LONGEST:
                place[item.path] = min(place[item.path], LONGEST.index(mark.name))
    items.sort(key=lambda item: place[item.path])


def pytest_collection_finish() -> None:
    """Leave what importing made out of every later search for garbage."""
    gc.freeze()
