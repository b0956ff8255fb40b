"""What `--model` may name, and answers that come from a file."""

import json

import pytest

from lingshu.core.errors import UserError
from lingshu.inference.evaluate import evaluate
from lingshu.inference.models import Setup, folder_digest, parse_model
from lingshu.inference.settings import Decoding
from tests.inference.invented import benchmark


def lines(out, name="invented") -> list[dict]:
    return [json.loads(line) for line in (out / "responses" / f"{name}.jsonl").read_text().splitlines()]


# --- Answers from a file ----------------------------------------------------------------------------------------------


def answers_file(tmp_path, rows) -> Setup:
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return Setup(parse_model(str(path)), Decoding())


def test_answers_of_a_file_are_taken_by_id(tmp_path):
    rows = [{"id": f"q{n}", "response": f"said {n}", "extra": 1} for n in (2, 0, 1)]
    evaluate([benchmark(3)], answers_file(tmp_path, rows), tmp_path / "out")
    assert [line["response"] for line in lines(tmp_path / "out")] == ["said 0", "said 1", "said 2"]
    rows[0]["response"] = "changed"
    evaluate([benchmark(3)], answers_file(tmp_path, rows), tmp_path / "other", tmp_path / "out" / "store")
    assert lines(tmp_path / "other")[2]["response"] == "changed"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"id": "q0", "response": "a"}], "1 questions have no answer: q1"),
        (
            [{"id": "q0", "response": "a"}, {"id": "q1", "response": "a"}, {"id": "x", "response": "a"}],
            "1 ids are of no question asked: x",
        ),
        ([{"id": "q0", "response": "a"}] * 2, "answers.jsonl:2: id 'q0' stands in the file twice"),
        ([{"id": "q0"}], "answers.jsonl:1.response: Field required|answers.jsonl:1"),
        ([{"id": "q0", "response": None}], "answers.jsonl:1: .*`response` is null without an `error`"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_name(tmp_path, rows, expected):
    with pytest.raises(UserError, match=expected):
        evaluate([benchmark(2)], answers_file(tmp_path, rows), tmp_path / "out")


def test_a_call_that_failed_elsewhere_is_a_failed_call(tmp_path):
    rows = [{"id": "q0", "response": None, "error": "timeout: no answer in 9 s"}, {"id": "q1", "response": "a"}]
    record = evaluate([benchmark(2)], answers_file(tmp_path, rows), tmp_path / "out")
    assert record.benchmarks["invented"].failed == {"lost": 1}
    assert [(line["response"], line.get("error")) for line in lines(tmp_path / "out")] == [
        (None, "lost: timeout: no answer in 9 s"),
        ("a", None),
    ]


def test_benchmarks_that_share_ids_need_their_name_in_the_file(tmp_path):
    asked = [benchmark(1, "one"), benchmark(1, "two")]
    with pytest.raises(UserError, match=r"id 'q0' is in one, two"):
        evaluate(asked, answers_file(tmp_path, [{"id": "q0", "response": "a"}]), tmp_path / "out")
    rows = [{"id": "q0", "response": name, "benchmark": name} for name in ("two", "one")]
    evaluate(asked, answers_file(tmp_path, rows), tmp_path / "out")
    assert [lines(tmp_path / "out", name)[0]["response"] for name in ("one", "two")] == ["one", "two"]


# --- Which model ------------------------------------------------------------------------------------------------------


def test_what_model_names(tmp_path):
    (tmp_path / "model").mkdir()
    assert parse_model("echo").engine == "echo"
    assert parse_model("lingshu-medical-mllm/Lingshu-7B").engine == "transformers"
    assert parse_model("google/medgemma-4b-it", "vllm").engine == "vllm"
    assert parse_model(str(tmp_path / "model")).path == tmp_path / "model"
    served = parse_model("openai:vendor/name@2025-04-14@https://host:1/v1/")
    assert (served.name, served.url) == ("vendor/name@2025-04-14", "https://host:1/v1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("openai:gpt", "not of the form openai:NAME@URL"),
        ("openai:gpt@https://key@host/v1", "user name, key or query"),
        ("openai:gpt@https://host/v1?key=1", "user name, key or query"),
        ("openai:gpt@http://host:99999/v1", "not an address: Port out of range"),
        ("openai:gpt@http://host:port/v1", "not an address: Port could not be cast"),
        ("openai:gpt@http://[host/v1", "not an address: Invalid IPv6"),
        ("missing.jsonl", "no such file"),
        ("a/b/c", "no such folder"),
        ("word", "no such folder"),
    ],
)
def test_what_names_no_model(text, expected):
    with pytest.raises(UserError, match=expected):
        parse_model(text)


def test_a_folders_digest_is_its_files_and_names(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / ".cache").mkdir()
    first = folder_digest(tmp_path)
    (tmp_path / ".cache" / "x").write_text("x")
    assert folder_digest(tmp_path) == first
    (tmp_path / "config.json").rename(tmp_path / "other.json")
    assert folder_digest(tmp_path) != first


def test_vllm_that_is_not_installed_is_said(tmp_path):
    if _installed("vllm"):
        pytest.skip("vllm is installed here")
    (tmp_path / "config.json").write_text("{}")
    told = Setup(parse_model(str(tmp_path), "vllm"), Decoding())
    with pytest.raises(UserError, match=r"vllm is not installed\n  fix: `make setup-gpu`"):
        evaluate([benchmark(1)], told, tmp_path / "out")


def _installed(name: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(name) is not None
