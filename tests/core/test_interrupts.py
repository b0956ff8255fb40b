"""Ctrl-C at the keyboard goes to a stage and all its workers, at any moment: one line, no traceback, nobody left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

IMPORTING = """
from lingshu.core.stage import run_stage
open("ready", "w").close()
import slow
"""
WORKING = """
import time
from lingshu.core.parallel import Workers, in_order
from lingshu.core.stage import run_stage

if __name__ != "__main__":
    open("ready", "w").close()
    time.sleep({import_seconds})

def work(number):
    open("working", "w").close()
    time.sleep(0.5)
    return number

def main():
    for _ in in_order(work, range(99), Workers(processes=2)):
        pass

if __name__ == "__main__":
    run_stage("measure@x", main)
"""


def at_work(group: int) -> list[str]:
    """Return the processes of a group but for those that have ended."""
    listed = subprocess.run(["ps", "-eo", "pgid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    rows = (line.split(maxsplit=2) for line in listed.splitlines())
    return [args for found, state, args in rows if int(found) == group and not state.startswith("Z")]


def pressed(folder: Path, code: str, when: str) -> subprocess.CompletedProcess[str]:
    """Run code as a terminal would, and press Ctrl-C once a file is there."""
    (folder / "slow.py").write_text("import time\ntime.sleep(60)\n")
    (folder / "stage.py").write_text(code)
    started = subprocess.Popen(
        [sys.executable, "stage.py"], cwd=folder, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    with started as process:
        while not (folder / when).exists():
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    end = time.monotonic() + 20
    while at_work(process.pid):
        assert time.monotonic() < end, at_work(process.pid)
        time.sleep(0.1)
    return subprocess.CompletedProcess([], process.returncode, stderr=said)


def test_while_a_stage_imports(tmp_path: Path) -> None:
    result = pressed(tmp_path, IMPORTING, "ready")
    assert (result.returncode, result.stderr) == (130, "interrupted; run the same command again to go on\n")


@pytest.mark.parametrize(("when", "import_seconds"), [("ready", 2), ("working", 0)])
def test_while_workers_import_and_work(tmp_path: Path, when: str, import_seconds: int) -> None:
    result = pressed(tmp_path, WORKING.format(import_seconds=import_seconds), when)
    said = "measure@x: interrupted; run the same command again to go on\n"
    assert (result.returncode, result.stderr) == (130, said)


def test_a_defect_while_a_stage_imports_keeps_its_traceback(tmp_path: Path) -> None:
    code = "from lingshu.core.stage import run_stage\nimport no_such_module\n"
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "ModuleNotFoundError: No module named 'no_such_module'" in result.stderr
