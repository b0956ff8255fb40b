"""Work on threads: what fails, what goes on, and a user who stops it."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from lingshu.core.daemon_threads import run_tasks


def failing(text):
    def task():
        raise ValueError(text)

    return task


def test_all_of_them_run_and_errors_come_in_the_order_of_the_tasks():
    done = []
    tasks = [failing("a"), lambda: done.append(1), failing("b"), lambda: done.append(2)]
    errors = run_tasks(tasks, 3, threading.Event(), all_of_them=True)
    assert [str(error) for error in errors] == ["a", "b"]
    assert sorted(done) == [1, 2]


def test_a_failure_stops_the_others():
    stop, done = threading.Event(), []
    tasks = [failing("a"), *(lambda: stop.wait(30) or done.append(1) for _ in range(5))]
    begun = time.monotonic()
    errors = run_tasks(tasks, 2, stop, all_of_them=False)
    assert time.monotonic() - begun < 10
    assert [str(error) for error in errors] == ["a"]
    assert stop.is_set()
    assert done == []


def test_nothing_to_do():
    assert run_tasks([], 4, threading.Event(), all_of_them=True) == []


def test_another_thread_may_run_tasks():
    found = []
    thread = threading.Thread(
        target=lambda: found.extend(run_tasks([failing("a")], 1, threading.Event(), all_of_them=True))
    )
    thread.start()
    thread.join()
    assert [str(error) for error in found] == ["a"]


def test_ctrl_c_ends_the_wait_for_tasks_that_say_nothing():
    stop = threading.Event()
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_tasks([lambda: time.sleep(30)] * 3, 2, stop, all_of_them=True)
    assert time.monotonic() - begun < 10
    assert stop.is_set()
