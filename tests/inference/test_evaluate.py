"""A run over benchmarks: what is written, what is asked again and what is not, failures, kills, and shared work."""

import errno
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_file
from lingshu.evalkit.items import read_items
from lingshu.inference import models
from lingshu.inference.engine import Response
from lingshu.inference.evaluate import AskedBenchmark, evaluate
from lingshu.inference.models import Setup, parse_model
from lingshu.inference.record import read_run, too_many_failed
from lingshu.inference.settings import Decoding, ServerLimits
from tests.inference.invented import Shown, benchmark, png, question
from tests.loopback_openai import MODEL, SERVED_AS, Reply, error, serving

ROOT = Path(__file__).parents[2]
LIMITS = ServerLimits(first_wait=0.01, longest_wait=0.02, tries=2, timeout=5, concurrency=4)


def setup(server, **decoding) -> Setup:
    return Setup(parse_model(f"openai:{MODEL}@{server.url}"), Decoding(max_new_tokens=16, **decoding), limits=LIMITS)


def echo(**decoding) -> Setup:
    return Setup(parse_model("echo"), Decoding(**decoding))


def lines(out, name="invented") -> list[dict]:
    return [json.loads(line) for line in (out / "responses" / f"{name}.jsonl").read_text().splitlines()]


def test_a_line_obeys_the_contract_and_says_how_it_came_to_be(tmp_path):
    asked = question(
        1, kind="mcq", text="Which side?", choices=("A. left", "B. right"), answer="B", cluster="c1",
        meta={"modality": "CT"}, pictures=(png(1),),
    )  # fmt: skip
    with serving(lambda prompt, n: Reply("B", finish_reason="length")) as s:
        record = evaluate([AskedBenchmark("invented", [asked], {"revision": "abc"})], setup(s), tmp_path)
    (line,) = lines(tmp_path)
    seconds = line.pop("seconds")
    assert seconds > 0
    assert line == {
        "id": "q1",
        "kind": "mcq",
        "question": "Which side?",
        "choices": ["A. left", "B. right"],
        "answer": "B",
        "response": "B",
        "cluster": "c1",
        "meta": {"benchmark": "invented", "modality": "CT"},
        "prompt": "Which side?",
        "finish_reason": "length",
        "tokens": 1,
        "prompt_tokens": 2,
    }
    (item,) = read_items(tmp_path / "responses" / "invented.jsonl")
    assert (item.response, item.answer, item.cluster) == ("B", "B", "c1")
    run = record.benchmarks["invented"]
    assert run.sha256 == sha256_file(tmp_path / run.file)
    assert (run.questions, run.answered, run.asked, run.failed) == (1, 1, 1, {})
    assert (run.finish_reasons, run.tokens, run.prompt_tokens, run.served_by) == ({"length": 1}, 1, 2, [SERVED_AS])
    assert run.record == {"revision": "abc"}
    assert record.settings == {"engine": "openai", "temperature": 0.0, "max_new_tokens": 16}
    assert {"httpx", "lingshu", "torch", "transformers"} <= set(record.libraries)
    assert read_run(tmp_path) == record


def test_adding_a_benchmark_costs_only_itself_and_the_same_run_nothing(tmp_path):
    with serving(lambda prompt, n: Reply()) as s:
        evaluate([benchmark(5, "one")], setup(s), tmp_path)
        first = lines(tmp_path, "one")
        record = evaluate([benchmark(5, "one"), benchmark(3, "two")], setup(s), tmp_path)
        assert len(s.calls) == 8
        assert {name: run.asked for name, run in record.benchmarks.items()} == {"one": 0, "two": 3}
        record = evaluate([benchmark(2, "three")], setup(s), tmp_path)
        assert sorted(record.benchmarks) == ["one", "three", "two"]
    assert lines(tmp_path, "one") == first


def test_a_run_that_finds_all_answers_opens_no_engine(tmp_path, monkeypatch):
    evaluate([benchmark(4)], echo(), tmp_path)

    def never(*arguments):
        raise AssertionError

    monkeypatch.setattr(models, "EchoEngine", never)
    evaluate([benchmark(4)], echo(), tmp_path)
    with pytest.raises(AssertionError):
        evaluate([benchmark(5)], echo(), tmp_path)


def test_only_the_changed_question_is_asked_again(tmp_path):
    asked = benchmark(4)
    with serving(lambda prompt, n: Reply(f"to {prompt}")) as s:
        evaluate([asked], setup(s), tmp_path)
        changed = [question(0, text="another"), *asked.questions[1:]]
        evaluate([replace(asked, questions=changed)], setup(s), tmp_path)
    assert len(s.calls) == 5
    assert [line["response"] for line in lines(tmp_path)] == ["to another", *(f"to invented {n}" for n in (1, 2, 3))]


