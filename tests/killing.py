"""Killing a stage's process once it has written a checkpoint."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lingshu.modeling.resume import MARK


def kill_at_checkpoint(scratch: Path, work: Callable[..., Any], *given: Any) -> None:
    """Run `work(*given)` in a process and kill it when a checkpoint under `scratch` is complete."""
    child = multiprocessing.get_context("spawn").Process(target=work, args=given)
    child.start()
    assert child.pid is not None
    while not list(scratch.glob(f"*/checkpoint-*/{MARK}")):
        assert child.is_alive(), "the run ended before it could be killed"
        time.sleep(0.002)
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert child.exitcode == -signal.SIGKILL
