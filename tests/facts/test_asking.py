"""Questions follow from the facts alone, and their gold answers are true."""

from __future__ import annotations

from typing import Any

import pytest

from lingshu.facts.asking import NUM_OPTIONS, Question, multiple_choice
from lingshu.facts.vocabulary import MODALITIES
from lingshu.facts.wording import questions

CHEST = {
    "modality": "x-ray", "body_part": "chest", "view": "frontal", "heart": "enlarged", "effusion_side": "left",
    "effusion_level": "small", "nodule_count": 0, "nodule_side": "none", "opacity": "right", "generated": True,
}  # fmt: skip


def answers(facts: dict[str, Any], topic: str, kind: str) -> list[str]:
    return [q.answer for q in questions(facts, "k") if (q.topic, q.kind) == (topic, kind)]


def test_answers_are_the_facts() -> None:
    assert answers(CHEST, "modality", "closed") == ["x-ray"]
    assert answers(CHEST, "modality_choice", "mcq") == ["x-ray"]
    assert answers(CHEST, "presence", "yesno") == ["no", "yes", "yes"]
    assert answers(CHEST, "side", "closed") == ["left", "right"]
    assert answers(CHEST, "count", "closed") == ["0"]
    assert answers(CHEST, "heart", "closed") == ["enlarged"]
    assert answers(CHEST, "effusion_level", "closed") == ["small"]
    assert answers({"contrast": False}, "contrast", "yesno") == ["no"]


@pytest.mark.parametrize(("count", "band"), [(0, "few"), (10, "few"), (11, "some"), (30, "some"), (31, "many")])
def test_nuclei_are_asked_by_band(count: int, band: str) -> None:
    assert answers({"nuclei_count": count}, "nuclei_count", "closed") == [band]


def test_side_is_asked_only_where_there_is_one() -> None:
    normal = CHEST | {"effusion_side": "none", "effusion_level": "none", "opacity": "none"}
    assert answers(normal, "side", "closed") == []
    assert answers(normal, "effusion_level", "closed") == []


def test_a_topic_is_asked_freely_or_with_options_never_both() -> None:
    asked = questions(CHEST | {"plane": "coronal"}, "k")
    options = {q.topic for q in asked if q.kind == "mcq"}
    assert options == {"modality_choice", "plane_choice"}
    assert not options & {q.topic for q in asked if q.kind != "mcq"}


def test_no_facts_no_questions() -> None:
    assert questions({}) == []
    assert questions({"generated": True}) == []


def test_same_key_gives_the_same_questions_and_keys_vary_the_phrasing() -> None:
    assert questions(CHEST, "a") == questions(CHEST, "a")
    assert len({questions(CHEST, str(i))[0].question for i in range(20)}) > 1


def test_multiple_choice_marks_the_answer_and_spreads_the_letters() -> None:
    others = tuple(m for m in MODALITIES if m != "ct")
    asked = [multiple_choice("modality", "Which?", "ct", others, str(i)) for i in range(200)]
    letters = [q.label for q in asked]
    assert all(q.choices[ord(q.label) - ord("A")] == "ct" and len(set(q.choices)) == NUM_OPTIONS for q in asked)
    assert min(letters.count(letter) for letter in "ABCD") > 30


def test_multiple_choice_refuses_a_distractor_that_is_right() -> None:
    with pytest.raises(ValueError, match="others than"):
        multiple_choice("modality", "Which?", "ct", ("ct", "mri"), "k")


def test_question_is_immutable() -> None:
    with pytest.raises(AttributeError):
        Question("a", "open", "b", "c").answer = "d"  # type: ignore[misc]


def test_a_value_that_may_also_be_true_is_no_wrong_answer():
    for number in range(40):
        for asked in questions({"modality": "immunohistochemistry"}, f"picture {number}"):
            assert "histopathology" not in asked.choices