def test_other_settings_ask_again_and_need_another_folder(tmp_path):
    with serving(lambda prompt, n: Reply()) as s:
        evaluate([benchmark(2)], setup(s), tmp_path / "a", tmp_path / "store")
        with pytest.raises(UserError, match="another settings"):
            evaluate([benchmark(2)], setup(s, seed=1), tmp_path / "a", tmp_path / "store")
        evaluate([benchmark(2)], setup(s, seed=1), tmp_path / "b", tmp_path / "store")
        assert len(s.calls) == 4
        evaluate([benchmark(2)], setup(s), tmp_path / "c", tmp_path / "store")
        assert len(s.calls) == 4
    assert read_run(tmp_path / "c").benchmarks["invented"].asked == 0


def test_equal_questions_are_asked_once(tmp_path):
    twice = [question(1, text="same"), question(2, text="same"), question(3, text="other")]
    with serving(lambda prompt, n: Reply(prompt)) as s:
        record = evaluate([AskedBenchmark("invented", twice)], setup(s), tmp_path)
    assert len(s.calls) == 2
    assert [line["response"] for line in lines(tmp_path)] == ["same", "same", "other"]
    assert record.benchmarks["invented"].answered == 3


def test_failures_are_unscored_with_a_reason_and_asked_by_the_next_run(tmp_path):
    broken = question(9, text="broken picture", pictures=(Shown("9.png", None),))
    asked = AskedBenchmark("invented", [*benchmark(6).questions, broken])
    with serving(lambda prompt, n: error(500, "oops") if prompt.endswith(" 2") and n <= 2 else Reply()) as s:
        record = evaluate([asked], setup(s), tmp_path)
        found = {line["id"]: line for line in lines(tmp_path)}
        assert found["q2"]["response"] is None
        assert found["q2"]["error"] == "server_error: 500: oops (after 2 tries)"
        assert found["q9"]["error"].startswith("picture: 9.png: no such picture")
        run = record.benchmarks["invented"]
        assert (run.answered, run.failed) == (5, {"picture": 1, "server_error": 1})
        assert too_many_failed(record, ["invented"], 0.01, tmp_path) == [
            "invented: 2 of 7 questions have no answer (1 picture, 1 server_error)\n"
            "  such as q2: server_error: 500: oops (after 2 tries)\n"
            "  such as q9: picture: 9.png: no such picture; fetch it again"
        ]
        assert too_many_failed(record, ["invented"], 0.3, tmp_path) == []
        again = evaluate([asked], setup(s), tmp_path)
        assert (again.benchmarks["invented"].asked, again.benchmarks["invented"].failed) == (1, {"picture": 1})
    rows = [json.loads(line) for line in (tmp_path / "store" / "responses-1.jsonl").read_text().splitlines()]
    assert [row["reason"] for row in rows if not row["answered"]] == ["server_error"]


def test_a_server_that_goes_down_ends_the_run_and_loses_nothing(tmp_path):
    def rule(prompt, n):
        return Reply() if int(prompt.split()[1]) < 30 else error(503, "gone")

    with serving(rule) as s:
        with pytest.raises(UserError, match="20 requests in a row have failed; the last one: server_error: 503: gone"):
            evaluate([benchmark(150)], setup(s), tmp_path)
        assert len(s.calls) < 30 + 2 * 30
        s.rule = lambda prompt, n: Reply()
        before = len(s.calls)
        evaluate([benchmark(150)], setup(s), tmp_path)
        assert len(s.calls) - before == 120


def test_a_budget_leaves_the_rest_for_the_next_run(tmp_path):
    with serving(lambda prompt, n: Reply()) as s:
        tight = replace(setup(s), limits=LIMITS.model_copy(update={"max_requests": 3}))
        for answered in (3, 6, 8):
            run = evaluate([benchmark(8)], tight, tmp_path).benchmarks["invented"]
            assert run.answered == answered
            assert run.failed == ({"budget": 8 - answered} if answered < 8 else {})
        assert run.asked == 2
        assert len(s.calls) == 8


def test_the_files_order_is_the_benchmarks_whatever_the_order_of_answers(tmp_path):
    def rule(prompt, n):
        return Reply(prompt, seconds=0.05 * (4 - int(prompt.split()[1]) % 4))

    with serving(rule) as s:
        evaluate([benchmark(8)], setup(s), tmp_path)
    assert [line["id"] for line in lines(tmp_path)] == [f"q{n}" for n in range(8)]
    assert [line["response"] for line in lines(tmp_path)] == [f"invented {n}" for n in range(8)]


