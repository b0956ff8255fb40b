"""The judge stage by language models, against servers that answer, fail and stop.

The stage script runs as DVC runs it where the process counts (exit codes, stderr, a kill); else what it calls.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lingshu.core.errors import UserError
from lingshu.core.params import load_section, read_yaml, validate
from lingshu.evalkit.judging import judge_responses
from lingshu.evalkit.params import EvalkitParams, ModelJudging, RulesJudging
from lingshu.evalkit.score import score_responses
from lingshu.inference.checkpoint_judging import judge_by_models
from lingshu.inference.judges import judges_of_params
from tests.cli.test_score_judge import FAST, by_reference, part, verdict
from tests.loopback_openai import MODEL, Reply, Server, error, serving

ROOT = Path(__file__).resolve().parents[2]
STAGE = [sys.executable, str(ROOT / "stages/judge.py")]
GOLD = "A nodule in the left lung."
FAILS = "There is no nodule."


def judge(server: Server, **options: object) -> dict[str, Any]:
    return {"model": f"openai:{MODEL}@{server.url}", "options": json.loads(FAST) | options}


def write_params(*judges: dict[str, Any], **more: object) -> None:
    score = {"seed": 1, "resamples": 500, "confidence": 0.95, "comparisons": []}
    judging = {"judge": "llm", "judges": list(judges)} | more
    Path("params.yaml").write_text(json.dumps({"evalkit": {"judge": judging, "score": score}}))


def stage(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(STAGE, capture_output=True, text=True, check=False, env=os.environ | environment)


def judge_here() -> None:
    """Do what the stage does, in this process."""
    judge_by_models(load_section("evalkit", EvalkitParams).judge)


def rows(checkpoint: str = "late") -> dict[str, dict[str, Any]]:
    """Rows of one checkpoint by its response."""
    lines = map(json.loads, Path(f"data/responses/{checkpoint}/asked.jsonl").read_text().splitlines())
    said = {line["id"]: line["response"] for line in lines}
    table = pl.read_parquet("data/judgements/judgements.parquet").filter(pl.col("checkpoint") == checkpoint)
    return {said[row["sample_id"]]: row for row in table.to_dicts()}


def cell(params) -> dict[str, Any]:
    return score_responses(params)["late"]["asked"]["open"]


def kind(prompt: str, count: int) -> Reply:
    """Right if the words are equal, whatever their case."""
    return verdict("yes" if part(prompt, "REFERENCE").lower() == part(prompt, "ANSWER").lower().strip(".") else "no")


@pytest.mark.usefixtures("project")
def test_a_model_judges_open_answers_and_the_scores_say_so(params, monkeypatch) -> None:
    with serving(kind, key="secret") as server:
        write_params(judge(server, api_key_env="JUDGE_KEY"))
        result = stage(JUDGE_KEY="secret")
        assert result.returncode == 0, result.stderr
        assert len(server.calls) == 3  # two checkpoints gave equal answers, and no answer is no question
        first = Path("data/judgements/judges.json").read_bytes()
        monkeypatch.setenv("JUDGE_KEY", "secret")
        judge_here()
        assert len(server.calls) == 3
    assert Path("data/judgements/judges.json").read_bytes() == first
    found = rows()
    assert {said: row["verdict"] for said, row in found.items()} == {
        "Left lung.": True, "": False, FAILS: False, "the spine": False,
    }  # fmt: skip
    assert (found["Left lung."]["judge"], json.loads(found["Left lung."]["text"])["verdict"]) == (MODEL, "yes")
    told = json.loads(first)
    assert told["judges"]["late/asked"][0]["verdicts"] == 3
    assert [pair["between"] for pair in told["agreement"]] == [["rules", MODEL]]
    assert len(Path("data/judgements/votes.jsonl").read_text().splitlines()) == 8
    scored = cell(params)
    assert (scored["accuracy"], scored["n"], scored["unscored"]) == (0.25, 4, 0)
    assert (scored["by_judge"], scored["no_answer"]) == (0.75, 0.25)
    assert not any(b"secret" in path.read_bytes() for path in Path().rglob("*") if path.is_file())


def rubrics() -> None:
    """Turn the open answers of both checkpoints into replies with a rubric; the last one's rubric is broken."""
    criteria = [{"criterion": "names a side", "points": 4}, {"criterion": "invents", "points": -2, "tags": ["harm"]}]
    for path in Path("data/responses").glob("*/asked.jsonl"):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for number, line in enumerate(lines):
            line |= {
                "kind": "rubric",
                "answer": None,
                "meta": line["meta"] | {"rubrics": criteria if number < 3 else []},
            }
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.usefixtures("project")
def test_rubrics_are_graded_and_have_a_score_of_their_own(params) -> None:
    def grade(prompt: str, count: int) -> Reply:
        met = "Left lung." in prompt if "names a side" in prompt else "nodule" in prompt
        return verdict("yes" if met else "no")

    rubrics()
    with serving(grade) as server:
        write_params(judge(server))
        judge_here()
        assert len(server.calls) == 6  # two criteria of three replies; both checkpoints gave equal ones
        judge_here()
        assert len(server.calls) == 6
    found = rows()
    assert {said: row["score"] for said, row in found.items()} == {
        "Left lung.": 1.0, "": 0.0, FAILS: -0.5, "the spine": None,
    }  # fmt: skip
    assert (found["Left lung."]["judge"], found["Left lung."]["text"]) == (MODEL, "1 of 2 criteria met")
    assert (found["the spine"]["reason"], found["the spine"]["text"]) == (
        "rubric_error", "meta.rubrics: no list of criteria",
    )  # fmt: skip
    votes = [json.loads(line) for line in Path("data/judgements/votes.jsonl").read_text().splitlines()]
    assert sorted(one["score"] for one in votes) == [-0.5, -0.5, 0.0, 0.0, 1.0, 1.0]
    metrics = score_responses(params)["late"]["asked"]
    assert set(metrics) == {"rubric"}  # never an accuracy
    cell = metrics["rubric"]
    assert (cell["score"], cell["n"], cell["unscored"]) == (pytest.approx(0.166667), 3, 1)
    table = pl.read_parquet("data/scores/scores.parquet").filter(pl.col("benchmark") == "asked")
    assert set(table["rule"]) == {f"judge:{MODEL}", "rubric_error"}
    assert table["correct"].null_count() == len(table)


