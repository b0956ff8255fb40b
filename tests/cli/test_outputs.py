"""Where results are written: a device, a pipe, a folder or an input is named before the work, by every command."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lingshu.commands.data_quality import data_report
from lingshu.commands.scoring import CompareOptions, compare
from lingshu.core.errors import UserError
from tests.commanding import lingshu

PIPE = "can't be written: it is a device or a pipe"
INPUT = "can't be written: it would overwrite an input"
MISTAKES = [
    ("compare run.jsonl run.jsonl --out pipe", f"pipe: {PIPE}"),
    ("compare run.jsonl run.jsonl --out run.jsonl", f"run.jsonl: {INPUT}"),
    ("compare none.jsonl none.jsonl --out folder", "folder: can't be written: it is a folder"),
    ("report-metrics --references r.jsonl --candidates r.jsonl --out pipe", f"pipe: {PIPE}"),
    ("report-metrics --references r.jsonl --candidates r.jsonl --out r.jsonl", f"r.jsonl: {INPUT}"),
    ("report-metrics --references r.jsonl --candidates r.jsonl --per-sample pipe", f"pipe: {PIPE}"),
    ("report-metrics --references r.jsonl --candidates r.jsonl --texts-out run.jsonl", "run.jsonl is no folder"),
    ("eval --model echo --questions q.jsonl --out pipe", "pipe: can't be written: it is no folder"),
    ("eval --model echo --questions q.jsonl --out run.jsonl", "run.jsonl: can't be written: it is no folder"),
    ("eval --model echo --questions q.jsonl --out new --store pipe", "pipe: can't be written: it is no folder"),
    (
        "eval --model echo --questions q.jsonl --out new --judge echo --judge-store pipe",
        "pipe: can't be written: it is no folder",
    ),
    ("view run.jsonl --out pipe", "pipe: holds something that is no viewer"),
    ("view run.jsonl --out run.jsonl/x", "run.jsonl: can't be written: it is no folder"),
    ("overlap --train r.jsonl --against r.jsonl --out pipe", "pipe: can't be written: it is no folder"),
    ("normalize --source vqa_rad --raw folder --out pipe", "pipe: can't be written: it is no folder"),
    ("schema --out {here}/pipe", "pipe is no folder"),
]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    line = {"id": "1", "kind": "yesno", "question": "Is it?", "answer": "yes", "response": "yes"}
    (tmp_path / "run.jsonl").write_text(json.dumps(line) + "\n")
    (tmp_path / "q.jsonl").write_text('{"id": "1", "kind": "yesno", "prompt": "Is it?", "answer": "yes"}\n')
    (tmp_path / "r.jsonl").write_text('{"id": "1", "report": "No effusion."}\n')
    return tmp_path


@pytest.mark.parametrize(("arguments", "what"), MISTAKES)
def test_nothing_is_put_in_the_place_of_what_is_no_file(here: Path, arguments: str, what: str) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in here.iterdir() if path.name != "folder"}
    result = lingshu(*arguments.format(here=here).split(), at=here)
    assert (result.returncode, "Traceback" in result.stderr) == (2, False), result.stderr
    assert what in result.stderr
    assert "fix: " in result.stderr
    assert (here / "pipe").is_fifo()
    assert before.items() <= {path.name: path.stat().st_mtime_ns for path in here.iterdir()}.items()


def test_pages_are_not_written_over_someones_files(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match=r"holds files, but no index\.html: they would be deleted"):
        data_report(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_comparison_is_written_over_no_file_of_a_run(tmp_path: Path) -> None:
    line = {"id": "1", "kind": "yesno", "question": "Is it?", "answer": "yes", "response": "yes"}
    plain, evaluated = tmp_path / "plain", tmp_path / "evaluated"
    files = [plain / "x.jsonl", evaluated / "responses" / "x.jsonl"]
    for file in files:
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(line) + "\n")
    (evaluated / "run.json").write_text("{}")
    options = CompareOptions("strict", common=False, seed=0, resamples=1000, confidence=0.95, power=0.8)
    scores = evaluated / "scores" / "strict" / "x.summary.json"
    for out in (*files, evaluated / "run.json", scores):
        before = out.read_bytes() if out.is_file() else None
        with pytest.raises(UserError, match=INPUT):
            compare(plain, evaluated, options, out)
        assert (out.read_bytes() if out.is_file() else None) == before
    assert compare(plain, evaluated, options, evaluated / "compared.json")
    assert json.loads((evaluated / "compared.json").read_text())["benchmarks"][0]["n"] == 1
