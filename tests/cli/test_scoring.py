"""`lingshu score` as people type it: the file contract, complete output or none, mistakes named by file and line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commanding import lingshu

ROOT = Path(__file__).resolve().parents[2]
RUN = [sys.executable, "-m", "lingshu.cli"]
CHOICES = ["A. MRI", "B. CT"]


def line(identity: str, response: str | None = "B", **changes: object) -> dict[str, object]:
    fields = {"id": identity, "kind": "mcq", "question": "Which?", "choices": CHOICES, "answer": "B"}
    return fields | {"response": response, "meta": {"modality": ["CT", "MRI"], "language": "en"}} | changes


def write(path: Path, lines: list[dict[str, object] | str]) -> Path:
    text = "".join((one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)) + "\n" for one in lines)
    path.write_text(text, encoding="utf-8")
    return path


def score(*arguments: object, at: Path) -> subprocess.CompletedProcess[str]:
    return lingshu("score", *arguments, at=at)


def test_a_line_out_for_each_line_in_at_any_place_without_a_project(tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", [line("1"), line("2", "The answer is A."), line("3", "?"), line("4", cluster="p1")])
    (tmp_path / "deep").mkdir()
    result = score("../in.jsonl", at=tmp_path / "deep")
    assert result.returncode == 0, result.stderr
    found = [json.loads(one) for one in result.stdout.splitlines()]
    assert [one["id"] for one in found] == ["1", "2", "3", "4"]
    assert found[1] == {
        "id": "2",
        "kind": "mcq",
        "correct": False,
        "score": 0.0,
        "parsed": "A",
        "rule": "stated_letter",
        "no_answer": False,
        "rules": "strict",
        "cluster": "",
        "meta": {"modality": ["CT", "MRI"], "language": "en"},
    }
    assert (found[2]["correct"], found[2]["no_answer"]) == (False, True)
    assert "4 responses by the strict rules: accuracy 0.5000" in result.stderr


def test_files_are_written_whole_with_a_summary(tmp_path: Path) -> None:
    lines = [line(str(n), "B" if n < 30 else "", cluster=f"p{n // 4}") for n in range(40)]
    lines += [
        line("o", kind="open", answer="lung"),
        line("r", kind="rubric", answer=None),
        line("e", None, error="timeout"),
    ]
    write(tmp_path / "in.jsonl", lines)
    result = score("in.jsonl", "--out", "a/out.jsonl", "--summary", "a/sum.json", at=tmp_path)
    assert (result.returncode, result.stdout) == (0, "")
    assert len((tmp_path / "a/out.jsonl").read_text().splitlines()) == 43
    summary = json.loads((tmp_path / "a/sum.json").read_text())
    assert (summary["accuracy"], summary["n"], summary["clusters"]) == (0.75, 40, 10)
    assert summary["low"] < 0.75 < summary["high"]
    assert (summary["by_rule"], summary["by_judge"], summary["no_answer"]) == (0.75, 0.0, 0.25)
    assert summary["unscored"] == {"total": 3, "reasons": {"no_response": 1, "unjudged": 2}}
    assert summary["by_meta"]["modality"]["CT"]["n"] == summary["by_meta"]["modality"]["MRI"]["n"] == 40
    assert summary["by_kind"]["open"]["unscored"]["total"] == 1
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["out.jsonl", "sum.json"]


def test_official_rules_draw_by_a_seed_that_stands_in_the_output(tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", [line(str(n), "?", kind="mmmu") for n in range(20)] + [line("x", "")])
    runs = [score("in.jsonl", "--rules", "official", "--seed", seed, at=tmp_path).stdout for seed in (5, 5, 6)]
    assert runs[0] == runs[1] != runs[2]
    found = [json.loads(one) for one in runs[0].splitlines()]
    assert {(one["rule"], one["seed"]) for one in found[:20]} == {("random_choice", 5)}
    assert (found[20]["correct"], found[20]["rule"], "seed" in found[20]) == (False, "first_option", False)


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ("{half a line", "in.jsonl:2: not JSON"),
        ('["a list"]', "in.jsonl:2: should be an object"),
        ('{"id": "2", "meta": ' + "1" * 5000 + "}", "in.jsonl:2: not JSON: Exceeds the limit"),
        (line("1"), "in.jsonl:2: id '1' stands in line 1 too"),
        (line("2", kind="riddle"), "in.jsonl:2.kind: Input should be 'mcq'"),
        (line("2", response=3), "in.jsonl:2.response: Input should be a valid string"),
        (line("2", None), "`response` is null without an `error`"),
        (line("2", answer=None), "`answer` is missing"),
        (line("2", choices=[]), "in.jsonl:2.choices: List should have at least 1 item"),
        (line(""), "in.jsonl:2.id: String should have at least 1 character"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_written(
    tmp_path: Path, bad: dict[str, object] | str, complaint: str
) -> None:
    write(tmp_path / "in.jsonl", [line("1"), bad, line("3"), "{also bad"])
    (tmp_path / "out.jsonl").write_text("as it was")
    for arguments in (("--out", "out.jsonl"), ()):
        result = score("in.jsonl", *arguments, at=tmp_path)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.startswith("error: 2 of 4 lines can't be scored:")
        assert complaint in result.stderr
        assert "in.jsonl:4: not JSON" in result.stderr
        assert "Traceback" not in result.stderr
    assert (tmp_path / "out.jsonl").read_text() == "as it was"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def test_a_gold_that_is_no_option_is_named_unscored_and_loses_nothing(tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", [line("1"), line("2", answer="Paracetamol"), line("3")])
    result = score("in.jsonl", "--summary", "sum.json", at=tmp_path)
    assert result.returncode == 0
    assert (
        "warning: in.jsonl:2: id '2': gold answer 'Paracetamol' is not among the 2 options; unscored" in result.stderr
    )
    found = [json.loads(one) for one in result.stdout.splitlines()]
    assert [one["correct"] for one in found] == [True, None, True]
    assert "Paracetamol" in found[1]["reason"]
    summary = json.loads((tmp_path / "sum.json").read_text())
    assert (summary["n"], summary["unscored"]["reasons"]) == (2, {"gold_not_among_options": 1})
    assert summary["gold_errors"] == ["in.jsonl:2: id '2': gold answer 'Paracetamol' is not among the 2 options"]


def test_strange_text_survives(tmp_path: Path) -> None:
    lines = [
        "\ufeff" + json.dumps(line("1", "答案是Ｂ")),
        "",
        json.dumps(line("2", "\ud800 \x00", kind="open", answer="x")),
    ]
    (tmp_path / "in.jsonl").write_bytes(b"\r\n".join(one.encode() for one in lines))
    result = score("in.jsonl", at=tmp_path)
    assert result.returncode == 0, result.stderr
    found = [json.loads(one) for one in result.stdout.splitlines()]
    assert (found[0]["parsed"], found[1]["parsed"][:1]) == ("B", "\ud800")
    (tmp_path / "in.jsonl").write_bytes(b'{"id": "\xff"}\n')
    assert "in.jsonl:1: not UTF-8" in score("in.jsonl", at=tmp_path).stderr


def test_half_a_surrogate_pair_in_meta_is_kept_everywhere(tmp_path: Path) -> None:
    half = {"benchmark": "b\ud83d", "topic": ["\ud83d"]}
    (tmp_path / "in.jsonl").write_text(json.dumps(line("1", meta=half)) + "\n")
    result = score("in.jsonl", "--out", "out.jsonl", "--summary", "sum.json", at=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / "out.jsonl").read_text())["meta"] == half
    assert list(json.loads((tmp_path / "sum.json").read_text())["by_meta"]["topic"]) == ["\ud83d"]
    result = compare("in.jsonl", "out.jsonl", "--out", "compared.json", at=tmp_path)
    assert (result.returncode, r"b\ud83d" in result.stdout) == (0, True), result.stderr


def test_mistakes_with_files_are_one_message(tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", [line("1")])
    (tmp_path / "empty.jsonl").write_text("\n")
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    for arguments, complaint in (
        (["none.jsonl"], "none.jsonl: no such file"),
        (["empty.jsonl"], "empty.jsonl: no responses"),
        (["."], ".: Is a directory"),
        (["pipe"], "pipe: a pipe or a device, and it is read more than once"),
        (["in.jsonl", "--out", "in.jsonl"], "in.jsonl: can't be written: it would overwrite an input"),
        (["in.jsonl", "--out", "file/out.jsonl"], "file/out.jsonl: can't be written"),
        (["in.jsonl", "--summary", "file/x"], "file/x: can't be written"),
        (["in.jsonl", "--summary", "x", "--out", "./x"], "x: can't be written: it would overwrite another output"),
    ):
        result = score(*arguments, at=tmp_path)
        assert result.returncode == 2, arguments
        assert result.stderr.startswith(f"error: {complaint}"), result.stderr
        assert "Traceback" not in result.stderr
    assert (tmp_path / "in.jsonl").read_text().startswith('{"id": "1"')


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here, which is how a full disk is played")
@pytest.mark.parametrize("option", ["--out", "--summary"])
def test_a_device_or_pipe_is_never_replaced_by_a_file(tmp_path: Path, option: str) -> None:
    write(tmp_path / "in.jsonl", [line("1")])
    os.mkfifo(tmp_path / "pipe")
    result = score("in.jsonl", option, "pipe", at=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert "error: pipe: can't be written: it is a device or a pipe" in result.stderr
    assert (tmp_path / "pipe").is_fifo()


def test_a_full_disk_and_a_reader_that_leaves(tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", [line(str(n)) for n in range(3000)])
    command = " ".join([*RUN, "score", "in.jsonl"])
    full = subprocess.run(
        f"{command} > /dev/full", shell=True, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (full.returncode, "Traceback" in full.stderr) == (2, False)
    assert "error: standard output: can't be written: No space left on device" in full.stderr
    left = subprocess.run(f"{command} | head -1", shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert json.loads(left.stdout)["id"] == "0"
    assert "Traceback" not in left.stderr
    assert "Exception" not in left.stderr


def test_the_documented_example_is_what_is_printed(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "score-files.md").read_text(encoding="utf-8").split("## Example")[1]
    responses, printed = (block.split("```")[0] for block in page.split("```jsonl\n")[1:3])
    told = page.split("on stderr:\n\n```\n")[1].split("```")[0]
    (tmp_path / "responses.jsonl").write_text(responses, encoding="utf-8")
    result = score("responses.jsonl", at=tmp_path)
    assert (result.stdout, result.stderr) == (printed, told)


def compare(*arguments: object, at: Path) -> subprocess.CompletedProcess[str]:
    return lingshu("compare", *arguments, at=at)


def test_two_runs_are_compared_scored_or_not(tmp_path: Path) -> None:
    meta = {"benchmark": "demo"}
    write(tmp_path / "a.jsonl", [line(str(n), "A" if n < 20 else "B", meta=meta) for n in range(40)])
    write(tmp_path / "b.jsonl", [line(str(n), "B", meta=meta) for n in range(40)])
    assert score("b.jsonl", "--out", "scored/b.jsonl", at=tmp_path).returncode == 0
    result = compare("a.jsonl", "scored", "--out", "out.json", at=tmp_path)
    assert result.returncode == 0, result.stderr
    row = next(one for one in result.stdout.splitlines() if one.startswith("demo"))
    assert row.split()[:5] == ["demo", "40", "0.5000", "1.0000", "+0.5000"]
    assert row.endswith("better")
    found = json.loads((tmp_path / "out.json").read_text())
    assert (found["benchmarks"][0]["gained"], found["mean_over_items"]["verdict"]) == (20, "better")


def test_runs_over_other_items_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [line("1"), line("2")])
    write(tmp_path / "b.jsonl", [line("2"), line("3")])
    result = compare("a.jsonl", "b.jsonl", at=tmp_path)
    assert result.returncode == 2
    assert "error: the runs do not have the same items (1 in both):" in result.stderr
    assert "1 items are in a.jsonl only, among them '1' of all" in result.stderr
    assert "--common" in result.stderr
    assert compare("a.jsonl", "b.jsonl", "--common", at=tmp_path).returncode == 0
