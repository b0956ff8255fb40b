"""Rewards: the strict format, and the evaluation's own verdict."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu.core.sample import Answer
from lingshu.reinforcement.params import RewardParams
from lingshu.reinforcement.rewards import STRICT_FORMAT, accuracy_reward, format_reward, reward_of

WEIGHTS = RewardParams(format_weight=0.5, accuracy_weight=1.0)
THREE = Answer("closed", "3")


@pytest.mark.parametrize(
    ("response", "reward"),
    [
        ("<think>two and one</think><answer>3</answer>", 1.0),
        ("  <think>two\nand one</think>\n<answer>3</answer>\n", 1.0),
        ("<think></think><answer>3</answer>", 0.0),
        ("<think> </think><answer>3</answer>", 0.0),
        ("<think>a</think><answer></answer>", 0.0),
        ("<think>a</think>so <answer>3</answer>", 0.0),
        ("<think>a</think><answer>3</answer> done", 0.0),
        ("<think>a</think><answer>3", 0.0),
        ("<think>a</think><think>b</think><answer>3</answer>", 0.0),
        ("<think>a</think><answer>3</answer><answer>3</answer>", 0.0),
        ("<answer>3</answer><think>a</think>", 0.0),
        ("3", 0.0),
        ("", 0.0),
    ],
)
def test_the_format_is_strict(response, reward):
    assert format_reward(response) == reward


@given(st.text(alphabet="<>/thinkaswer 3", max_size=60))
def test_no_text_earns_the_format_without_all_four_tags_in_order(text):
    if format_reward(text):
        places = [text.index(tag) for tag in ("<think>", "</think>", "<answer>", "</answer>")]
        assert places == sorted(places)
        assert STRICT_FORMAT.fullmatch(text)


@pytest.mark.parametrize(
    ("response", "accuracy"),
    [
        ("<think>two and one</think><answer>3</answer>", 1.0),
        ("<think>two and one</think><answer>three</answer>", 1.0),
        ("<think>3</think><answer>2</answer>", 0.0),
        ("3", 1.0),
        ("", 0.0),
    ],
)
def test_accuracy_is_the_scorers_verdict(response, accuracy):
    assert accuracy_reward(response, "How many nodules are there?", THREE) == accuracy


def test_the_parts_add_up_by_weight():
    right = reward_of("<think>a</think><answer>3</answer>", "q", THREE)
    assert right.total(WEIGHTS) == 1.5
    assert reward_of("3", "q", THREE).total(WEIGHTS) == 1.0
    assert reward_of("<think>a</think><answer>2</answer>", "q", THREE).total(WEIGHTS) == 0.5


def test_a_choice_is_right_by_its_letter():
    answer = Answer("mcq", "lung", ("heart", "lung"), "B")
    assert accuracy_reward("<think>x</think><answer>B</answer>", "Which organ?", answer) == 1.0
    assert accuracy_reward("<think>x</think><answer>A</answer>", "Which organ?", answer) == 0.0


def test_an_open_answer_earns_no_accuracy():
    assert accuracy_reward("a mass in the lung", "What is seen?", Answer("open", "a mass in the lung")) == 0.0
