"""`lingshu view` as people type it: runs of `lingshu eval`, names, pictures, and mistakes."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from lingshu.commands.view import find_runs
from lingshu.core.errors import UserError
from tests.commanding import lingshu
from tests.inference.invented import png
from tests.loopback_openai import MODEL, Reply, serving
from tests.small_run import HELD_OUT, write_data, write_results

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    {"id": "1", "kind": "mcq", "prompt": "Which?\nA. a\nB. b", "choices": ["A. a", "B. b"], "question": "Which?",
     "answer": "A", "pictures": ["a.png"], "meta": {"modality": "CT"}},
    {"id": "2", "kind": "yesno", "prompt": "Is it?", "answer": "no"},
]  # fmt: skip


def run(*arguments: object, at: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return lingshu(*arguments, at=at)


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
    assert_as_written(tmp_path)


def assert_as_written(tmp_path: Path) -> None:
    """The first run's verdicts on `own` are those that `lingshu eval` has written."""
    text = (tmp_path / "site" / "data" / "g000" / "c00000.js").read_text(encoding="utf-8")
    shown = json.loads(text.partition(", ")[2].removesuffix(");\n"))
    for key, rules in (("first", "strict"), ("official", "official")):
        lines = map(
            json.loads, (tmp_path / "out" / "scores" / rules / "own.jsonl").read_text(encoding="utf-8").splitlines()
        )
        assert [(row["id"], row[key]["correct"], row[key]["rule"]) for row in shown] == [
            (line["id"], line["correct"], line["rule"]) for line in lines
        ]


def test_a_judged_run_as_the_program_writes_it(tmp_path: Path) -> None:
    rows = [{"id": "1", "kind": "open", "prompt": "Where?", "answer": "lung"}, *ROWS[1:]]
    (tmp_path / "own.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    reply = Reply(json.dumps({"reason": "because", "verdict": "yes"}))
    with serving(lambda prompt, count: reply) as server:
        options = ("--judge", f"openai:{MODEL}@{server.url}", "--out", "out")
        asked = run("eval", "--model", "echo", "--questions", "own.jsonl", *options, at=tmp_path)
    assert asked.returncode == 0, asked.stderr
    result = run("view", "out", "--out", "site", at=tmp_path)
    assert result.returncode == 0, result.stderr
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "not comparable" not in page
    assert_as_written(tmp_path)
    assert f'"name": "{MODEL}"' in (tmp_path / "site" / "data" / "g000" / "c00000.js").read_text(encoding="utf-8")


def test_checkpoints_of_the_pipeline_have_their_pictures_and_suites(tmp_path: Path) -> None:
    project = tmp_path / "project"
    write_data(project)
    write_results(project)
    responses = project / "data" / "responses"
    lone = responses / "instruct" / "films_vqa.jsonl"
    result = run("view", responses / "instruct", responses / "reinforce", lone, "--out", "site", at=tmp_path)
    assert result.returncode == 0, result.stderr
    told = re.search(r"3 runs, (\d+) answers, (\d+) with a picture", result.stdout)
    assert told is not None
    assert told[1] == told[2] == str(7 * HELD_OUT)
    assert result.stderr == ""
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "<h2>Multimodal</h2>" in page
    assert "<h2>Other</h2>" not in page
    assert "<title>chance 50.0%</title>" in page


def test_pictures_that_are_gone_are_told_by_name(own: Path, tmp_path: Path) -> None:
    assert run("eval", "--model", "echo", "--questions", own, "--out", "out", at=tmp_path).returncode == 0
    (tmp_path / "a.png").unlink()
    result = run("view", "out", "--questions", own, "--out", "site", at=tmp_path)
    fix = "put the picture there, or mend the path"
    assert result.stderr == f"warning: own, 1: a.png: No such file or directory: {fix}\n"
    assert str(tmp_path) not in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")


def test_a_public_benchmark_without_its_folder_says_what_to_pass(tmp_path: Path) -> None:
    line = {"id": "1", "kind": "yesno", "question": "Is it?", "answer": "no", "response": "no"}
    (tmp_path / "slake.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    result = run("view", "slake.jsonl", "--out", "site", at=tmp_path)
    assert "warning: slake: its pictures are not given: pass --folder slake=DIR" in result.stderr


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
