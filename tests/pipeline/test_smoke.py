"""The whole pipeline for real, on `recipes/smoke.yaml`: results, determinism, kill-and-resume, what a change re-runs.

Two copies of the working tree run at the same time: one straight through; the other is killed without warning (SIGKILL
to DVC and the stage) in stages of every kind and started again each time. Both must end with the same digests.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lingshu.commands.graph import read_graph
from tests.pipeline.checkout import Checkout

pytestmark = [pytest.mark.pipeline, pytest.mark.timeout(2700)]

# Where the second run is killed: shortly after the stage has begun, or when it has put this to rest.
KILLED = {
    "normalize@radiology": "",
    "deduplicate": "",
    "train@deep": ".work/train-deep/*/checkpoint-*/COMPLETE",
    "reinforce": ".work/reinforce/*/checkpoint-*/COMPLETE",
    "predict@instruct": ".work/predict-instruct/*/*.jsonl",
}
CHECKPOINTS = ("untrained", "shallow", "deep", "instruct", "reinforce")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, Checkout]:
    """Return the straight and the interrupted run, both complete."""
    straight, interrupted = (Checkout(tmp_path_factory.mktemp(name), "smoke") for name in ("straight", "interrupted"))
    log = straight.folder / ".work/repro.log"
    process = straight.start("dvc", "repro", output=log)
    try:
        for stage, sign in KILLED.items():
            kill_in(interrupted, stage, sign)
        interrupted.run("python", "-m", "lingshu.commands.repro")
        assert process.wait() == 0, log.read_text()
    finally:
        stop(process)
    return straight, interrupted


def kill_in(checkout: Checkout, stage: str, sign: str) -> None:
    """Start `dvc repro` and kill it and its stage, without warning, in the midst of `stage`."""
    log = checkout.folder / ".work/killed.log"
    process = checkout.start("dvc", "repro", output=log)
    try:
        wait_for(lambda: f"Running stage '{stage}'" in log.read_text(), process, log)
        if sign:
            wait_for(lambda: any(checkout.folder.glob(sign)), process, log)
        else:
            time.sleep(0.4)
    finally:
        stop(process)
    assert process.returncode == -signal.SIGKILL, f"{stage} was over before the kill:\n{log.read_text()}"


def wait_for(happened: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    while not happened():
        assert process.poll() is None, f"ended too early:\n{log.read_text()}"
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_an_interrupted_run_ends_with_the_same_digests(runs: tuple[Checkout, Checkout]) -> None:
    straight, interrupted = (run.lock() for run in runs)
    assert {stage for stage in straight if straight[stage] != interrupted.get(stage)} == set()
    assert straight.keys() == interrupted.keys() == {stage.name for stage in read_graph(runs[0].folder).stages}


def test_every_checkpoint_is_scored_and_reported(runs: tuple[Checkout, Checkout]) -> None:
    scores = runs[0].read("metrics/evalkit/score.json")
    assert set(CHECKPOINTS) <= scores.keys()
    report = (runs[0].folder / "reports/index.html").read_text()
    assert all(checkpoint in report for checkpoint in CHECKPOINTS)


def test_nothing_is_written_outside_the_declared_outputs(runs: tuple[Checkout, Checkout]) -> None:
    folder = runs[0].folder
    outs = [folder / out for stage in read_graph(folder).stages for out in stage.outs]
    assert [path for path in written(folder) if not any(path.is_relative_to(out) for out in outs)] == []


def test_outputs_name_no_folder_of_this_machine(runs: tuple[Checkout, Checkout]) -> None:
    folder = runs[0].folder
    needle = str(folder).encode()
    assert [path for path in written(folder) if needle in path.read_bytes()] == []


def written(folder: Path) -> list[Path]:
    places = (folder / name for name in ("data", "models", "metrics", "plots", "reports"))
    return [path for place in places for path in place.rglob("*") if path.is_file()]


def test_every_stage_notes_its_time_under_its_own_name(runs: tuple[Checkout, Checkout]) -> None:
    noted = {path.stem for path in (runs[0].folder / ".work/timings").glob("*.json")}
    assert noted == {stage.name for stage in read_graph(runs[0].folder).stages}


def test_nothing_is_left_to_do(runs: tuple[Checkout, Checkout]) -> None:
    assert runs[0].changed() == set()
    assert "all" in runs[0].run("python", "-m", "lingshu.commands.repro")


def edited(checkout: Checkout, path: str, change: Callable[[str], str]) -> set[str]:
    """Return the stage families whose own inputs a change of one file touches; the file is put back."""
    file = checkout.folder / path
    before = file.read_text()
    after = change(before)
    assert after != before
    file.write_text(after)
    try:
        return {stage.partition("@")[0] for stage in checkout.changed()}
    finally:
        file.write_text(before)


# The report shows the parameters of the run, so each change of them makes it anew (seconds).
REPORT = {"report"}


def comment(text: str) -> str:
    return f"{text}# a comment\n"


def test_an_edit_of_evalkit_runs_no_training_again(runs: tuple[Checkout, Checkout]) -> None:
    assert edited(runs[0], "src/lingshu/evalkit/__init__.py", comment) == {"reinforce", "judge", "score"}


def test_an_edit_of_training_runs_no_data_stage_again(runs: tuple[Checkout, Checkout]) -> None:
    assert edited(runs[0], "src/lingshu/training/__init__.py", comment) == {"train"}


def test_a_threshold_of_quality_runs_the_gate_again_and_decodes_nothing(runs: tuple[Checkout, Checkout]) -> None:
    def stricter(text: str) -> str:
        return re.sub(r"(?m)^(  min_entropy:) \S+", r"\1 0.75", text)

    assert edited(runs[0], "params.yaml", stricter) == {"gate"} | REPORT


def test_another_judge_runs_no_model_again(runs: tuple[Checkout, Checkout]) -> None:
    def asked(text: str) -> str:
        judge = "judge: llm\n    judges: [{model: 'openai:a@http://localhost:1/v1'}] #"
        return text.replace("    judge: rules", f"    {judge}")

    assert edited(runs[0], "params.yaml", asked) == {"judge"} | REPORT


def test_an_ablation_of_one_mix_runs_from_that_mix_on(runs: tuple[Checkout, Checkout]) -> None:
    def without_a_group(text: str) -> str:
        head, instruct, tail = re.split(r"(?m)^(  instruct:\n)", text, maxsplit=1)
        return head + instruct + re.sub(r"samples: [1-9]\d*", "samples: 0", tail, count=1)

    assert edited(runs[0], "params.yaml", without_a_group) == {"mix"} | REPORT
