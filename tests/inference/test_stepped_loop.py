"""Ctrl-C while requests are under way: it always ends the wait, breaks no task, and loses nothing that has ended."""

import asyncio
import os
import random
import signal
import threading
import time

import pytest

from lingshu.inference import stepped_loop
from lingshu.inference.engine import Response
from lingshu.inference.identity import inquire
from lingshu.inference.openai_engine import OpenAIEngine
from lingshu.inference.settings import Decoding, ServerLimits
from lingshu.inference.stepped_loop import SteppedLoop
from tests.inference.invented import question
from tests.loopback_openai import MODEL, Reply, serving


def press():
    os.kill(os.getpid(), signal.SIGINT)


def press_after(seconds):
    threading.Timer(seconds, press).start()


async def nothing():
    """The last work of a loop that has none."""


async def answer(seconds=0.0):
    await asyncio.sleep(seconds)
    return Response("q", "fine", "stop", 1, 1, seconds, None)


async def never():
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            continue


@pytest.fixture
def loop():
    made = SteppedLoop()
    yield made
    made.end(nothing())


def texts(tasks):
    return [task.result().text for task in tasks]


def test_what_ends_first_is_returned_first(loop):
    loop.start(answer(30))
    loop.start(answer())
    assert texts(loop.first()) == ["fine"]
    assert loop.running == 1


def test_a_press_ends_the_wait_and_is_kept(loop):
    loop.start(answer(60))
    press_after(0.1)
    assert loop.first() == set()
    with pytest.raises(KeyboardInterrupt):
        loop.raise_if_interrupted()
    loop.raise_if_interrupted()  # said once
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_press_inside_a_step_breaks_no_task(loop):
    async def busy():
        press()
        total = sum(range(1000))  # Python's own handler would raise here
        return Response("q", str(total), "stop", 1, 1, 0.0, None)

    loop.start(busy())
    assert texts(loop.first()) == ["499500"]
    with pytest.raises(KeyboardInterrupt):
        loop.raise_if_interrupted()


def test_a_task_that_never_ends_is_left_behind(monkeypatch):
    monkeypatch.setattr(stepped_loop, "LONGEST_END", 0.2)
    loop = SteppedLoop()
    loop.start(never())
    loop.start(answer())
    loop.first()
    begun = time.monotonic()
    loop.cancel()
    loop.end(never())
    assert 0.4 <= time.monotonic() - begun < 3
    assert loop.running == 0


def test_a_press_ends_the_wait_for_cancelled_tasks():
    loop = SteppedLoop()
    loop.start(never())
    loop.start(answer())
    loop.first()
    begun = time.monotonic()
    press_after(0.1)
    with pytest.raises(KeyboardInterrupt):
        loop.end(nothing())
    assert time.monotonic() - begun < 3


def test_an_error_of_a_cancelled_task_is_not_logged(loop, caplog):
    async def broken():
        try:
            await asyncio.sleep(60)
        finally:
            raise ValueError("broken")

    loop.start(broken())
    loop.start(answer())
    loop.first()
    loop.cancel()
    assert caplog.text == ""


def test_another_handler_stays_as_it_is(loop):
    pressed = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        loop.start(answer(0.3))
        press_after(0.1)
        assert texts(loop.first()) == ["fine"]
    finally:
        signal.signal(signal.SIGINT, before)
    assert pressed == [signal.SIGINT]


def test_another_thread_needs_no_handler():
    found = []

    def run():
        loop = SteppedLoop()
        loop.start(answer())
        found.extend(texts(loop.first()))
        loop.end(nothing())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == ["fine"]


def test_a_press_at_any_moment_ends_the_asking_of_a_server():
    drawn = random.Random(7)
    asked = [inquire(question(n), "m", {}, 16).request for n in range(2_000)]
    limits = ServerLimits(timeout=5.0, concurrency=16)
    with serving(lambda prompt, n: Reply(seconds=drawn.choice([0, 0.001, 0.003]))) as s:
        for _ in range(40):
            begun = time.monotonic()
            with (
                pytest.raises(KeyboardInterrupt),
                OpenAIEngine(MODEL, s.url, None, Decoding(), limits) as engine,
            ):
                press_after(drawn.uniform(0.02, 0.2))
                for _ in engine.generate(asked):
                    pass
            assert time.monotonic() - begun < 4
