"""`lingshu report-metrics` as people type it, in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_command_line import run

REFERENCES = {
    "1": "Findings: The heart is normal. Impression: Normal.",
    "2": "Findings: Effusion. Impression: Effusion.",
}
CANDIDATES = {"1": "Findings: The heart is normal. Impression: Normal.", "2": ""}


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    arguments = []
    for name, reports in (("references", REFERENCES), ("candidates", CANDIDATES)):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps({"id": i, "report": text}) + "\n" for i, text in reports.items()))
        arguments += [f"--{name}", str(path)]
    return arguments


def test_the_result_is_json_on_stdout_and_warnings_are_on_stderr(files: list[str]) -> None:
    result = run("report-metrics", *files, "--metrics", "rouge_l,bleu_4_smooth")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["metrics"] == {"rouge_l": 0.5, "bleu_4_smooth": 0.5}
    assert found["samples"] == 2
    assert found["settings"]["metrics"] == ["rouge_l", "bleu_4_smooth"]
    assert found["settings"]["form"] == "plain"
    assert len(found["settings"]["files"]["references"]["sha256"]) == 64
    assert result.stderr == f"warning: {found['warnings'][0]}\n"


def test_files_are_written_where_asked(files: list[str], tmp_path: Path) -> None:
    out, each = tmp_path / "new" / "result.json", tmp_path / "each.jsonl"
    result = run("report-metrics", *files, "--out", str(out), "--per-sample", str(each))
    assert result.stdout == f"wrote {out}\n"
    names = json.loads(out.read_text())["metrics"].keys()
    rows = [json.loads(line) for line in each.read_text().splitlines()]
    assert [(row["id"], row["empty_candidate"]) for row in rows] == [("1", False), ("2", True)]
    assert all(row["metrics"].keys() == names for row in rows)


def test_half_a_surrogate_pair_is_no_word_and_an_id_is_kept_as_it_was(tmp_path: Path) -> None:
    for name, text in (("r", "No effusion is seen."), ("c", "No effusion is seen. \ud83d")):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"id": "1\ud83d", "report": text}) + "\n")
    arguments = [f"--{side}={tmp_path / side[0]}.jsonl" for side in ("references", "candidates")]
    written = [f"--per-sample={tmp_path / 'each.jsonl'}", f"--texts-out={tmp_path / 'texts'}"]
    result = run("report-metrics", *arguments, *written, "--metrics", "rouge_l")
    assert (result.returncode, json.loads(result.stdout)["metrics"]) == (0, {"rouge_l": 1.0})
    assert json.loads((tmp_path / "each.jsonl").read_text())["id"] == "1\ud83d"
    assert json.loads((tmp_path / "texts" / "candidates.json").read_text()) == {
        "1\ud83d": "No effusion is seen. \ufffd"
    }


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--metrics", "rouge_L"], "unknown metric 'rouge_L'; did you mean 'rouge_l'?"),
        (["--metrics", "rouge_l,text"], "no metric, or one of them twice"),
        (["--form", "rexrank", "--section", "findings"], "--form rexrank is of Findings and Impression"),
        (["--metrics", "semb_score"], "--chexbert is not given"),
        (["--radgraph-out", "/tmp"], "--radgraph-out without --radgraph: no annotations are made"),
        (["--out", "/dev/null/x"], "/dev/null/x: can't be written"),
        (["--per-sample", "/dev"], "/dev: can't be written: it is a folder"),
    ],
)
def test_a_mistake_is_one_message(files: list[str], options: list[str], what: str) -> None:
    result = run("report-metrics", *files, *options)
    assert result.returncode == 2
    assert what in result.stderr
    assert "fix: " in result.stderr
    assert "Traceback" not in result.stderr
