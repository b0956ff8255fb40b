"""Each task is asked with the prompt its benchmark is asked with, in training and in prediction alike."""

from __future__ import annotations

import pytest

from lingshu.core.prompts import REPORT, think_prompt, vqa_prompt
from lingshu.core.sample import Answer
from lingshu.modeling.template import (
    prompt_messages,
    render_conversation,
    render_prompt,
    training_messages,
    user_text,
)
from tests.tiny_model import sample

CHOICES = ("left", "right")


@pytest.mark.parametrize("kind", ["yesno", "closed", "open"])
@pytest.mark.parametrize("task", ["vqa_open", "vqa_closed", "text_qa"])
def test_questions_get_the_prompt_of_their_answer_kind(task, kind):
    asked = sample("Is there a nodule?", "yes", task=task, answer=Answer(kind, "yes"))
    assert user_text(asked) == vqa_prompt(kind, "Is there a nodule?")


def test_choices_are_listed():
    asked = sample("Which side?", "A", task="mcq", answer=Answer("mcq", "left", CHOICES, "A"))
    assert user_text(asked) == vqa_prompt("mcq", "Which side?", CHOICES)


def test_reasoning_is_asked_for_tags_and_sees_its_options():
    plain = sample("How many?", "<think>…</think><answer>2</answer>", task="reasoning", answer=Answer("closed", "2"))
    assert user_text(plain) == think_prompt("How many?")
    listed = sample("Which side?", "x", task="reasoning", answer=Answer("mcq", "left", CHOICES, "A"))
    assert user_text(listed) == think_prompt("Which side?\nOptions: \nA. left\nB. right")


def test_reports_and_captions():
    assert user_text(sample("Write a report.", "Findings: …", "32x32-1", task="report")) == REPORT
    assert user_text(sample("Describe this image.", "A film.", "32x32-1", task="caption")) == "Describe this image."


def test_a_training_prompt_is_the_prediction_prompt_with_the_answer_behind_it(processor):
    asked = sample("Is there a nodule?", "yes", "32x32-1", answer=Answer("yesno", "yes"))
    prompt = render_prompt(processor, prompt_messages(asked))
    assert render_conversation(processor, training_messages(asked)) == prompt + "yes<|im_end|>\n"
    assert prompt == (
        "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>"
        + vqa_prompt("yesno", "Is there a nodule?")
        + "<|im_end|>\n<|im_start|>assistant\n"
    )