def test_a_blind_run_sends_no_picture_and_has_answers_of_its_own(tmp_path):
    asked = [AskedBenchmark("invented", [question(1, pictures=(png(1),))])]
    with serving(lambda prompt, n: Reply()) as s:
        evaluate(asked, setup(s), tmp_path / "a", tmp_path / "store")
        evaluate(asked, setup(s, blind=True), tmp_path / "b", tmp_path / "store")
    assert [isinstance(call.body["messages"][0]["content"], str) for call in s.calls] == [False, True]


def test_a_full_disk_while_writing_the_files_is_one_message(tmp_path, monkeypatch):
    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("lingshu.inference.evaluate.write_bytes", full)
        with pytest.raises(UserError, match="the disk is full"):
            evaluate([benchmark(3)], echo(), tmp_path)
    assert evaluate([benchmark(3)], echo(), tmp_path).benchmarks["invented"].asked == 0


def test_ids_that_stand_twice_are_named(tmp_path):
    with pytest.raises(UserError, match="invented: 1 ids stand twice: q1"):
        evaluate([AskedBenchmark("invented", [question(1), question(1)])], echo(), tmp_path)


class Forgetful:
    """An engine that ends without an answer to one request."""

    def generate(self, requests):
        for request in requests:
            if not request.id.endswith("q1"):
                yield Response(request.id, "fine", "stop", 1)


def test_a_request_that_an_engine_forgets_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "EchoEngine", Forgetful)
    run = evaluate([benchmark(3)], echo(), tmp_path).benchmarks["invented"]
    assert (run.answered, run.failed) == (2, {"lost": 1})
    assert [line["response"] for line in lines(tmp_path)] == ["fine", None, "fine"]


class Dying:
    """An engine that breaks in the middle."""

    def generate(self, requests):
        for number, request in enumerate(requests):
            if number == 3:
                raise RuntimeError("device lost")
            yield Response(request.id, "fine", "stop", 1)


def test_an_engine_that_dies_loses_nothing_of_what_it_said(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(models, "EchoEngine", Dying)
        with pytest.raises(RuntimeError, match="device lost"):
            evaluate([benchmark(6)], echo(), tmp_path)
    assert evaluate([benchmark(6)], echo(), tmp_path).benchmarks["invented"].asked == 3


# --- Kills and shared work --------------------------------------------------------------------------------------------

RUN = """
import sys
from pathlib import Path
from lingshu.inference.evaluate import evaluate
from lingshu.inference.models import Setup, parse_model
from lingshu.inference.settings import Decoding, ServerLimits
from tests.inference.invented import benchmark
url, out, store, count = sys.argv[1:]
setup = Setup(parse_model(f"openai:tiny-chat@{url}"), Decoding(), limits=ServerLimits(concurrency=2))
evaluate([benchmark(int(count))], setup, Path(out), Path(store))
"""


def start(server, out, store, count) -> subprocess.Popen:
    command = [sys.executable, "-c", RUN, server.url, str(out), str(store), str(count)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def test_a_run_killed_again_and_again_goes_on_asking_only_what_was_on_its_way(tmp_path):
    count, kills = 60, 0
    with serving(lambda prompt, n: Reply(prompt, seconds=0.02)) as s:
        while True:
            seen = len(s.calls)
            with start(s, tmp_path, tmp_path / "store", count) as process:
                while process.poll() is None and len(s.calls) - seen < 15:
                    time.sleep(0.005)
                if process.poll() is not None:
                    assert process.returncode == 0, process.stderr.read()
                    break
                process.send_signal(signal.SIGKILL)
                kills += 1
        assert kills >= 3
        assert {s.times(f"invented {n}") for n in range(count)} <= {1, 2}
        assert len(s.calls) - count <= 2 * kills  # two requests at a time
    assert [line["response"] for line in lines(tmp_path)] == [f"invented {n}" for n in range(count)]


def test_two_processes_share_the_questions_and_ask_none_twice(tmp_path):
    count = 60

    def rule(prompt, n):
        # Each process sends two at a time, so a third call means that both are at work.
        while len(s.calls) < 3:
            time.sleep(0.01)
        return Reply(prompt, seconds=0.02)

    with serving(rule) as s:
        both = [start(s, tmp_path / name, tmp_path / "store", count) for name in ("a", "b")]
        errors = [process.communicate()[1] for process in both]
        assert [process.returncode for process in both] == [0, 0], errors
        assert {s.times(f"invented {n}") for n in range(count)} == {1}
    asked = [read_run(tmp_path / name).benchmarks["invented"].asked for name in ("a", "b")]
    assert sum(asked) == count
    assert min(asked) > 0
    assert lines(tmp_path / "a") == lines(tmp_path / "b")
