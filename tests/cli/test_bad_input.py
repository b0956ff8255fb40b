"""Bad input as people meet it: each is named with its fix, nothing that was answered is lost or asked twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.commanding import lingshu
from tests.loopback_openai import MODEL, Reply, error, serving

GOOD = {"id": "q0", "kind": "mcq", "prompt": "Q? A. x B. y", "choices": ["A. x", "B. y"], "answer": "B"}


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "lingshu.cli", *map(str, arguments)]


def run(at: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    found = lingshu(*arguments, at=at)
    assert "Traceback" not in found.stderr, found.stderr
    return found


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def many(tmp_path: Path, number: int = 12) -> Path:
    return write(tmp_path / "q.jsonl", *({**GOOD, "id": f"q{n}", "prompt": f"question {n}"} for n in range(number)))


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([GOOD, GOOD | {"id": "2", "choices": []}], "in.jsonl:2.choices: List should have at least 1 item"),
        ([GOOD | {"answer": []}], "in.jsonl:1.answer"),
        ([GOOD | {"kind": "multi"}], "in.jsonl:1.kind: Input should be 'mcq'"),
        ([["no", "object"]], "in.jsonl:1: should be an object with keys and values (got ['no', 'object'])"),
        ([], "in.jsonl: no question"),
    ],
)
def test_a_question_that_can_not_be_scored_is_named_before_it_is_asked(
    tmp_path: Path, rows: list[object], what: str
) -> None:
    write(tmp_path / "in.jsonl", *rows)
    found = run(tmp_path, "eval", "--model", "echo", "--questions", "in.jsonl", "--out", "out")
    assert found.returncode == 2
    assert what in found.stderr
    assert "lingshu check" not in found.stderr
    assert not (tmp_path / "out").exists()


def test_pictures_that_fail_are_named_with_what_to_do_and_count_as_not_asked(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("not a picture")
    names = ("none.png", "empty.png", "text.png")
    write(tmp_path / "in.jsonl", GOOD, *(GOOD | {"id": name, "pictures": [name]} for name in names))
    with serving(lambda prompt, n: Reply("B")) as s:
        model = f"openai:{MODEL}@{s.url}"
        found = run(tmp_path, "eval", "--model", model, "--questions", "in.jsonl", "--out", "out")
        assert len(s.calls) == 1
    assert found.returncode == 1
    assert "in  1 of 4 answered, 1 asked now; failed 3 picture" in found.stdout
    assert "such as none.png: picture: none.png: No such file or directory; put the picture there" in found.stderr
    lines = [json.loads(line) for line in (tmp_path / "out/responses/in.jsonl").read_text().splitlines()]
    assert "empty.png: not a readable picture: it is empty" in lines[2]["error"]
    assert "text.png: not a readable picture: cannot identify image file; mend" in lines[3]["error"]


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (error(500, "boom"), "such as q0: server_error: 500: boom (after 2 tries)"),
        (error(429, "slow down"), "such as q0: rate_limit: 429: slow down (after 2 tries)"),
        (Reply(body="<html>"), "such as q0: malformed: 200, but no chat completion"),
        (Reply(body={"choices": []}), "such as q0: malformed: 200, but no chat completion"),
    ],
)
def test_what_a_broken_server_says_is_shown(tmp_path: Path, reply: Reply, what: str) -> None:
    questions = many(tmp_path, 2)
    with serving(lambda prompt, n: reply) as s:
        options = ("--model", f"openai:{MODEL}@{s.url}", "--questions", questions, "--out", "out", "--tries", 2)
        found = run(tmp_path, "eval", *options)
    assert found.returncode == 1
    assert "q: 2 of 2 questions have no answer" in found.stderr
    assert what in found.stderr


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_loses_only_what_was_on_its_way(tmp_path: Path, number: signal.Signals) -> None:
    questions = many(tmp_path)
    with serving(lambda prompt, n: Reply("B", seconds=0.2)) as s:
        options = ("--model", f"openai:{MODEL}@{s.url}", "--questions", questions, "--out", "out", "--concurrency", 1)
        child = subprocess.Popen(command("eval", *options), cwd=tmp_path, stderr=subprocess.DEVNULL)
        while len(s.calls) < 5:
            time.sleep(0.02)
        child.send_signal(number)
        child.wait(timeout=20)
        half = run(tmp_path, "view", "out", "--out", "pages")
        assert (half.returncode, "out: neither run.json nor .jsonl files" in half.stderr) == (2, True)
        found = run(tmp_path, "eval", *options)
        asked = [s.times(f"question {n}") for n in range(12)]
    assert found.returncode == 0, found.stderr
    assert "12 of 12 answered" in found.stdout
    assert sum(asked) <= 13
    assert max(asked) <= 2


def test_a_full_disk_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    """The limit on file size stands for the full disk: the store's file is the first to meet it."""
    questions = many(tmp_path)
    with serving(lambda prompt, n: Reply("B")) as s:
        options = ("--model", f"openai:{MODEL}@{s.url}", "--questions", questions, "--out", "out", "--concurrency", 1)
        limited = f"ulimit -f 4; exec {' '.join(command('eval', *options))}"
        shell = ["bash", "-c", f"trap '' XFSZ; {limited}"]
        full = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert full.returncode == 2, full.stderr
        assert "the disk is full, or a quota is used up\n  fix: free space" in full.stderr
        kept = (tmp_path / "out/store/responses-1.jsonl").read_text().count("\n")
        assert 0 < kept < 12
        found = run(tmp_path, "eval", *options)
        assert f"12 of 12 answered, {12 - kept} asked now" in found.stdout


