"""Defects of the official kit that concern running a model, each by its id: what it does, and that we don't."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from lingshu.core.errors import UserError
from lingshu.evalkit.items import read_items
from lingshu.inference import models
from lingshu.inference.engine import Response
from lingshu.inference.evaluate import evaluate
from lingshu.inference.identity import inquire
from lingshu.inference.models import Setup, parse_model
from lingshu.inference.openai_engine import OpenAIEngine
from lingshu.inference.record import read_run
from lingshu.inference.settings import Decoding, ServerLimits
from tests.commanding import lingshu
from tests.inference.invented import benchmark, question
from tests.loopback_openai import MODEL, Reply, serving

ROOT = Path(__file__).parents[2]
KEY = "sk-very-secret-0123456789"


def setup(server, key=None) -> Setup:
    limits = ServerLimits(first_wait=0.01, longest_wait=0.02, tries=2, timeout=5)
    return Setup(parse_model(f"openai:{MODEL}@{server.url}"), Decoding(), limits=limits, key=key)


def lines(out) -> list[dict]:
    return [json.loads(line) for line in (out / "responses" / "invented.jsonl").read_text().splitlines()]


def cli(*arguments, **environment) -> subprocess.CompletedProcess:
    with mock.patch.dict(os.environ, environment):
        return lingshu("eval", *arguments, at=ROOT)


def own_questions(folder, count=3) -> Path:
    path = folder / "own.jsonl"
    rows = [{"id": f"q{n}", "kind": "open", "prompt": f"own {n}", "answer": "fine"} for n in range(count)]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@pytest.mark.parametrize("text", ["", ".", " \n"])
def test_d27_an_empty_answer_is_an_answer_and_stops_nothing(tmp_path, text):
    """The kit crashes after all inference; here it is kept as it is, for the scorer to call it no answer."""
    with serving(lambda prompt, n: Reply(text if prompt.endswith("1") else "fine")) as s:
        record = evaluate([benchmark(3)], setup(s), tmp_path)
    assert [line["response"] for line in lines(tmp_path)] == ["fine", text, "fine"]
    assert record.benchmarks["invented"].answered == 3
    assert [item.response for item in read_items(tmp_path / "responses" / "invented.jsonl")] == ["fine", text, "fine"]


@pytest.mark.parametrize("kind", ["yesno", "open"])
def test_d38_a_benchmark_of_one_kind_only_is_run_and_counted(tmp_path, kind):
    """The kit divides by the number of items of the other kind."""
    with serving(lambda prompt, n: Reply("yes")) as s:
        run = evaluate([benchmark(2, kind=kind)], setup(s), tmp_path).benchmarks["invented"]
    assert (run.questions, run.answered) == (2, 2)


def test_d39_results_are_in_the_benchmarks_order_not_in_that_of_completion(tmp_path):
    with serving(lambda prompt, n: Reply(prompt, seconds=0.2 if prompt.endswith(" 0") else 0.0)) as s:
        evaluate([benchmark(5)], setup(s), tmp_path)
    assert [line["id"] for line in lines(tmp_path)] == ["q0", "q1", "q2", "q3", "q4"]
    assert [line["response"] for line in lines(tmp_path)] == [f"invented {n}" for n in range(5)]


def test_d50_a_wrong_name_is_said_before_anything_is_asked(tmp_path):
    """The kit loses the later benchmarks of the list to an AttributeError."""
    result = cli("--model", "echo", "--questions", own_questions(tmp_path), "--suite", "txt", "--out", tmp_path / "o")
    assert result.returncode == 2
    assert result.stderr.startswith("error: --suite: unknown suite 'txt'")
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "o").exists()


def test_d60_fewer_outputs_than_samples_are_never_dropped(tmp_path, monkeypatch):
    """The kit scores 7 of 10 when 7 came back."""

    class Seven:
        def generate(self, requests):
            for number, request in enumerate(requests):
                if number < 7:
                    yield Response(request.id, "fine", "stop", 1)

    monkeypatch.setattr(models, "EchoEngine", Seven)
    run = evaluate([benchmark(10)], Setup(parse_model("echo"), Decoding()), tmp_path).benchmarks["invented"]
    assert (run.questions, run.answered, run.failed) == (10, 7, {"lost": 3})
    found = lines(tmp_path)
    assert len(found) == 10
    assert all(line["error"].startswith("lost: ") for line in found if line["response"] is None)


def test_d61_rows_of_another_run_are_never_merged_in(tmp_path):
    """The kit merges left-over chunk files; here a file holds the run's questions, and a folder one model's run."""
    with serving(lambda prompt, n: Reply("old")) as s:
        evaluate([benchmark(10)], setup(s), tmp_path)
        evaluate([benchmark(5)], setup(s), tmp_path)
        assert [line["id"] for line in lines(tmp_path)] == [f"q{n}" for n in range(5)]
        assert read_run(tmp_path).benchmarks["invented"].questions == 5
    with serving(lambda prompt, n: Reply("new")) as s:
        with pytest.raises(UserError, match="another digest"):
            evaluate([benchmark(5)], setup(s), tmp_path)
        assert s.calls == []


def test_d62_one_client_and_loop_serve_every_call(tmp_path):
    """In the kit the second `asyncio.run` with the same client fails 18 of 20 requests."""
    with serving(lambda prompt, n: Reply()) as s:
        limits = ServerLimits(tries=1)
        with OpenAIEngine(MODEL, s.url, None, Decoding(), limits) as engine:
            for _ in range(3):
                requests = [inquire(question(n), "m", {}, 8).request for n in range(20)]
                assert all(isinstance(outcome, Response) for outcome in engine.generate(requests))
        asyncio.run(asyncio.sleep(0))  # and leaves the thread fit for other loops
    assert len(s.calls) == 60


def test_d63_importing_the_command_needs_no_client_library_and_no_key():
    """The kit needs google-genai, pydash and an API key to import any benchmark."""
    code = (
        "import sys, lingshu.cli, lingshu.commands.eval_command, lingshu.inference.evaluate\n"
        "print([m for m in ('torch', 'transformers', 'vllm', 'httpx', 'openai', 'google.genai') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, env={"PYTHONPATH": "src"}
    )
    assert result.stdout.strip() == "[]"


def test_d67_the_key_is_no_argument_and_is_written_nowhere(tmp_path):
    questions, out = own_questions(tmp_path), tmp_path / "out"
    with serving(lambda prompt, n: Reply(), key=KEY) as s:
        model = f"openai:{MODEL}@{s.url}"
        result = cli("--model", model, "--questions", questions, "--out", out, "--api-key-env", "THE_KEY", THE_KEY=KEY)
        assert result.returncode == 0, result.stderr
        file = tmp_path / "key.txt"
        file.write_text(f"{KEY}\n")
        result = cli("--model", model, "--questions", questions, "--out", tmp_path / "b", "--api-key-file", file)
        assert result.returncode == 0, result.stderr
        wrong = cli(
            "--model", model, "--questions", questions, "--out", tmp_path / "c",
            "--api-key-env", "THE_KEY", THE_KEY="sk-wrong",
        )  # fmt: skip
        assert wrong.returncode == 2
        assert "sk-wrong" not in wrong.stderr + wrong.stdout
        assert repr(setup(s, KEY)).count(KEY) == 0
    written = [path for path in out.rglob("*") if path.is_file()]
    assert written
    assert all(KEY.encode() not in path.read_bytes() for path in written)
    options = cli("--help").stdout
    assert "--api-key-env" in options
    assert "--api-key " not in options
