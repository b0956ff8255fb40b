"""`lingshu overlap` on conversations, on lists that cells hold as text, and where many items are equal."""

import csv
import json
from pathlib import Path

import pytest

from tests.decontam.overlapping import QUESTION, found, lines, overlap, words

ITEM = {"id": "t", "question": "Is gastritis an inflammation?", "answer": "yes"}
ASKED = {"role": "user", "content": "Is gastritis an inflammation?"}
SAID = {"role": "assistant", "content": "Yes."}
SETTING = "You are a careful assistant who answers each medical question that you are asked in few words."


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [ASKED, SAID]},
        {"messages": [{"role": "system", "content": SETTING}, ASKED, SAID]},
        {"messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "Hi"}, ASKED, SAID]},
        {"conversations": [{"from": "human", "value": "<image>\nIs gastritis an inflammation?"}, SAID]},
        {"conversation": [{"human": ASKED["content"], "assistant": "yes"}]},
        {"system": SETTING, "query": ASKED["content"], "response": "yes"},
        {"conversations": json.dumps([ASKED, SAID])},
        {"messages": str([ASKED, SAID])},
        {"messages": [{"role": "user", "content": f"{ITEM['question']}\nA. no\nB. yes"}, SAID | {"content": "B"}]},
    ],
)
def test_a_question_in_a_conversation(tmp_path: Path, row: dict) -> None:
    against = lines(tmp_path / "t.jsonl", [ITEM])
    rows = found(overlap(tmp_path / "out", [lines(tmp_path / "train.jsonl", [row])], [against]), tmp_path)
    assert ("train.jsonl:1", "t.jsonl:1#t", "text", "question_answer", 0) in rows


def test_what_every_conversation_is_told_is_no_overlap_but_is_searched(tmp_path: Path) -> None:
    held = words(30)
    setting = {"role": "system", "content": f"{SETTING} {words(20)}"}
    items = [
        {"messages": [setting, {"role": "user", "content": words(15)}, SAID]},
        {"system_prompt": setting["content"], "question": held, "answer": "no"},
    ]
    train = [
        {"messages": [setting, {"role": "user", "content": words(15)}, SAID]},
        {"system_prompt": setting["content"], "question": words(15), "answer": "no"},
        {"messages": [{"role": "system", "content": held}, {"role": "user", "content": words(15)}, SAID]},
    ]
    sides = [lines(tmp_path / "train.jsonl", train)], [lines(tmp_path / "t.jsonl", items)]
    assert found(overlap(tmp_path / "out", *sides), tmp_path) == {("train.jsonl:3", "t.jsonl:2", "text", "ngram13", 0)}


def test_options_in_a_cell(tmp_path: Path) -> None:
    against = lines(tmp_path / "t.jsonl", [{"question": "Which organ?", "options": ["heart", "lung"], "answer": "B"}])
    for packed in (json.dumps({"A": "lung", "B": "heart"}), "['lung', 'heart']"):
        with (tmp_path / "train.csv").open("w", newline="") as handle:
            csv.writer(handle).writerows([["question", "options", "answer"], ["Which organ?", packed, "A"]])
        rows = found(overlap(tmp_path / "out", [tmp_path / "train.csv"], [against]), tmp_path)
        assert rows == {("train.csv:1", "t.jsonl:1", "text", "question_answer", 0)}


def test_many_equal_items_are_not_all_listed(tmp_path: Path) -> None:
    """Every row of 1,500 equals each of 1,500: millions of pairs."""
    train = lines(tmp_path / "train.jsonl", [{"question": QUESTION, "answer": "no"}] * 1500)
    against = lines(tmp_path / "t.jsonl", [{"question": QUESTION, "answer": "no"}] * 1500)
    other = lines(tmp_path / "u.jsonl", [{"question": QUESTION, "answer": "no"}])
    rows = overlap(tmp_path / "out", [train], [against, other])
    assert len(rows) == 2 * 1500 * 101
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert summary["unlisted"] == 1400
    assert summary["matrix"] == {str(train): {str(against): 1500, str(other): 1500}}


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Question: Which organ?\nA. lung\nB. heart\nAnswer:", "response": "A"},
        {"prompt": "Q1: Which organ? a) heart b) lung", "response": "b"},
        {"prompt": "Which organ?\n(a) heart\n(b) lung", "response": "(b)"},
        {"prompt": "Which organ?\nOptions:\nA: heart\nB: lung", "response": "B. lung"},
        {"prompt": "问题：Which organ?\n选项：\nA、heart\nB、lung\n答案：", "response": "B、lung"},
        {"prompt": "Which organ? A．heart B．lung", "response": "B"},
        {"question": "Which organ?", "options": {"a": "heart", "b": "lung"}, "answer": "B"},
    ],
)
def test_the_forms_in_which_questions_and_options_are_written(tmp_path: Path, row: dict) -> None:
    against = lines(tmp_path / "t.jsonl", [{"question": "Which organ?", "options": ["heart", "lung"], "answer": "B"}])
    rows = found(overlap(tmp_path / "out", [lines(tmp_path / "train.jsonl", [row])], [against]), tmp_path)
    assert ("train.jsonl:1", "t.jsonl:1", "text", "question_answer", 0) in rows
