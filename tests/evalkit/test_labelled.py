"""Responses labelled by a writer who had not seen the rules: how many the strict rules read as a careful reader does.

`labelled/responses.jsonl` holds invented questions and responses in the manner of today's models; `expect` is the
label: letters, yes or no, or "" for no answer; for closed questions whether the response is right.
"""

import json
from pathlib import Path

import pytest

from lingshu.evalkit.items import Item
from lingshu.evalkit.rules import Score, score_strict
from lingshu.evalkit.scored import score_item

RESPONSES = Path(__file__).parent / "labelled" / "responses.jsonl"
ROWS = [json.loads(line) for line in RESPONSES.read_text(encoding="utf-8").splitlines()]
# Not decided: they ask for knowledge ("extends to" is "involves"; a triad that is defined, not answered).
UNDECIDED = {"m7-041", "y7-062", "y7-115", "y7-119"}


def item_of(row: dict) -> Item:
    answer = tuple(row["answer"]) if isinstance(row["answer"], list) else row["answer"]
    choices = tuple(row["choices"]) if row["choices"] else None
    return Item(row["id"], row["kind"], row["question"], choices, answer, row["response"])


def is_right(row: dict) -> bool:
    """Return whether the response is right, by its label."""
    return row["expect"] if row["kind"] == "closed" else row["expect"] == "".join(row["answer"])


def as_labelled(row: dict, score: Score) -> bool:
    if row["kind"] == "closed":
        return score.correct is row["expect"]
    return score.parsed.replace(",", "") == row["expect"]


def test_responses_are_read_as_they_are_labelled():
    assert len({row["id"] for row in ROWS}) == len(ROWS) == 240
    scores = {row["id"]: score_strict(item_of(row)) for row in ROWS}
    other = {row["id"] for row in ROWS if not as_labelled(row, scores[row["id"]])}
    assert other == UNDECIDED
    assert all(scores[name].no_answer for name in UNDECIDED)  # nothing is taken for another answer


@pytest.mark.parametrize(("rules", "right"), [("strict", 237), ("official", 188)])
def test_how_many_verdicts_are_right(rules, right):
    verdicts = [score_item(item_of(row), rules, 0).score.correct is is_right(row) for row in ROWS]
    assert sum(verdicts) == right
