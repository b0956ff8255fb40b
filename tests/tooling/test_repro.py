"""`make repro` on a tiny pipeline: forecast, results, a stop that leaves nothing running, going on after it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lingshu.commands.graph import read_graph
from lingshu.commands.repro import affected, clock, families

DVC_YAML = """
stages:
  first:
    cmd: python stages/first.py
    deps:
      - stages/first.py
    outs:
      - data/first
  second:
    foreach:
      - a
      - b
    do:
      cmd: python stages/second.py ${item}
      deps:
        - stages/second.py
        - data/first
      outs:
        - data/second/${item}
"""
STAGE = """
import pathlib, sys, time
from lingshu.core.stage import run_stage
def main():
    {wait}
    path = pathlib.Path("data", *{path})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("done")
run_stage("@".join({path}), main)
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fresh")
    (folder / "stages").mkdir()
    (folder / "dvc.yaml").write_text(DVC_YAML)
    (folder / "params.yaml").write_text("recipe: tiny\n")
    (folder / "stages/first.py").write_text(STAGE.format(wait="", path=["first"]))
    write_second(folder, "")
    for command in (["git", "init", "-q"], ["dvc", "init", "-q"]):
        subprocess.run(command, cwd=folder, env=environment(), check=True)
    return folder


@pytest.fixture
def project(fresh: Path, tmp_path: Path) -> Path:
    return shutil.copytree(fresh, tmp_path / "project")


def write_second(project: Path, wait: str) -> None:
    text = STAGE.format(wait=wait, path="['second', sys.argv[1]]")
    (project / "stages/second.py").write_text(text)


def environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def repro(project: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lingshu.commands.repro"]
    return subprocess.run(command, cwd=project, env=environment(), capture_output=True, text=True, check=False)


def test_forecast_run_and_nothing_to_do(project: Path) -> None:
    first = repro(project)
    assert first.returncode == 0, first.stderr
    assert "recipe tiny: 3 of 3 stages may run: first second@{a,b}" in first.stdout
    assert "no earlier run" in first.stdout
    assert "report:  reports/index.html" in first.stdout
    assert set(json.loads((project / ".work/timings/repro.json").read_text())["stages"]) == {
        "first", "second@a", "second@b",
    }  # fmt: skip
    second = repro(project)
    assert second.returncode == 0
    assert second.stdout.startswith("recipe tiny: all 3 stages are up to date\nreport: ")
    write_second(project, "pass")
    third = repro(project)
    assert "2 of 3 stages may run: second@{a,b}" in third.stdout
    assert "2 of them took" in third.stdout


def test_a_run_that_fails_or_is_stopped_leaves_nothing_running_and_the_next_goes_on(project: Path) -> None:
    write_second(project, "raise ZeroDivisionError")
    failed = repro(project)
    assert failed.returncode not in (0, 130)
    assert "ZeroDivisionError" in failed.stderr
    assert "`make repro` goes on from here" in failed.stderr
    write_second(project, "")
    mended = repro(project)
    assert mended.returncode == 0
    assert "2 of 3 stages may run" in mended.stdout
    for number in (signal.SIGINT, signal.SIGTERM):
        write_second(project, "import os; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(300)")
        stop_in_second(project, number)
        write_second(project, f"pass  # after {number.name}")  # new code: nothing of it is in DVC's run cache
        assert repro(project).returncode == 0


def stop_in_second(project: Path, number: signal.Signals) -> None:
    """Send a signal to a run when its second stage works: it reaches the stage, and nobody is left."""
    (project / "pid").unlink(missing_ok=True)
    command = [sys.executable, "-m", "lingshu.commands.repro"]
    run = subprocess.Popen(command, cwd=project, env=environment(), stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not (project / "pid").exists() and time.monotonic() < end:
        time.sleep(0.05)
    run.send_signal(number)
    _, message = run.communicate(timeout=30)
    assert run.returncode == 130
    assert "second@a: interrupted" in message
    with pytest.raises(ProcessLookupError):
        os.kill(int((project / "pid").read_text()), 0)


def test_without_dvc_on_path_it_says_what_to_do(project: Path) -> None:
    command = [sys.executable, "-m", "lingshu.commands.repro"]
    result = subprocess.run(
        command, cwd=project, env={**os.environ, "PATH": "/nowhere"}, capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert "dvc is not on PATH" in result.stderr
    assert "make repro" in result.stderr


def test_what_a_change_affects_and_how_it_is_told(project: Path) -> None:
    graph = read_graph(project)
    assert affected(graph, ["first"]) == ["first", "second@a", "second@b"]
    assert affected(graph, ["second@b"]) == ["second@b"]
    assert families(["first", "second@a", "second@b"]) == ["first", "second@{a,b}"]
    assert families(["second@b"]) == ["second@b"]


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.6, "1 min 00 s"), (61, "1 min 01 s"), (41.2, "41 s")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text
