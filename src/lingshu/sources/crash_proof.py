"""Calling a decoder that may take its process down, or never come back: the call runs in a child that can be replaced.

GDCM ends the process (`std::terminate`) on some broken JPEG streams instead of raising; no `except` helps there. Every
process that calls has one child, started at the first call and ended with its parent.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, TypeVar

from lingshu.core.parallel import follow_parent
from lingshu.sources.frames import Refused

R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")
MAX_SECONDS = 900.0  # of the clock, for a file on a busy machine; the longest real clip takes seconds


@dataclass(frozen=True, slots=True)
class Child:
    """A process and the way to talk to it."""

    process: SpawnProcess
    way: Connection


_children: list[Child] = []


def survive(work: Callable[[A, B], R], first: A, second: B, seconds: float = MAX_SECONDS) -> R:
    """Return `work(first, second)`, called in the child; what it raises is raised here.

    Args:
        work: a function of a module; it, arguments and result must be picklable.
        first: its first argument.
        second: its second argument.
        seconds: after which the child is ended.

    Raises:
        Refused: UNDECODABLE, if the child died over it or did not come back.
    """
    child = _children.pop() if _children else _started()
    try:
        child.way.send((work, first, second))
        if not child.way.poll(seconds):
            child.process.kill()
            raise Refused("UNDECODABLE", f"the decoder had no result after {seconds:g} s")
        good, value = child.way.recv()
    except (EOFError, OSError):
        raise Refused("UNDECODABLE", "the decoder's process died over it") from None
    _children.append(child)
    if not good:
        raise value
    result: R = value
    return result


def _started() -> Child:
    context = multiprocessing.get_context("spawn")  # fork would copy the locks of other threads
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    there.close()
    return Child(process, here)


def _serve(way: Connection) -> None:
    follow_parent()
    while True:
        work, first, second = way.recv()
        answer: tuple[bool, Any]
        try:
            answer = True, work(first, second)
        except Exception as error:  # noqa: BLE001 (it is raised by the caller)
            answer = False, error
        way.send(answer)