@pytest.mark.usefixtures("project")
def test_rubrics_without_a_model_that_judges_stay_unscored(params) -> None:
    rubrics()
    judge_responses(RulesJudging(judge="rules"))
    cell = score_responses(params)["late"]["asked"]["rubric"]
    assert cell == {"score": None, "n": 0, "clusters": 0, "unscored": 4}


@pytest.mark.usefixtures("project")
def test_a_judge_that_fails_leaves_answers_unscored_and_never_wrong(params) -> None:
    broken = True

    def rule(prompt: str, count: int) -> Reply:
        return error(500, "out of order") if broken and part(prompt, "ANSWER") == FAILS else kind(prompt, count)

    with serving(rule) as server:
        write_params(judge(server))
        result = stage()
        assert result.returncode == 2
        assert f"late/asked: judge {MODEL}: 1 of 3 calls have failed; their items are unscored" in result.stderr
        assert "evalkit.judge.max_failed" in result.stderr
        write_params(judge(server), max_failed=0.5)
        judge_here()
        row = rows()[FAILS]
        assert (row["verdict"], row["reason"]) == (None, "failed")
        assert "500: out of order" in row["text"]
        scored = cell(params)
        assert (scored["accuracy"], scored["n"], scored["unscored"]) == (0.3333, 3, 1)
        table = pl.read_parquet("data/scores/scores.parquet").filter(pl.col("rule") == "judge_failed")
        assert table["correct"].to_list() == [None, None]
        broken, calls = False, len(server.calls)
        judge_here()
        assert len(server.calls) == calls + 1
    assert rows()[FAILS]["verdict"] is False


