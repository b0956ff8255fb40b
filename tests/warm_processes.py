"""Processes that begin with torch imported: five to ten seconds that each of them would spend for itself."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def forked_after(module: str) -> Iterator[None]:
    """Have the processes that this one starts forked from a server that has imported `module`, instead of spawned.

    They are processes as others are: they are killed, and told of, in the same way. What they start is spawned. On
    macOS all are, because its frameworks do not survive a fork.
    """
    if sys.platform == "darwin":
        yield
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multiprocessing, "get_context", lambda _: context)
        yield
