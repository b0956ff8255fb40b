"""`lingshu report-metrics --green-judge` as people type it, against a loopback server."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.test_command_line import run
from tests.loopback_openai import MODEL, Reply, error, serving

FAST = json.dumps({"tries": 2, "first_wait": 0.01, "longest_wait": 0.02})
REFERENCES = {"1": "The heart is normal.", "2": "A small effusion.", "3": "Clear lungs.", "4": "A nodule."}
CANDIDATES = {"1": "The heart is large.", "2": "A small effusion.", "3": "", "4": "A mass."}


def assessment(errors: int, matched: int) -> Reply:
    counted = f"[Clinically Significant Errors]:\n(a) False report of a finding in the candidate: {errors}. x\n\n"
    return Reply(f"[Explanation]:\nBecause.\n\n{counted}[Matched Findings]:\n{matched}. y\n")


def by_report(prompt: str, count: int) -> Reply:
    """Fair about the first two; the mass is an error of the server."""
    if "A mass." in prompt:
        return error(400, "no")
    return assessment(0, 2) if prompt.count("A small effusion.") == 2 else assessment(2, 1)


def files(folder: Path) -> list[str]:
    arguments = []
    for name, reports in (("references", REFERENCES), ("candidates", CANDIDATES)):
        path = folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps({"id": i, "report": text}) + "\n" for i, text in reports.items()))
        arguments += [f"--{name}", str(path)]
    return arguments


def test_green_is_asked_once_kept_and_scored(tmp_path: Path) -> None:
    each = tmp_path / "each.jsonl"
    with serving(by_report) as server:
        command = ["report-metrics", *files(tmp_path), "--metrics", "green", "--per-sample", str(each)]
        command += ["--green-judge", f"openai:{MODEL}@{server.url}", "--green-options", FAST]
        first = run(*command)
        asked = len(server.calls)
        second = run(*command)
        again = [call.prompt for call in server.calls[asked:]]
        allowed = run(*command, "--green-max-failed", "0.4")
    assert (first.returncode, second.returncode, allowed.returncode) == (1, 1, 0), first.stderr
    assert "error: green: 1 of 3 calls have failed\nrun the same command again" in first.stderr
    found = json.loads(first.stdout)
    assert found["metrics"] == {"green": None, "green_of_scored": (1 / 3 + 1 + 0) / 3}
    assert found["unscored"] == {"green": {"failed": 1}}
    assert [json.loads(line)["metrics"]["green"] for line in each.read_text().splitlines()] == [1 / 3, 1, 0, None]
    assert "warning: green: 1 of 4 samples are unscored (1 failed replies): its value is null" in first.stderr
    record = found["settings"]["green"]
    assert (record["prompt"], record["failed"], record["unreadable"], record["judge"]) == ("green-1", 1, 0, MODEL)
    assert record["settings"]
    assert json.loads(second.stdout)["metrics"] == found["metrics"]
    assert all("A mass." in prompt for prompt in again)  # only what has failed is asked again
    assert (tmp_path / "candidates.jsonl.green-store").is_dir()


def test_a_whole_value_has_its_own_key_alone(tmp_path: Path) -> None:
    with serving(lambda prompt, count: assessment(1, 1)) as server:
        command = ["report-metrics", *files(tmp_path), "--metrics", "green", "--green-options", FAST]
        result = run(*command, "--green-judge", f"openai:{MODEL}@{server.url}")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["metrics"], found["unscored"]) == ({"green": 3 / 8}, {})


def test_prose_is_asked_for_once_more_and_is_no_score(tmp_path: Path) -> None:
    with serving(lambda prompt, count: Reply("They are much alike.")) as server:
        command = ["report-metrics", *files(tmp_path), "--metrics", "green", "--green-store", str(tmp_path / "kept")]
        result = run(*command, "--green-judge", f"openai:{MODEL}@{server.url}", "--green-options", FAST)
        asked = len(server.calls)
    assert result.returncode == 0  # no call has failed
    assert json.loads(result.stdout)["metrics"] == {"green": None, "green_of_scored": 0.0}  # of one with an empty text
    assert "3 of 4 samples are unscored (3 unreadable replies)" in result.stderr
    assert asked == 6


def test_mistakes_about_the_model(tmp_path: Path) -> None:
    wrong = [
        (["--green-judge", "echo"], "--green-judge echo: not a model that can judge"),
        (["--green-judge", "openai:x"], "--green-judge"),
        (["--green-judge", "echo", "--green-options", "{"], "--green-options: not JSON"),
        ([], "--green-judge is not given"),
    ]
    for options, what in wrong:
        result = run("report-metrics", *files(tmp_path), "--metrics", "green", *options)
        assert result.returncode == 2
        assert what in result.stderr
        assert "Traceback" not in result.stderr


def test_the_compared_texts_are_written(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    result = run("report-metrics", *files(tmp_path), "--metrics", "rouge_l", "--texts-out", str(texts))
    assert result.returncode == 0, result.stderr
    assert json.loads((texts / "references.json").read_text()) == REFERENCES
    assert json.loads((texts / "candidates.json").read_text()) == CANDIDATES
