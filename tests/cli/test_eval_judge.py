"""`lingshu eval --judge`: answers, verdicts and scores in one run, that can be killed and goes on."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.cli.test_score_judge import FAST, RUBRICS, by_reference, part, write
from tests.commanding import lingshu
from tests.loopback_openai import MODEL, Reply, Server, error, serving

ANSWERS = {"Where?": "The lung", "Which organ?": "heart", "Help me.": "See a doctor, rest.", "Is it?": "yes"}


def asked(prompt: str, count: int) -> Reply:
    """The model under test and its judge behind one address, told apart by the fence of the judge's prompts."""
    return by_reference(prompt, count) if "=== BEGIN" in prompt else Reply(ANSWERS[prompt])


def questions(at: Path) -> list[str]:
    rows = [
        {"id": "1", "kind": "open", "prompt": "Where?", "answer": "lung"},
        {"id": "2", "kind": "open", "prompt": "Which organ?", "answer": "liver"},
        {"id": "3", "kind": "yesno", "prompt": "Is it?", "answer": "yes"},
    ]
    rubric = [{"id": "1", "kind": "rubric", "prompt": "Help me.", "answer": "", "meta": {"rubrics": RUBRICS}}]
    plain = [{"id": "1", "kind": "yesno", "prompt": "Is it?", "answer": "yes"}]
    files = {"own": rows, "health": rubric, "plain": plain}
    return [text for name, found in files.items() for text in ("--questions", str(write(at / f"{name}.jsonl", found)))]


def evaluate(at: Path, server: Server, *more: object) -> subprocess.CompletedProcess[str]:
    model = f"openai:{MODEL}@{server.url}"
    arguments = ["--model", model, *questions(at), "--out", str(at / "out"), "--concurrency", "1", *map(str, more)]
    return lingshu("eval", *arguments, at=at)


def judged(server: Server, **options: object) -> list[object]:
    return ["--judge", f"openai:{MODEL}@{server.url}", "--judge-options", json.dumps(json.loads(FAST) | options)]


def scored(at: Path, name: str, rules: str = "strict") -> list[dict[str, object]]:
    return [json.loads(line) for line in (at / f"out/scores/{rules}/{name}.jsonl").read_text().splitlines()]


def summary(at: Path, name: str) -> dict[str, object]:
    return json.loads((at / f"out/scores/strict/{name}.summary.json").read_text())


def test_open_answers_and_rubrics_are_scored_in_the_same_run(tmp_path: Path) -> None:
    with serving(asked) as server:
        result = evaluate(tmp_path, server, *judged(server))
        assert result.returncode == 0, result.stderr
        calls = len(server.calls)
        assert calls == 4 + 2 + 3  # the same yes/no question of two files is asked once
        again = evaluate(tmp_path, server, *judged(server))
        assert (again.returncode, len(server.calls)) == (0, calls)
    for rules in ("strict", "official"):
        assert [one["correct"] for one in scored(tmp_path, "own", rules)] == [True, False, True]
        assert [one["rule"] for one in scored(tmp_path, "own", rules)][:2] == [f"judge:{MODEL}"] * 2
        assert [one["score"] for one in scored(tmp_path, "health", rules)] == [1.0]
    assert summary(tmp_path, "own")["judges"][0]["asked_now"] == 0
    assert summary(tmp_path, "health")["rubric"]["health"]["score"] == 1.0
    assert "judges" not in summary(tmp_path, "plain")
    assert f"own     judge {MODEL}: 2 verdicts on 2 questions, 2 asked now" in result.stdout
    assert result.stdout.count("rubrics of health: score 1.0000 (0.0000–1.0000) over 1") == 1
    assert (tmp_path / "out/judge-store").is_dir()
    told = lingshu("compare", "out", "out", at=tmp_path).stdout
    assert "left out" not in told


def test_without_a_judge_open_answers_have_a_metric_of_their_own(tmp_path: Path) -> None:
    with serving(asked) as server:
        assert evaluate(tmp_path, server).returncode == 0
    assert [one["rule"] for one in scored(tmp_path, "own")][:2] == ["unjudged"] * 2
    found = summary(tmp_path, "own")
    assert (found["n"], found["unscored"]["reasons"]) == (1, {"unjudged": 2})
    assert "open_token_f1" in found


def test_a_judge_that_fails_leaves_items_unscored_and_the_next_run_asks_only_those(tmp_path: Path) -> None:
    broken = True

    def rule(prompt: str, count: int) -> Reply:
        return error(500, "out of order") if broken and part(prompt, "ANSWER") == "heart" else asked(prompt, count)

    with serving(rule) as server:
        result = evaluate(tmp_path, server, *judged(server))
        assert result.returncode == 1
        assert f"error: own: judge {MODEL}: 1 of 2 calls have failed; their items are unscored" in result.stderr
        assert [one["correct"] for one in scored(tmp_path, "own")] == [True, None, True]
        assert scored(tmp_path, "health")[0]["score"] == 1.0
        broken, calls = False, len(server.calls)
        assert evaluate(tmp_path, server, *judged(server)).returncode == 0
        assert len(server.calls) == calls + 1
    assert [one["correct"] for one in scored(tmp_path, "own")] == [True, False, True]


def test_a_budget_is_one_for_all_benchmarks_and_the_next_run_goes_on(tmp_path: Path) -> None:
    with serving(asked) as server:
        first = evaluate(tmp_path, server, *judged(server, max_requests=3))
        assert (first.returncode, len(server.calls)) == (1, 4 + 3)
        assert evaluate(tmp_path, server, *judged(server)).returncode == 0
        assert len(server.calls) == 4 + 5


def test_a_dead_judge_keeps_answers_and_the_scores_that_need_none(tmp_path: Path) -> None:
    with serving(asked) as dead:
        pass
    with serving(asked) as server:
        result = evaluate(tmp_path, server, *judged(dead))
        assert result.returncode == 2
        assert "no server answers" in result.stderr
        assert "Traceback" not in result.stderr
        assert [one["correct"] for one in scored(tmp_path, "plain")] == [True]
        assert not (tmp_path / "out/scores/strict/own.jsonl").exists()
        calls = len(server.calls)
        assert evaluate(tmp_path, server, *judged(server)).returncode == 0
        assert len(server.calls) == calls + 5


def test_mistakes_about_judges_cost_no_question(tmp_path: Path) -> None:
    with serving(asked) as server:
        for more, complaint in (
            (["--judge", "echo"], "not a model that can judge"),
            (["--judge-store", "kept"], "do nothing without --judge"),
            ([*judged(server, colour=3)], "--colour does nothing with --judge"),
        ):
            result = evaluate(tmp_path, server, *more)
            assert (result.returncode, len(server.calls)) == (2, 0)
            assert complaint in result.stderr
