"""`lingshu eval --shuffles`: other orders are asked once, kept apart from the run, and told of."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_score_judge import write
from tests.commanding import lingshu
from tests.loopback_openai import MODEL, Reply, error, serving

WORDS = ("aorta", "vein", "nerve", "bone")


def item(number: int, last: str = "bone", **changes: object) -> dict[str, object]:
    choices = [f"{letter}. {word}" for letter, word in zip("ABCD", (*WORDS[:3], last), strict=True)]
    prompt = f"Item {number}?\n" + "\n".join(choices)
    fields = {"id": str(number), "kind": "mcq", "prompt": prompt, "choices": choices, "answer": "ABCD"[number % 4]}
    return fields | {"question": f"Item {number}?"} | changes


def questions(at: Path) -> Path:
    rows = [*(item(n) for n in range(24)), item(24, "Both A and B"), item(25, "None of the above")]
    return write(at / "own.jsonl", [*rows, {"id": "x", "kind": "yesno", "prompt": "Is it?", "answer": "yes"}])


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return lingshu(*arguments, at=Path.cwd())


def test_an_engine_that_always_says_a_is_told_of(tmp_path: Path) -> None:
    out = tmp_path / "out"
    line = ("eval", "--model", "echo", "--questions", questions(tmp_path), "--out", out, "--shuffles", 3)
    result = run(*line)
    assert result.returncode == 0, result.stderr
    assert "position bias over 25 questions in 4 orders" in result.stdout
    assert "not shuffled: 1 names_options" in result.stdout
    assert "A 100.0%" in result.stdout
    assert "p ≤ 0.0005" in result.stdout
    report = json.loads((out / "scores/position_bias/own.json").read_text())
    assert (report["shuffles"], report["shuffle_seed"], report["items"]) == (3, 0, 25)
    assert report["consistency"]["share"] < 0.2
    # The run itself is what it is without shuffles; each shuffle is a run beside it.
    assert sorted(path.name for path in (out / "responses").iterdir()) == ["own.jsonl"]
    assert len((out / "responses/own.jsonl").read_text().splitlines()) == 27
    for number in (1, 2, 3):
        lines = [json.loads(row) for row in (out / f"shuffles/{number}/responses/own.jsonl").read_text().splitlines()]
        assert len(lines) == 25
        assert lines[24]["choices"][3] == "D. None of the above"
        record = json.loads((out / f"shuffles/{number}/run.json").read_text())["benchmarks"]["own"]["record"]
        assert (record["shuffle"], record["shuffle_seed"]) == (number, 0)
    compared = run("compare", out, out / "shuffles/1", "--common")
    assert compared.returncode == 0, compared.stderr


def test_nothing_is_asked_twice_and_what_failed_is_asked_again(tmp_path: Path) -> None:
    broken = True

    def by_content(prompt: str, count: int) -> Reply:
        if prompt == "Is it?":
            return Reply("yes")
        if broken and "Item 3?" in prompt and "A. aorta" not in prompt:
            return error(400, "odd")
        return Reply(next(line for line in prompt.splitlines() if line.endswith("vein")))

    with serving(by_content) as server:
        line = ["eval", "--model", f"openai:{MODEL}@{server.url}", "--questions", questions(tmp_path)]
        line += ["--out", tmp_path / "out", "--shuffles", 2, "--shuffle-seed", 5, "--tries", 1]
        first = run(*line)
        assert first.returncode == 1
        assert re.search(r"shuffles/\d: own: 1 of 25 questions have no answer \(1 bad_request\)", first.stderr)
        assert "1 without an answer in some order" in first.stdout
        files = [tmp_path / f"out/shuffles/{number}/responses/own.jsonl" for number in (1, 2)]
        failed = sum(file.read_text().count('"response": null') for file in files)
        broken, calls = False, len(server.calls)
        again = run(*line)
        assert again.returncode == 0, again.stderr
        assert len(server.calls) == calls + failed
        assert "the same option in every order 1.0000" in again.stdout
        assert "p 1.0000" in again.stdout
        calls = len(server.calls)
        assert run(*line[:-6], "--shuffles", 3, "--shuffle-seed", 5, "--tries", 1).returncode == 0
        assert len(server.calls) == calls + 25  # one more order of each, and no other


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"id": "1", "kind": "open", "prompt": "What?", "answer": "x"}], ""),
        ([item(1, "Both A and B")], "position bias: nothing to say; not shuffled: 1 names_options"),
    ],
)
def test_what_has_no_options_to_move_is_asked_once(
    tmp_path: Path, rows: list[dict[str, object]], expected: str
) -> None:
    own = write(tmp_path / "own.jsonl", rows)
    result = run("eval", "--model", "echo", "--questions", own, "--out", tmp_path / "out", "--shuffles", 2)
    assert result.returncode == 0, result.stderr
    assert expected in result.stdout
    assert ("position bias" in result.stdout) == bool(expected)


def test_a_file_of_answers_has_no_other_order(tmp_path: Path) -> None:
    answers = write(tmp_path / "answers.jsonl", [{"id": "1", "response": "A"}])
    own = write(tmp_path / "own.jsonl", [item(1)])
    result = run("eval", "--model", answers, "--questions", own, "--out", tmp_path / "out", "--shuffles", 2)
    assert result.returncode == 2
    assert "can't be asked in another order" in result.stderr
