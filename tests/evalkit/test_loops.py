"""Responses that end in a loop: cut short without a change of what is read from them."""

import random

import pytest

from lingshu.evalkit.parsing.loops import without_loop
from lingshu.evalkit.parsing.mcq import parse_choice
from lingshu.evalkit.parsing.yesno import parse_yes_no

CHOICES = ("A. Beta blocker therapy", "B. Aspirin", "C. Cardiac catheterisation", "D. Discharge home")
HEADS = ("", "The answer is B.\n", "Option A is wrong. ", "Yes, there is an effusion. ")
TURNS = (
    "A\nB\nC\nD\n",
    "Answer: C\n",
    "Answer: A\nAnswer: B\nAnswer: D\n",
    "- **A**: the heart rate falls\n- **B**: aspirin is given early\n",
    "Aspirin is given early. ",
    "A is incorrect. B is unlikely here. C is wrong. ",
    "There is no effusion. ",
    "yes no ",
    "考虑B，不能排除C。",
    "x",
)


def looping(head: str, turn: str, seed: int) -> str:
    """Return a text of 2,500 to 9,000 characters that ends in a loop, in the midst of a turn."""
    return head + (turn * 9000)[: random.Random(seed).randrange(2500, 9000)]


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("head", HEADS)
def test_a_loop_is_cut_by_whole_turns(head, turn):
    text = looping(head, turn, len(turn))
    cut = without_loop(text)
    assert len(cut) < 900 + 32 * len(turn) < len(text)
    assert cut.startswith(text[: len(head) + 400]) and cut.endswith(text[-400:])
    assert not (len(text) - len(cut)) % len(turn)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("head", HEADS)
def test_what_is_read_is_what_the_whole_loop_gives(head, turn):
    text = looping(head, turn, 7).strip()
    cut = without_loop(text)
    assert parse_choice(cut, CHOICES, False, "Which?") == parse_choice(text, CHOICES, False, "Which?")
    assert parse_choice(cut, CHOICES, True, "Which?") == parse_choice(text, CHOICES, True, "Which?")
    question = "Is there an effusion?"
    assert parse_yes_no(cut, question) == parse_yes_no(text, question)


def test_a_text_that_goes_on_after_a_loop_stays_whole():
    text = "A\nB\n" * 2000 + "So the answer is B."
    assert without_loop(text) == text


def test_few_turns_are_no_loop():
    passage = " ".join(f"word{number}" for number in range(80))
    assert without_loop(f"{passage} " * 12) == f"{passage} " * 12
    assert without_loop("A\nB\n" * 400) == "A\nB\n" * 400  # short
