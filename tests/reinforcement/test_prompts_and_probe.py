"""Prompts set aside are never trained on; the gain is told with its interval."""

import pytest

from lingshu.core.corpus import MixtureItem
from lingshu.core.errors import UserError
from lingshu.core.prompts import think_prompt
from lingshu.core.sample import Answer, ImageRef, Sample, turn
from lingshu.reinforcement.probe import Measurement, gain, interval
from lingshu.reinforcement.prompts import prompts_of, set_aside


def item(number: int, answer: Answer | None = Answer("closed", "2")) -> MixtureItem:  # noqa: B008
    sample = Sample(
        source="phantom",
        split="train",
        revision="1",
        origin_id=str(number),
        group_id=f"g{number // 2}",
        task="vqa_closed",
        topic="count",
        messages=turn("How many nodules are there?", "2", num_images=1),
        licence="CC0-1.0",
        images=(ImageRef(f"{number:064x}", 96, 96),),
        answer=answer,
    )
    return MixtureItem(number, "phantom_count", sample.with_id())


def test_a_row_is_asked_for_a_trace():
    [prompt] = prompts_of([item(1)])
    parts = prompt.messages[-1]["content"]
    assert [part["type"] for part in parts] == ["image", "text"]
    assert parts[1]["text"] == think_prompt("How many nodules are there?")
    assert prompt.image_ids == (f"{1:064x}",)


@pytest.mark.parametrize("answer", [None, Answer("open", "two nodules")])
def test_a_row_that_no_rule_verifies_is_named(answer):
    with pytest.raises(UserError, match=r"mix\.reinforce\.phantom_count"):
        prompts_of([item(1, answer)])


def test_no_group_is_on_both_sides():
    prompts = prompts_of([item(n) for n in range(40)])
    training, held_out = set_aside(prompts, 9, seed=3)
    assert len(held_out) == 9
    assert not {p.group_id for p in training} & {p.group_id for p in held_out}
    assert len(training) >= 40 - 10
    assert set_aside(prompts, 9, seed=3) == (training, held_out)
    assert set_aside(prompts, 9, seed=4)[1] != held_out


def test_setting_all_aside_is_refused():
    with pytest.raises(UserError, match=r"reinforcement\.probe\.prompts"):
        set_aside(prompts_of([item(n) for n in range(4)]), 4, seed=1)


def test_an_interval_covers_the_mean_as_student_says():
    found = interval([0.0, 1.0, 0.5, 0.5])
    assert found["mean"] == 0.5
    assert found["low"] == pytest.approx(0.5 - 3.1824 * 0.40825 / 2, abs=1e-3)
    assert found["high"] == pytest.approx(1 - found["low"], abs=1e-3)


@pytest.mark.parametrize(
    ("late", "verdict"),
    [([1.0, 0.9, 1.1, 1.0], "better"), ([0.0, 0.1, -0.1, 0.0], "worse"), ([0.4, 0.6, 0.45, 0.55], "no evidence")],
)
def test_a_gain_counts_only_beyond_its_interval(late, verdict):
    before = Measurement([0.5] * 4, [0.5] * 4, [0.5] * 4)
    after = Measurement(late, [0.5] * 4, [0.5] * 4)
    found = gain(before, after)
    assert found["total"]["verdict"] == verdict
    assert found["format"]["verdict"] == "no evidence"
