"""Position bias: what is told of models that answer by place, by content, and not at all."""

import random

import pytest

from lingshu.evalkit.position_bias import Asked, Reply, position_bias


def asked(count, choose, *, orders=4, options=4, clusters=None, seed=1):
    """Items in random orders, the first the original; `choose(draw, order, gold place)` is the model."""
    draw = random.Random(seed)
    items = []
    for number in range(count):
        right = draw.randrange(options)
        shown = [tuple(range(options)), *(tuple(draw.sample(range(options), options)) for _ in range(orders - 1))]
        replies = []
        for order in shown:
            gold = order.index(right)
            chosen = choose(draw, order, gold)
            replies.append(Reply(order, () if chosen is None else (chosen,), (gold,), chosen == gold))
        items.append(Asked(str(number), f"p{number % clusters}" if clusters else "", tuple(replies)))
    return items


def test_a_model_that_always_says_a_is_found_out():
    found = position_bias(asked(60, lambda draw, order, gold: 0), 0.95, 0)
    assert found["consistency"]["share"] < 0.1
    assert found["letters"]["A"]["chosen"] == 1.0
    assert found["letters"]["A"]["gold"] == pytest.approx(0.25, abs=0.06)
    assert found["letter_preference"]["p_value"] == pytest.approx(1 / 2001, abs=1e-6)
    assert len(found["orders"]) == 4


def test_a_model_that_answers_by_content_is_not_accused():
    right = position_bias(asked(60, lambda draw, order, gold: gold), 0.95, 0)
    assert (right["consistency"]["share"], right["right_in_every_order"]["share"]) == (1.0, 1.0)
    assert right["letter_preference"]["p_value"] == 1.0
    # It always takes the option that stood first: every answer names the same text, at whatever place.
    stubborn = position_bias(asked(60, lambda draw, order, gold: order.index(0)), 0.95, 0)
    assert (stubborn["consistency"]["share"], stubborn["letter_preference"]["p_value"]) == (1.0, 1.0)


def test_a_model_that_guesses_is_accused_as_often_as_the_level_says():
    guess = lambda draw, order, gold: draw.randrange(4)  # noqa: E731
    values = [
        position_bias(asked(25, guess, orders=3, seed=seed), 0.95, seed)["letter_preference"]["p_value"]
        for seed in range(60)
    ]
    assert sum(value <= 0.05 for value in values) <= 8  # 60 x 0.05 is 3; 9 or more come once in 500 times
    assert 0.35 < sum(values) / len(values) < 0.65


def test_intervals_know_clusters_and_orders_of_an_item():
    by_content = lambda draw, order, gold: gold if order.index(0) != gold else (gold + 1) % 4  # noqa: E731
    items = asked(80, by_content)
    alone = position_bias(items, 0.95, 0)
    # Four orders of an item are no four items.
    assert (alone["all_orders"]["n"], alone["all_orders"]["clusters"]) == (320, 80)
    width = alone["all_orders"]["high"] - alone["all_orders"]["low"]
    single = alone["orders"][0]["high"] - alone["orders"][0]["low"]
    assert width > 0.9 * single
    clustered = position_bias(asked(80, by_content, clusters=10), 0.95, 0)
    assert {cell["clusters"] for cell in clustered["orders"]} == {10}


def test_no_answers_and_several_golds():
    silent = position_bias(asked(10, lambda draw, order, gold: None), 0.95, 0)
    assert (silent["consistency"]["share"], silent["answers_with_a_letter"]) == (0.0, 0)
    assert silent["letters"]["A"]["chosen"] is None
    assert silent["letter_preference"]["p_value"] == 1.0
    assert [cell["no_answer"] for cell in silent["orders"]] == [10] * 4
    both = Reply((0, 1, 2), (0, 2), (0, 2), True), Reply((2, 0, 1), (0, 1), (0, 1), True)
    several = position_bias([Asked("1", "", both), Asked("2", "", both)], 0.95, 0)
    assert (several["consistency"]["share"], several["letters"]) == (1.0, {})
    with pytest.raises(ValueError, match="not as many replies"):
        position_bias([], 0.95, 0)
