"""A killed run leaves nothing running, also not what was started by what it had started."""

import subprocess
import sys
import threading

import pytest

SLEEP = "import time; time.sleep(99)"
CHILD = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {SLEEP!r}]).pid, flush=True); {SLEEP}"
RUN = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {CHILD!r}]).pid, flush=True); {SLEEP}"


def test_what_a_killed_run_had_started_is_killed():
    psutil = pytest.importorskip("psutil")
    from lingshu.inference.guard import watch

    with subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE, text=True) as run:
        started = [psutil.Process(int(run.stdout.readline())) for _ in range(2)]
        threading.Timer(0.5, run.kill).start()
        watch(run.pid, interval=0.1)
        _, left = psutil.wait_procs(started, timeout=20)
        assert [process for process in left if process.status() != psutil.STATUS_ZOMBIE] == []


def test_a_run_that_has_ended_before_the_first_look_is_no_error():
    pytest.importorskip("psutil")
    from lingshu.inference.guard import watch

    with subprocess.Popen([sys.executable, "-c", ""]) as run:
        pass
    watch(run.pid)
