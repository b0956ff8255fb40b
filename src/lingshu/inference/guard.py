"""What `--engine vllm` leaves running when this process is killed: vLLM's engine, with all its memory, for ever.

Its engine is a process of its own that does not notice the death of the one that started it (vllm 0.31, 0.32), so that
after a kill the same command would find no memory. A guard waits for the end and kills what is left then.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

INTERVAL = 1.0  # seconds between two looks: what was started within the last one may escape


def start_guard() -> None:
    """Start a process that outlives this one, however it ends, just long enough to kill the processes it started."""
    command = [sys.executable, "-m", "lingshu.inference.guard", str(os.getpid())]
    # A session of its own: Ctrl-C and a closed terminal reach this process, not the guard.
    subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)


def watch(parent_pid: int, interval: float = INTERVAL) -> None:
    """Return once the process has ended and what it had started, as of the last look, is killed."""
    # Imported here: vllm brings it.
    import psutil  # type: ignore[import-untyped, unused-ignore] # noqa: PLC0415

    mine = {os.getpid()}
    started: list[psutil.Process] = []
    try:
        parent = psutil.Process(parent_pid)
        while parent.is_running() and parent.status() != psutil.STATUS_ZOMBIE:
            started = [process for process in parent.children(recursive=True) if process.pid not in mine]
            time.sleep(interval)
    except psutil.NoSuchProcess:
        pass  # it ended between two looks
    for process in started:
        try:
            process.kill()  # psutil refuses a number that another process has by now
        except psutil.NoSuchProcess:
            continue


if __name__ == "__main__":
    watch(int(sys.argv[1]))