def test_a_judge_that_talks_or_fails_is_quoted(tmp_path: Path) -> None:
    line = {"id": "1", "kind": "open", "question": "What?", "answer": "lung", "response": "a lung"}
    write(tmp_path / "in.jsonl", line)
    with serving(lambda prompt, n: Reply("A fine answer,\nI feel.")) as s:
        found = run(tmp_path, "score", "in.jsonl", "--out", "out.jsonl", "--judge", f"openai:{MODEL}@{s.url}")
    assert "1 unreadable\n  unreadable, such as 1: A fine answer, I feel.\n" in found.stderr
    with serving(lambda prompt, n: error(500, "boom")) as s:
        options = ("--judge", f"openai:{MODEL}@{s.url}", "--judge-options", '{"tries": 2}', "--judge-store", "other")
        found = run(tmp_path, "score", "in.jsonl", "--out", "out.jsonl", *options)
    assert found.returncode == 1
    assert "  failed, such as 1: server_error: 500: boom (after 2 tries)\n" in found.stderr


def test_a_half_written_run_says_to_run_eval_again(tmp_path: Path) -> None:
    many(tmp_path, 3)
    run(tmp_path, "eval", "--model", "echo", "--questions", "q.jsonl", "--out", "out")
    responses, record = tmp_path / "out/responses/q.jsonl", tmp_path / "out/run.json"
    kept = responses.read_bytes(), record.read_bytes()
    responses.unlink()
    found = run(tmp_path, "view", "out", "--out", "pages")
    assert "out/responses/q.jsonl: missing, although out/run.json names it" in found.stderr
    responses.write_bytes(kept[0])
    for broken in (b"", kept[1][:200], os.urandom(64) + b"\xff"):
        record.write_bytes(broken)
        for arguments in (("view", "out", "--out", "pages"), ("compare", "out", "out")):
            found = run(tmp_path, *arguments)
            assert (found.returncode, "error: out/run.json" in found.stderr) == (2, True), found.stderr
            assert "write one JSON object on each line" not in found.stderr
    assert not (tmp_path / "pages").exists()


def test_a_csv_without_the_column_says_which_it_has(tmp_path: Path) -> None:
    write(tmp_path / "r.jsonl", {"id": "1", "report": "No effusion."})
    (tmp_path / "c.csv").write_text("id,text\n1,No effusion.\n")
    found = run(tmp_path, "report-metrics", "--references", "r.jsonl", "--candidates", "c.csv")
    assert (found.returncode, "c.csv, line 2: no 'report' among 'id', 'text'" in found.stderr) == (2, True)


def test_a_line_of_100_mb_is_read_or_named(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(b"x" * 100_000_000 + b"\n")
    for arguments in (("score", "in.jsonl"), ("eval", "--model", "echo", "--questions", "in.jsonl", "--out", "out")):
        found = run(tmp_path, *arguments)
        assert (found.returncode, "in.jsonl:1: not JSON" in found.stderr) == (2, True)
        assert len(found.stderr) < 1000