@pytest.mark.usefixtures("project")
def test_a_killed_stage_goes_on_from_the_store(params) -> None:
    def slow(prompt: str, count: int) -> Reply:
        return Reply(by_reference(prompt, count).text, seconds=30.0 if len(server.calls) == 3 else 0.0)

    with serving(slow) as server:
        write_params(judge(server, concurrency=1))
        process = subprocess.Popen(STAGE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(server.calls) < 3:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not Path("data/judgements").exists()
        result = stage()
        assert result.returncode == 0, result.stderr
        assert len(server.calls) == 4  # the one that was on its way is asked again
    assert len(rows()) == 4


@pytest.mark.usefixtures("project")
def test_several_judges_vote(params) -> None:
    with serving(lambda *_: verdict("yes")) as a, serving(lambda *_: verdict("no")) as b, serving(kind) as c:
        write_params(judge(a), judge(b), judge(c))
        judge_here()
        names = [f"{MODEL}@{server.url}" for server in (a, b, c)]
        found = rows()
        assert [found[said]["verdict"] for said in ("Left lung.", FAILS)] == [True, False]
        assert found[FAILS]["judge"] == "majority"
        votes = [json.loads(line)["votes"] for line in Path("data/judgements/votes.jsonl").read_text().splitlines()]
        assert [vote["judge"] for vote in max(votes, key=len)] == names
        write_params(judge(a), judge(b))
        judge_here()
    split = rows()[FAILS]
    assert (split["verdict"], split["reason"]) == (None, "no_majority")
    assert cell(params)["unscored"] == 3


@pytest.mark.usefixtures("project")
def test_a_dead_judge_is_one_message() -> None:
    with serving(kind) as server:
        pass
    write_params(judge(server))
    result = stage()
    assert result.returncode == 2
    assert "no server answers" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("judges", "complaint"),
    [
        ([{"model": "echo"}], "judges.0: model echo: not a model that can judge"),
        ([{"model": "openai:x"}], "judges.0: model openai:x: not of the form openai:NAME@URL"),
        ([{"model": "a/b", "options": {"colour": 3}}], "judges.0: colour does nothing with model a/b"),
        ([{"model": "a/b", "options": {"blind": True}}], "judges.0: options: blind does nothing"),
        ([{"model": "a/b", "options": {"api_key_file": "k"}}], "keys come from the environment"),
        ([{"model": "a/b"}, {"model": "a/b"}], "judges: model: the same judge twice"),
        (
            [{"model": "openai:a@http://localhost:1/v1"}, {"model": "openai:a@http://localhost:1/v1/"}],
            "judges: model: the same judge twice",
        ),
        ([{"model": "openai:a@http://localhost:1/v1", "options": {"api_key_env": "NO_SUCH"}}], "has no NO_SUCH"),
    ],
)
def test_mistakes_name_the_key(judges: list[dict[str, Any]], complaint: str) -> None:
    with pytest.raises(UserError) as caught:
        judges_of_params(ModelJudging.model_validate({"judge": "llm", "judges": judges}))
    assert complaint in str(caught.value)
    assert "params.yaml: evalkit.judge.judges" in str(caught.value)
    assert "--" not in str(caught.value)


@pytest.mark.parametrize(
    ("judging", "complaint"),
    [
        ({"judge": "llm"}, "judges: Field required"),
        ({"judge": "llm", "judges": []}, "at least 1 item"),
        ({"judge": "rules", "judges": [{"model": "a/b"}]}, "judges: unknown key"),
        ({"judge": "oracle"}, "'rules', 'none', 'llm'"),
    ],
)
def test_settings_belong_to_their_judge(judging: dict[str, Any], complaint: str) -> None:
    evalkit = read_yaml(ROOT / "params.yaml")["evalkit"] | {"judge": judging}
    with pytest.raises(UserError, match="evalkit") as caught:
        validate(EvalkitParams, evalkit, "params.yaml: evalkit")
    assert complaint in str(caught.value)


@pytest.mark.usefixtures("project")
def test_rules_leave_no_trace_of_models() -> None:
    judge_responses(RulesJudging(judge="rules"))
    assert sorted(path.name for path in Path("data/judgements").iterdir()) == ["judgements.parquet", "manifest.json"]
    assert set(pl.read_parquet("data/judgements/judgements.parquet")["reason"]) == {""}
