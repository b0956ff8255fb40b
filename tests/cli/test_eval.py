"""`lingshu eval` as people type it: a whole run, its exit codes, mistakes, and several processes by one option."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lingshu.commands.evaluate import parse_json, parse_wanted
from lingshu.commands.workers import without_option, workers
from lingshu.core.errors import UserError
from lingshu.inference.own_questions import read_own
from lingshu.inference.record import read_run
from lingshu.inference.setup import make_setup, read_key
from tests.commanding import lingshu
from tests.inference.invented import png
from tests.loopback_openai import MODEL, Reply, error, serving

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments) -> list[str]:
    return [sys.executable, "-m", "lingshu.cli", "eval", *map(str, arguments)]


def run(*arguments, at: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return lingshu("eval", *arguments, at=at)


def write(path: Path, rows) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@pytest.fixture
def own(tmp_path) -> Path:
    (tmp_path / "a.png").write_bytes(png(1).data)
    rows = [
        {"id": "1", "kind": "mcq", "prompt": "Which side?\nA. left\nB. right", "choices": ["A. left", "B. right"],
         "question": "Which side?", "answer": "B", "pictures": ["a.png"], "cluster": "a", "meta": {"modality": "CT"}},
        {"id": "2", "kind": "yesno", "turns": [{"role": "system", "text": "Be brief."},
         {"role": "user", "text": "Is it?"}], "answer": "no"},
        {"id": "3", "kind": "open", "prompt": "What?", "answer": ["a", "b"]},
    ]  # fmt: skip
    return write(tmp_path / "own.jsonl", rows)


def test_a_whole_run_over_questions_of_ones_own(own, tmp_path):
    out = tmp_path / "out"
    with serving(lambda prompt, n: Reply("fine")) as s:
        result = run("--model", f"openai:{MODEL}@{s.url}", "--questions", own, "--out", out, "--max-new-tokens", 9)
        assert result.returncode == 0, result.stderr
        assert result.stdout.splitlines()[0] == "own  3 of 3 answered, 3 asked now"
        again = run("--model", f"openai:{MODEL}@{s.url}", "--questions", own, "--out", out, "--max-new-tokens", 9)
        assert again.stdout.splitlines()[0] == "own  3 of 3 answered, 0 asked now"
        assert len(s.calls) == 3
    first, second = (next(call for call in s.calls if text in call.prompt) for text in ("Which", "Is it"))
    assert [part["type"] for part in first.body["messages"][0]["content"]] == ["image_url", "text"]
    assert second.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Is it?"},
    ]
    assert first.body["max_tokens"] == 9
    rows = [json.loads(line) for line in (out / "responses" / "own.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert rows[0]["meta"] == {"benchmark": "own", "modality": "CT"}
    assert rows[2]["answer"] == ["a", "b"]


def test_failed_calls_end_with_1_and_more_are_allowed_on_request(own, tmp_path):
    with serving(lambda prompt, n: error(400, "odd") if "What" in prompt else Reply()) as s:
        options = ("--model", f"openai:{MODEL}@{s.url}", "--questions", own, "--out", tmp_path / "out")
        result = run(*options, "--concurrency", 1)
        assert result.returncode == 1
        assert "own: 1 of 3 questions have no answer (1 bad_request)" in result.stderr
        assert "2 of 3 answered, 3 asked now; failed 1 bad_request" in result.stdout
        assert run(*options, "--max-failed", 0.4).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--model", "nowhere"], "--model nowhere: no such folder"),
        (["--model", "echo", "--suite", "all"], "unknown suite 'all'"),
        (["--model", "echo", "--batch-size", "3"], "--batch-size does nothing with --model echo"),
        (["--model", "echo", "--api-key-env", "X"], "--api-key-env does nothing"),
        (["--model", "echo", "--temperature", "hot"], "--temperature hot"),
        (["--model", "echo", "--temperature", "9"], "options: temperature"),
        (["--model", "echo", "--folder", "slake"], "not of the form NAME=DIR"),
        (["--model", "openai:m@http://192.0.2.1/v1", "--api-key-env", "HOME"], "travel unencrypted"),
        (["--model", "openai:m@https://192.0.2.1/v1", "--api-key-env", "NO_SUCH_KEY"], "has no NO_SUCH_KEY"),
        (["--model", "openai:m@https://192.0.2.1/v1", "--body", "[1]"], "--body: not a JSON object"),
    ],
)
def test_a_users_mistake_is_one_message(arguments, expected, own, tmp_path):
    result = run(*arguments, "--questions", own, "--out", tmp_path / "out")
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert expected in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


def test_data_parallel_shares_the_questions_out(tmp_path):
    rows = [{"id": str(n), "kind": "open", "prompt": f"own {n}", "answer": "x"} for n in range(40)]
    own = write(tmp_path / "own.jsonl", rows)

    def rule(prompt, n):
        # One process sends two at a time: a third call means that another is at work.
        while len(s.calls) < 3:
            time.sleep(0.01)
        return Reply(prompt, seconds=0.02)

    with serving(rule) as s:
        options = ("--model", f"openai:{MODEL}@{s.url}", "--questions", own, "--out", tmp_path / "out")
        result = run(*options, "--concurrency", 2, "--data-parallel", 2)
        assert result.returncode == 0, result.stderr
        assert {s.times(f"own {n}") for n in range(40)} == {1}
    assert read_run(tmp_path / "out").benchmarks["own"].answered == 40


def test_ctrl_c_says_how_to_go_on(tmp_path):
    rows = [{"id": str(n), "kind": "open", "prompt": f"own {n}", "answer": "x"} for n in range(400)]
    own = write(tmp_path / "own.jsonl", rows)
    with serving(lambda prompt, n: Reply(seconds=0.05)) as s:
        options = ("--model", f"openai:{MODEL}@{s.url}", "--questions", own, "--out", tmp_path / "out")
        with subprocess.Popen(command(*options), cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
            while len(s.calls) < 5:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()
        assert process.returncode == 130, said
        assert "interrupted; run the same command again to go on" in said
        assert "Traceback" not in said


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"id": "1", "kind": "open"}, "prompt and turns: exactly one"),
        ({"id": "1", "kind": "odd", "prompt": "x"}, "own.jsonl:1.kind"),
        ({"id": "1", "kind": "open", "prompt": "x", "picture": "a"}, "did you mean 'pictures'"),
        ({"id": "1", "kind": "open", "turns": [{"role": "assistant", "text": "x"}]}, "last turn is not a user's"),
    ],
)
def test_a_broken_question_is_named(tmp_path, row, expected):
    with pytest.raises(UserError, match=expected):
        read_own(write(tmp_path / "own.jsonl", [row]))


def test_a_missing_picture_of_ones_own_is_named(own, tmp_path):
    (tmp_path / "a.png").unlink()
    result = run("--model", "echo", "--questions", own, "--out", tmp_path / "out")
    assert result.returncode == 1
    assert "own: 1 of 3 questions have no answer (1 picture)" in result.stderr
    assert f"{tmp_path / 'a.png'}: No such file" in (tmp_path / "out" / "responses" / "own.jsonl").read_text()


def test_a_picture_whose_name_no_file_can_have_fails_alone(own, tmp_path):
    rows = [json.loads(line) for line in own.read_text().splitlines()]
    rows[0]["pictures"] = ["a\0.png"]
    write(own, rows)
    result = run("--model", "echo", "--questions", own, "--out", tmp_path / "out")
    assert (result.returncode, "1 of 3 questions have no answer (1 picture)" in result.stderr) == (1, True)


def test_a_file_of_questions_whose_name_is_no_text(own, tmp_path):
    odd = own.rename(tmp_path / "caf\udce9.jsonl")
    with pytest.raises(UserError, match=r"caf\\udce9\.jsonl: its name is not UTF-8"):
        read_own(odd)


def test_which_questions_are_wanted(tmp_path):
    wanted = parse_wanted("text, report,text", "slake,", [f"slake={tmp_path}"], limit=3)
    assert wanted.suites == ("text", "report")
    assert wanted.benchmarks == ("slake",)
    assert wanted.folders == (("slake", tmp_path),)
    assert wanted.limit == 3


def test_a_key_is_read_from_one_place(tmp_path, monkeypatch):
    file = tmp_path / "key"
    file.write_text("abc\n")
    monkeypatch.setenv("THE_KEY", "def")
    assert read_key(None, None) is None
    assert read_key("THE_KEY", None) == "def"
    assert read_key(None, file) == "abc"
    with pytest.raises(UserError, match="two keys"):
        read_key("THE_KEY", file)
    file.write_text("two words")
    with pytest.raises(UserError, match="not one word"):
        read_key(None, file)


@pytest.mark.parametrize("key", [b"a\nb", b"a\x01b", b"a\x7fb", "schl\u00fcssel".encode(), b"a b", b"\xff\xfe"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(tmp_path, monkeypatch, key):
    (tmp_path / "key").write_bytes(key)
    monkeypatch.setenv("THE_KEY", key.decode("utf-8", "surrogateescape"))
    for where in (("THE_KEY", None), (None, tmp_path / "key")):
        with pytest.raises(UserError, match="not one word of plain characters") as caught:
            read_key(*where)
        assert str(caught.value).isascii()
        assert key.decode("latin-1") not in str(caught.value)


def test_options_go_where_they_belong():
    setup = make_setup("openai:m@https://host/v1", {"temperature": "none", "timeout": 3.0, "body": {"a": 1}})
    assert setup.decoding.temperature is None
    assert setup.limits.timeout == 3.0
    assert setup.settings() == {
        "engine": "openai",
        "temperature": None,
        "max_new_tokens": 8192,
        "body": {"a": 1},
    }
    for broken in ("{", '{"a": NaN}', '{"a": 1e999}', '{"a": "\\ud83d"}', '{"a":' * 100_000, f'{{"a": {"1" * 5000}}}'):
        with pytest.raises(UserError, match="--body: not JSON"):
            parse_json(broken, "--body")


@pytest.mark.parametrize(
    ("model", "options", "expected"),
    [
        ("openai:m@https://host/v1", {"body": {"messages": []}}, "--body: 'messages' is set by each request"),
        ("openai:m@https://host/v1", {"body": {"stream": True}}, "--body: 'stream' is set by each request"),
        ("openai:m@https://host/v1", {"revision": ""}, "--revision : empty"),
        ("openai:m@https://host/v1", {"revision": "\udce9"}, r"--revision \\udce9: not UTF-8"),
        ("openai:\udce9@https://host/v1", {}, r"--model openai:\\udce9@https://host/v1: not UTF-8"),
        ("openai:m@https://host/v1", {"temperature": 3.0}, "options: temperature: .*correct the option named above"),
    ],
)
def test_an_option_that_would_be_mistaken_is_refused(model, options, expected):
    with pytest.raises(UserError, match=f"(?s){expected}"):
        make_setup(model, options)


LINE_ENDS = "one\u2028two\u2029three\x85four\x0cfive\x1csix"


def test_text_that_holds_strange_line_ends_stays_one_line(tmp_path):
    choices = [f"A. {LINE_ENDS}", "B. right"]
    asked = {"prompt": f"Which?{LINE_ENDS}", "choices": choices, "answer": "B", "meta": {"topic": LINE_ENDS}}
    rows = [{"id": str(n), "kind": "mcq", **asked} for n in range(2)]
    rows.append({"id": "r", "kind": "report", "prompt": "Report.", "answer": f"Clear lungs.{LINE_ENDS}"})
    own = tmp_path / "own.jsonl"
    own.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    result = run("--model", "echo", "--questions", own, "--out", tmp_path / "out", "--shuffles", 1)
    assert result.returncode == 0, result.stderr
    found = [json.loads(line) for line in (tmp_path / "out/responses/own.jsonl").read_bytes().split(b"\n") if line]
    assert [line["prompt"] for line in found] == [asked["prompt"], asked["prompt"], "Report."]


HALF = "half a surrogate pair, which is no character"


@pytest.mark.parametrize(
    "broken", [{"prompt": "Is it \ud83d?"}, {"meta": {"topic": "\ud83d"}}, {"choices": ["\ud83d"]}]
)
def test_half_a_surrogate_pair_in_a_question_is_named_before_anything_is_asked(tmp_path, broken):
    row = {"id": "1", "kind": "mcq", "prompt": "Is it?", "choices": ["no", "yes"], "answer": "A"}
    own = write(tmp_path / "own.jsonl", [row, row | {"id": "2"} | broken])
    result = run("--model", "echo", "--questions", own, "--out", tmp_path / "out")
    assert (result.returncode, result.stderr.splitlines()[0]) == (2, f"error: {own}:2: {HALF}")
    assert not (tmp_path / "out").exists()


def test_half_a_surrogate_pair_in_an_answer_is_kept_and_scored(tmp_path):
    rows = [
        {"id": "1", "kind": "mcq", "prompt": "Is it?", "choices": ["no", "yes"], "answer": "A"},
        {"id": "2", "kind": "report", "prompt": "Report.", "answer": "Clear lungs."},
    ]
    own = write(tmp_path / "own.jsonl", rows)
    said = write(tmp_path / "said.jsonl", [{"id": one, "response": f"A \ud83d{one}"} for one in "12"])
    out = tmp_path / "out"
    result = run("--model", said, "--questions", own, "--out", out)
    assert result.returncode == 0, result.stderr
    files = ("responses/own.jsonl", "scores/report/own/candidates.jsonl")
    found = [json.loads((out / file).read_bytes().splitlines()[-1]) for file in files]
    assert [found[0]["response"], found[1]["report"]] == ["A \ud83d2", "A \ud83d2"]


def test_an_answer_file_that_is_not_text_is_named(own, tmp_path):
    (tmp_path / "said.jsonl").write_bytes(b'{"id": "1", "response": "\xff"}\n')
    result = run("--model", tmp_path / "said.jsonl", "--questions", own, "--out", tmp_path / "out")
    assert (result.returncode, "said.jsonl:1: not UTF-8" in result.stderr) == (2, True)


def test_a_chat_template_is_read_and_keyed_by_its_text(tmp_path):
    file = tmp_path / "t.jinja"
    file.write_text("one")
    setup = make_setup("owner/name", {"chat_template": file})
    assert setup.decoding.chat_template == "one"
    first = setup.settings()["chat_template"]
    file.write_text("two")
    assert make_setup("owner/name", {"chat_template": file}).settings()["chat_template"] != first
    with pytest.raises(UserError, match="--chat-template"):
        make_setup("owner/name", {"chat_template": tmp_path / "none"})


def test_each_worker_sees_gpus_of_its_own(monkeypatch):
    started = []
    monkeypatch.setattr(
        subprocess, "Popen", lambda command, env, **other: started.append((command[3:], env)) or Ended()
    )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6,7")
    arguments = ["eval", "--data-parallel", "2", "--model", "m"]
    with workers(2, 2, arguments, with_gpus=True):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "4,5"
    assert [(command, env["CUDA_VISIBLE_DEVICES"]) for command, env in started] == [(["eval", "--model", "m"], "6,7")]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(UserError, match="2 GPUs are needed"), workers(2, 1, arguments, with_gpus=True):
        pass
    assert without_option(["eval", "--data-parallel=2", "--out", "x"]) == ["eval", "--out", "x"]


class Ended:
    """A process that is done."""

    def wait(self) -> int:
        return 0


def test_what_was_asked_is_scored_by_both_rules_and_reports_by_text_metrics(tmp_path):
    rows = [
        {"id": "1", "kind": "yesno", "prompt": "Is it a nodule?", "answer": "yes"},
        {"id": "2", "kind": "report", "prompt": "Write.", "answer": "Findings: Large heart. Impression: Large."},
        {"id": "3", "kind": "report", "prompt": "Write.", "answer": "Findings: Normal. Impression: Normal."},
    ]  # fmt: skip
    replies = ["yes, a nodule", "Large heart. Large.", "an effusion"]
    answers = [{"id": row["id"], "response": reply} for row, reply in zip(rows, replies, strict=True)]
    given = write(tmp_path / "answers.jsonl", answers)
    out = tmp_path / "out"
    result = run("--model", given, "--questions", write(tmp_path / "own.jsonl", rows), "--out", out)
    assert result.returncode == 0, result.stderr
    verdicts = {
        rules: [json.loads(line) for line in (out / f"scores/{rules}/own.jsonl").read_text().splitlines()]
        for rules in ("strict", "official")
    }
    assert [line["correct"] for line in verdicts["strict"]] == [True, None, None]
    assert [line["correct"] for line in verdicts["official"]] == [False, None, None]  # D20: "no" within "nodule"
    samples = [json.loads(line) for line in (out / "scores/report/own/samples.jsonl").read_text().splitlines()]
    assert [sample["metrics"]["rouge_l"] for sample in samples] == [1.0, 0.0]
    assert json.loads((out / "scores/strict/own.summary.json").read_text())["n"] == 1
    assert "own  2 reports: rouge_l 0.5000" in result.stdout
    assert "no evidence" in lingshu("compare", out, out, at=ROOT).stdout


def test_reports_without_an_answer_are_counted_on_neither_side(tmp_path):
    rows = [{"id": n, "kind": "report", "prompt": f"Write {n}.", "answer": "Normal heart size."} for n in "12"]
    with serving(lambda prompt, n: error(400, "no") if "2" in prompt else Reply("Normal heart size.")) as s:
        result = run(
            "--model", f"openai:{MODEL}@{s.url}", "--questions", write(tmp_path / "own.jsonl", rows),
            "--out", tmp_path / "out", "--concurrency", 1,
        )  # fmt: skip
    assert "own  1 reports: rouge_l 1.0000" in result.stdout, result.stdout + result.stderr
    assert "1 without an answer" in result.stdout
    assert result.returncode == 1
