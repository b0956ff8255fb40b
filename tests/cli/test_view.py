"""`lingshu view` as people type it: runs of `lingshu eval`, names, pictures, and mistakes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lingshu.commands.view import find_runs
from lingshu.core.errors import UserError
from tests.inference.invented import png

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    {"id": "1", "kind": "mcq", "prompt": "Which?\nA. a\nB. b", "choices": ["A. a", "B. b"], "question": "Which?",
     "answer": "A", "pictures": ["a.png"], "meta": {"modality": "CT"}},
    {"id": "2", "kind": "yesno", "prompt": "Is it?", "answer": "no"},
]  # fmt: skip


def run(*arguments: object, at: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lingshu.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=at, capture_output=True, text=True, check=False)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "a.png").write_bytes(png(1).data)
    path = tmp_path / "own.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in ROWS), encoding="utf-8")
    return path


def test_a_run_of_eval_with_its_pictures(own: Path, tmp_path: Path) -> None:
    asked = run("eval", "--model", "echo", "--questions", own, "--out", "out", at=tmp_path)
    assert asked.returncode == 0, asked.stderr
    result = run("view", "out", "again=out", "--questions", own, "--out", "site", at=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "site/index.html: 2 runs, 4 answers, 2 with a picture\n"
    assert len(list((tmp_path / "site" / "pictures").iterdir())) == 1
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert '"label": "again"' in page
    assert '"label": "echo"' in page


def test_names_of_runs(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "responses").mkdir(parents=True)
        (tmp_path / name / "responses" / "x.jsonl").touch()
        (tmp_path / f"{name}.jsonl").touch()
    texts = [f"{tmp_path}/a", f"{tmp_path}/b", f"mine={tmp_path}/a", f"{tmp_path}/b.jsonl"]
    found = [(run.input.label, [path.name for path in run.input.files]) for run in find_runs(texts)]
    assert found == [
        ("a", ["x.jsonl"]), (f"{tmp_path}/b", ["x.jsonl"]), ("mine", ["x.jsonl"]), (f"{tmp_path}/b.jsonl", ["b.jsonl"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "what"),
    [
        (["gone"], "no such file"),
        (["."], "neither run.json nor"),
        (["a=x.jsonl", "a=x.jsonl"], "two runs of this name"),
    ],
)
def test_mistakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: list[str], what: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.jsonl").touch()
    monkeypatch.chdir(tmp_path if texts != ["a=x.jsonl", "a=x.jsonl"] else tmp_path / "sub")
    with pytest.raises(UserError, match=what):
        find_runs(texts)
