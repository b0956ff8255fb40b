"""What the summary of a scored file counts, and what it says it does not break down."""

import json

from lingshu.evalkit.breakdown import MOST_VALUES, NAMED_PROBLEMS, Breakdown
from lingshu.evalkit.items import Item
from lingshu.evalkit.scored import Scored, score_item


def filled(items, rules="strict"):
    breakdown = Breakdown()
    for item in items:
        breakdown.add(score_item(item, rules, 0))
    return breakdown


def closed(number, response="CT", **meta):
    return Item(str(number), "closed", "?", None, "CT", response, meta=meta)


def test_each_value_of_each_plain_key_has_a_cell():
    items = [closed(1, modality=["CT", "CT", "MRI"], level=2, shown=True, nothing=None, rubrics=[{"x": 1}], size=0.5)]
    found = filled([*items, closed(2, "MRI", modality="CT")]).summary("strict", 0, 0.95)
    assert sorted(found["by_meta"]) == ["level", "modality", "shown", "size"]
    assert {value: cell["n"] for value, cell in found["by_meta"]["modality"].items()} == {"CT": 2, "MRI": 1}
    assert found["by_meta"]["modality"]["CT"]["accuracy"] == 0.5
    assert list(found["by_meta"]["level"]) == ["2"]
    assert list(found["by_meta"]["shown"]) == ["true"]
    assert found["rule"] == {"normalised_differs": 1, "normalised_equal": 1}


def test_a_key_with_a_value_for_each_item_is_named_not_listed():
    found = filled(closed(n, file=f"{n}.png", side="left") for n in range(MOST_VALUES + 5)).summary("strict", 0, 0.95)
    assert found["not_broken_down"] == ["file"]
    assert list(found["by_meta"]) == ["side"]
    assert found["by_meta"]["side"]["left"]["n"] == MOST_VALUES + 5


def test_open_answers_have_their_own_metrics_under_each_rule():
    items = [Item("1", "open", "?", None, "left lung", "the left lung"), Item("2", "open", "?", None, "lung", "lung")]
    strict = filled(items).summary("strict", 0, 0.95)
    assert (strict["accuracy"], strict["n"], strict["open_token_f1"]) == (None, 0, 1.0)
    assert "open_metrics" not in strict
    official = filled(items, "official").summary("official", 0, 0.95)
    assert (official["accuracy"], official["open_metrics"]["em"]) == (0.5, 0.5)
    assert "open_token_f1" not in official


def test_problems_are_counted_in_full_and_listed_up_to_a_limit():
    breakdown = filled([closed(1)])
    breakdown.problems += [str(n) for n in range(NAMED_PROBLEMS + 3)]
    found = breakdown.summary("strict", 0, 0.95)
    assert len(found["gold_errors"]) == NAMED_PROBLEMS


def test_a_scored_line_holds_what_comparing_needs():
    item = Item("1", "closed", "?", None, "CT", "CT", "p1", {"benchmark": "m", "rubrics": [{}], "odd": float("nan")})
    line = json.loads(score_item(item, "strict", 0).line("strict"))
    assert (line["cluster"], line["meta"]) == ("p1", {"benchmark": "m"})
    assert isinstance(score_item(item, "strict", 0), Scored)
