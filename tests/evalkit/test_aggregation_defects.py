"""MedEvalKit's defects of aggregation and data safety, by id, as far as scored files can have them: none is here.

The official rules reproduce verdicts only; what verdicts come to is counted one way under both rules.
"""

import io
import json

import pytest

from lingshu.core.errors import UserError
from lingshu.evalkit.breakdown import Breakdown
from lingshu.evalkit.comparing import ComparisonSettings, compare_runs
from lingshu.evalkit.items import Item
from lingshu.evalkit.llm_judge.rubrics import Criterion
from lingshu.evalkit.llm_judge.rulings import Grades, Vote, decide
from lingshu.evalkit.rules import score_strict
from lingshu.evalkit.runfiles import read_run
from lingshu.evalkit.scored import score_item
from lingshu.evalkit.scorefile import Settings, score_file

RULES = pytest.mark.parametrize("rules", ["strict", "official"])


def item(number, kind="closed", answer="CT", response="CT", **meta):
    choices = ("A. MRI", "B. CT") if kind == "mcq" else None
    return Item(str(number), kind, "Which?", choices, answer, response, meta=meta)


def summary(items, rules="strict", judgements=None):
    breakdown = Breakdown()
    for one in items:
        breakdown.add(score_item(one, rules, 0, (judgements or {}).get(one.id)))
    return breakdown.summary(rules, 0, 0.95)


def ruled(verdict):
    return decide([Vote("j", verdict, "text", "" if verdict is not None else "unreadable")])


def write(path, items):
    lines = [
        {
            "id": i.id,
            "kind": i.kind,
            "question": "Which?",
            "choices": i.choices,
            "answer": i.answer,
            "response": i.response,
        }
        for i in items
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@RULES
def test_D30_break_downs_carry_their_own_labels(rules):
    found = summary([item(1, field="Clinical Medicine", difficulty="hard")], rules)["by_meta"]
    assert list(found["field"]) == ["Clinical Medicine"]
    assert list(found["difficulty"]) == ["hard"]


@RULES
def test_D31_accuracy_is_divided_by_the_count_once(rules):
    items = [item(n, "open", "lung", "lung") for n in range(5)]
    judged = {one.id: ruled(True) for one in items}
    assert summary(items, rules, judged)["by_kind"]["open"]["accuracy"] == 1.0
    if rules == "official":
        assert summary(items, rules)["by_kind"]["open"]["accuracy"] == 1.0


@RULES
def test_D32_a_judge_decides_open_items_only_and_counts_each_once(rules):
    items = [item(n) for n in range(4)] + [item(n, "open", "lung", "the lung") for n in range(4, 8)]
    found = summary(items, rules, {one.id: ruled(True) for one in items})
    assert (found["accuracy"], found["n"], found["right"]) == (1.0, 8, 8)
    assert found["by_kind"]["closed"]["accuracy"] == found["by_kind"]["open"]["accuracy"] == 1.0
    assert (found["by_judge"], found["by_rule"]) == (0.5, 0.5)
    wrong = summary(items, rules, {one.id: ruled(False) for one in items})
    assert (wrong["by_kind"]["closed"]["accuracy"], wrong["by_kind"]["open"]["accuracy"]) == (1.0, 0.0)


def test_D33_sets_are_told_apart():
    items = [item(n, "rubric", "", "x", benchmark=name) for n, name in enumerate(("main", "hard", "hard"))]
    graded = {one.id: Grades((Criterion("c", 5),), (ruled(one.id == "0"),)) for one in items}
    found = summary(items, "strict", graded)
    assert {name: (cell["score"], cell["n"]) for name, cell in found["rubric"].items()} == {
        "main": (1.0, 1),
        "hard": (0.0, 2),
    }
    assert (found["accuracy"], found["n"], found["graded"], found["unscored"]["total"]) == (None, 0, 3, 0)


@RULES
def test_D37_no_verdict_of_the_judge_is_not_wrong(rules):
    items = [item(n, "open", "lung", "the lung") for n in range(3)]
    verdicts = (True, None, False)
    found = summary(items, rules, {i.id: ruled(v) for i, v in zip(items, verdicts, strict=True)})
    assert (found["accuracy"], found["n"]) == (0.5, 2)
    assert found["unscored"] == {"total": 1, "reasons": {"judge_unreadable": 1}}


@RULES
def test_D38_one_kind_alone_or_nothing_scored_is_fine(rules):
    assert summary([item(1)], rules)["accuracy"] == 1.0
    assert summary([item(1, "rubric", "", "x")], rules)["accuracy"] is None
    assert summary([item(1, "open", "lung", "lung")], rules)["by_kind"]["open"]["n"] == (rules == "official")


@RULES
def test_D39_lines_come_in_the_order_of_the_file(tmp_path, rules):
    items = [item(n) for n in (3, 1, 2, 10)]
    out = io.BytesIO()
    score_file(write(tmp_path / "in.jsonl", items), Settings(rules), out)
    assert [json.loads(line)["id"] for line in out.getvalue().splitlines()] == ["3", "1", "2", "10"]


def test_D42_all_of_several_golds_count():
    assert score_strict(item(1, "mcq", ("A", "B"), "A, B")).correct
    assert score_strict(item(1, "mcq", ("A", "B"), "A")).correct is False
    assert score_strict(item(1, "closed", ("liver", "spleen"), "spleen and liver")).correct


def test_D60_a_missing_output_is_seen(tmp_path):
    full = read_run(write(tmp_path / "full.jsonl", [item(n) for n in range(10)]), "strict", 0)
    short = read_run(write(tmp_path / "short.jsonl", [item(n) for n in range(7)]), "strict", 0)
    with pytest.raises(UserError, match=r"3 items are in .*full.jsonl only"):
        compare_runs(full, short, ComparisonSettings())


def test_D60_a_failed_call_is_unscored_not_wrong_and_not_dropped():
    failed = Item("1", "mcq", "Which?", ("A. MRI", "B. CT"), "A", "", error="time-out after 180 s")
    for rules in ("strict", "official"):
        scored = score_item(failed, rules, 0)
        assert (scored.score.correct, scored.score.rule) == (None, "no_response")
        assert scored.reason == "no response: time-out after 180 s"


def test_D61_one_id_twice_is_an_error(tmp_path):
    path = write(tmp_path / "in.jsonl", [item(1), item(2), item(1)])
    with pytest.raises(UserError, match=r"in.jsonl:3: id '1' stands in line 1 too"):
        score_file(path, Settings(), io.BytesIO())


@RULES
def test_D68_accuracies_have_intervals_that_know_clusters(rules):
    items = [
        Item(str(n), "closed", "?", None, "CT", "CT" if n < 20 else "MRI", cluster=f"p{n // 4}") for n in range(40)
    ]
    found = summary(items, rules)
    loose = summary([Item(i.id, i.kind, "?", None, "CT", i.response) for i in items], rules)
    assert found["low"] < loose["low"] < 0.5 < loose["high"] < found["high"]
    assert (found["clusters"], loose["clusters"]) == (10, 40)


def test_D69_options_are_data_never_code(tmp_path):
    path = tmp_path / "in.jsonl"
    line = {
        "id": "1",
        "kind": "mmmu",
        "question": "?",
        "choices": "['A', __import__('os')]",
        "answer": "A",
        "response": "A",
    }
    path.write_text(json.dumps(line))
    with pytest.raises(UserError, match=r"in.jsonl:1.choices: Input should be a valid list"):
        score_file(path, Settings(), io.BytesIO())
