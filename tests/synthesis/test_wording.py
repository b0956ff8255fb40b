"""What the template teacher writes agrees with the facts it was given, whatever they are."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lingshu.facts.asking import questions
from lingshu.facts.reading import facts_from_text
from lingshu.facts.vocabulary import FACTS, NONE, parsable
from lingshu.synthesis.alternatives import alternatives
from lingshu.synthesis.answering import answer_from_facts
from lingshu.synthesis.lettering import letter
from lingshu.synthesis.longform import KNOWLEDGE, describe, summarise
from lingshu.synthesis.phrasing import topics, write
from lingshu.synthesis.reasoning import finding_in, trace
from tests.synthesis.facts import any_facts, chest_facts


@settings(max_examples=200)
@given(any_facts, st.integers(0, 10**6))
def test_a_long_caption_states_every_fact_and_nothing_else(facts, variant):
    assert facts_from_text(summarise(describe(facts, variant))) == parsable(facts)


@settings(max_examples=200)
@given(any_facts, st.text(max_size=4))
def test_written_questions_are_answered_by_the_facts(facts, key):
    for topic in topics(facts):
        written = write(topic, facts, key)
        assert answer_from_facts(written.question, facts) == written.answer
        assert written.answer not in written.wrong_answers


@settings(max_examples=100)
@given(chest_facts, st.text(max_size=4))
def test_base_questions_on_findings_are_understood(facts, key):
    asked = [q for q in questions(facts, key) if q.topic in ("presence", "side", "count")]
    assert asked
    assert [answer_from_facts(q.question, facts) for q in asked] == [q.answer for q in asked]


def test_both_answers_to_yes_no_questions_are_written():
    facts = {"plane": "axial", "nodule_count": 0, "nodule_side": NONE}
    for topic in ("plane", "presence", "count"):
        assert {"yes", "no"} <= {write(topic, facts, str(i)).answer for i in range(40)}


def test_a_trace_tells_both_sides_and_concludes():
    facts = {"nodule_count": 2, "nodule_side": "left", "effusion_side": NONE, "effusion_level": NONE}
    assert (
        trace("count", "nodule", facts) == "Left lung: 2 nodules. Right lung: no nodule. So the number of nodules is 2."
    )
    assert trace("presence", "effusion", facts) == (
        "Left side: no effusion. Right side: no effusion. So no effusion is seen."
    )
    assert finding_in("What is the heart size?") is None


def test_knowledge_is_keyed_by_values_that_facts_may_have():
    for key, known in KNOWLEDGE.items():
        assert set(known) == {*FACTS[key].values, *FACTS[key].more}


@pytest.mark.parametrize(
    ("key", "value", "never"),
    [
        ("body_part", "abdomen", {"liver", "kidney", "spine", "whole body"}),
        ("body_part", "brain", {"head", "eye"}),
        ("modality", "immunohistochemistry", {"histopathology"}),
        ("view", "frontal", {"anterior", "posterior"}),
    ],
)
def test_values_that_may_hold_together_are_no_alternatives(key, value, never):
    found = set(alternatives(key, value, FACTS[key].values))
    assert found
    assert not found & (never | {value})


@pytest.mark.parametrize(("key", "value"), [("structure", "nucleus"), ("sequence", "FLAIR"), ("body_part", "spine")])
def test_some_values_have_no_alternative(key, value):
    assert alternatives(key, value, FACTS[key].values) == ()


@pytest.mark.parametrize("side", [64, 96, 128])
def test_a_picture_of_text_repeats_and_is_mostly_paper_with_ink_in_each_cell(side):
    pixels = np.asarray(Image.open(io.BytesIO(letter("W58", side))))
    assert letter("W58", side) == letter("W58", side) != letter("W59", side)
    assert pixels.shape == (side, side)
    assert 0.05 < (pixels < 128).mean() < 0.5
    assert all((cell < 128).any() for cell in np.array_split(pixels, 3, axis=1))
    assert not (pixels[:, [0, -1]] < 128).any()


def test_no_text_makes_no_picture():
    with pytest.raises(ValueError, match="no text"):
        letter("", 96)
