"""Verification keeps what is true and catches every kind of spoilt proposal, with the reason."""

from __future__ import annotations

import functools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu.core.errors import UserError
from lingshu.core.layout import SAMPLES, proposal_samples
from lingshu.core.sample import Answer, Sample, read_samples, turn, write_samples
from lingshu.core.verdicts import read_verdicts
from lingshu.facts.asking import questions
from lingshu.synthesis.checks import Case, check_cot
from lingshu.synthesis.parents import picture_facts
from lingshu.synthesis.propose import propose
from lingshu.synthesis.reasoning import finding_in, trace
from lingshu.synthesis.verify import CHECKS, verify
from tests.synthesis.corpus import PARAMS, RECIPES, SOURCES, build
from tests.synthesis.facts import chest_facts


@pytest.fixture(scope="module")
def proposed(tmp_path_factory):
    root = build(tmp_path_factory.mktemp("proposed"))
    for recipe in RECIPES:
        propose(recipe, PARAMS, SOURCES, root)
    return root


def run(root, recipes=RECIPES):
    return verify(recipes, SOURCES, PARAMS.verify, root)


def test_what_the_template_teacher_writes_is_accepted(proposed):
    metrics = run(proposed)
    for recipe in RECIPES:
        made = list(read_samples([proposed / proposal_samples(recipe)]))
        assert made
        assert metrics[recipe] == {"proposed": len(made), "accepted": len(made), "rejected": {}}


def test_verdicts_repeat(proposed):
    def digest():
        run(proposed)
        return (proposed / "data/verdicts/verify/manifest.json").read_bytes()

    assert digest() == digest()


def test_proposals_that_are_not_complete_are_refused(repository):
    propose("cot", PARAMS, SOURCES, repository)
    assert run(repository, ["cot"])["cot"]["accepted"] > 0
    with pytest.raises(UserError, match=r"data/proposals/ocr.*not complete"):
        run(repository, ["cot", "ocr"])


def said(sample, text):
    return replace(sample, messages=(*sample.messages[:-1], turn("?", text)[1]))


def swapped(sample, old, new):
    assert old in sample.target_text()
    return said(sample, sample.target_text().replace(old, new))


def with_answer(sample, **changes):
    return replace(sample, answer=replace(sample.answer, **changes))


def other_letter(sample):
    letter = "B" if sample.answer.label == "A" else "A"
    return said(with_answer(sample, label=letter, text=sample.answer.choices[ord(letter) - ord("A")]), letter)


def opposite(sample):
    text = {"yes": "no", "no": "yes"}[sample.answer.text]
    return said(with_answer(sample, text=text), text)


def second_right_option(sample):
    brain = sample.answer.text == "brain"
    others = tuple(("head" if brain else "kidney") if c != sample.answer.text else c for c in sample.answer.choices)
    return with_answer(sample, choices=others)


def is_caption_with(words):
    return lambda s: words in s.target_text()


def is_question(topic, kind):
    return lambda s: s.topic == topic and s.answer.kind == kind


def is_trace(topic, words):
    return lambda s: s.topic == topic and words in s.target_text()


anything = is_caption_with("")
SPOILT = [
    ("caption", is_caption_with("axial"), lambda s: swapped(s, "axial", "coronal"), "FACTS_DISAGREE"),
    ("caption", is_caption_with("Pleura: "), lambda s: said(s, s.target_text().split(" Pleura")[0]), "FACTS_DISAGREE"),
    (
        "caption",
        is_caption_with("brain"),
        lambda s: swapped(s, " Brightness", " No nodule. Brightness"),
        "FACTS_DISAGREE",
    ),
    ("vqa", is_question("plane_choice", "mcq"), other_letter, "ANSWER_WRONG"),
    ("vqa", is_question("finding", "mcq"), other_letter, "ANSWER_WRONG"),
    ("vqa", is_question("plane_choice", "mcq"), lambda s: said(s, s.answer.text), "ANSWER_WRONG"),
    (
        "vqa",
        is_question("plane_choice", "mcq"),
        lambda s: with_answer(s, choices=("oblique",) * len(s.answer.choices)),
        "NOT_ONE_RIGHT_OPTION",
    ),
    ("vqa", is_question("body_part", "mcq"), second_right_option, "NOT_ONE_RIGHT_OPTION"),
    ("vqa", is_question("presence", "yesno"), opposite, "ANSWER_WRONG"),
    ("vqa", is_question("contrast", "yesno"), opposite, "ANSWER_WRONG"),
    (
        "vqa",
        is_question("count", "yesno"),
        lambda s: replace(s, messages=turn("Is the patient a smoker?", "yes", 1)),
        "UNANSWERABLE",
    ),
    ("vqa", anything, lambda s: replace(s, answer=None), "NO_ANSWER"),
    ("ocr", is_question("ocr_text", "closed"), lambda s: said(with_answer(s, text="Q99"), "Q99"), "ANSWER_WRONG"),
    ("ocr", is_question("ocr_text", "closed"), lambda s: said(s, s.answer.text.lower()), "REASONING_WRONG"),
    ("ocr", is_question("ocr_chapter", "closed"), lambda s: with_answer(s, text="skin"), "ANSWER_WRONG"),
    (
        "ocr",
        is_question("ocr_chapter", "closed"),
        lambda s: replace(swapped(s, s.rationale, "It shows Q99."), rationale="It shows Q99."),
        "REASONING_WRONG",
    ),
    (
        "ocr",
        anything,
        lambda s: replace(s, images=(replace(s.images[0], image_id="0" * 64),)),
        "TEXT_NOT_SHOWN",
    ),
    ("cot", anything, lambda s: swapped(s, "<think>", "Well: <think>"), "BAD_FORMAT"),
    ("cot", anything, lambda s: swapped(s, "</answer>", "</answer> Done."), "BAD_FORMAT"),
    ("cot", anything, lambda s: swapped(s, "<think>", "<think>" + "Hm, let me see. " * 10), "TOO_LONG"),
    ("cot", is_trace("side", "on the left"), lambda s: swapped(s, "on the left", "on the right"), "CONCLUSION_WRONG"),
    (
        "cot",
        is_trace("side", "<answer>left"),
        lambda s: swapped(s, "<answer>left", "<answer>right"),
        "CONCLUSION_WRONG",
    ),
    (
        "cot",
        is_trace("count", "nodules is 1"),
        lambda s: swapped(s, "nodules is 1", "nodules is 2"),
        "CONCLUSION_WRONG",
    ),
    ("cot", is_trace("count", ": 2 nodules"), lambda s: swapped(s, ": 2 nodules", ": 3 nodules"), "FACTS_DISAGREE"),
    ("cot", is_trace("count", "Right lung"), lambda s: swapped(s, "Right lung", "Upper lobe"), "FACTS_DISAGREE"),
    ("cot", is_trace("presence", "So no"), lambda s: swapped(s, "So no", "So a"), "CONCLUSION_WRONG"),
    ("cot", is_trace("count", "So "), lambda s: swapped(s, "So ", "Perhaps "), "CONCLUSION_WRONG"),
]


@pytest.mark.parametrize(("recipe", "wanted", "spoil", "reason"), SPOILT)
def test_a_spoilt_proposal_is_rejected_with_its_reason(proposed, recipe, wanted, spoil, reason):
    made, parents, facts = contents(proposed, recipe)
    good = next(s for s in made if wanted(s))
    parent, known = parents[good.synthetic.parents[0]], facts.get(good.images[0].image_id, {})
    assert CHECKS[recipe](Case(good, parent, known, 40)) is None
    assert CHECKS[recipe](Case(spoil(good), parent, known, 40)).reason == reason


@functools.cache
def contents(root, recipe):
    parents = {s.sample_id: s for s in read_samples(root / SAMPLES / source for source in SOURCES)}
    return list(read_samples([root / proposal_samples(recipe)])), parents, picture_facts(SOURCES, root)


@pytest.mark.parametrize("recipe", RECIPES)
def test_proposals_that_leave_their_parent_or_the_training_split_are_counted_and_the_rest_accepted(proposed, recipe):
    folder = proposed / proposal_samples(recipe)
    made = list(read_samples([folder]))
    spoilt = [
        replace(made[0], split="test"),
        replace(made[1], group_id="another"),
        replace(made[2], synthetic=replace(made[2].synthetic, parents=("film:0",))),
    ]
    write_samples(folder, [*spoilt, *made[3:]])
    try:
        metrics = run(proposed, [recipe])
        table = read_verdicts(proposed / "data/verdicts/verify/verdicts.parquet")
    finally:
        write_samples(folder, made)
    assert metrics[recipe] == {
        "proposed": len(made),
        "accepted": len(made) - 3,
        "rejected": {"NOT_INHERITED": 2, "NO_PARENT": 1},
    }
    assert table.filter(~table["keep"])["sample_id"].to_list() == [s.sample_id for s in made[:3]]


@settings(max_examples=100)
@given(chest_facts, chest_facts, st.text(max_size=3))
def test_a_trace_is_accepted_exactly_if_it_is_that_of_the_facts(facts, other, key):
    for q in questions(facts, key):
        if q.topic not in ("presence", "side", "count"):
            continue
        finding = finding_in(q.question)
        for described in (facts, other):
            told = trace(q.topic, finding, described)
            target = f"<think>{told}</think><answer>{q.answer}</answer>"
            common = {"source": "s", "split": "train", "revision": "1", "origin_id": "o", "group_id": "g"}
            parent = Sample(**common, task="vqa_closed", topic=q.topic, messages=turn(q.question, q.answer, 0),
                            licence="MIT", answer=Answer(q.kind, q.answer))  # fmt: skip
            sample = replace(parent, task="reasoning", messages=turn(q.question, target, 0))
            same = told == trace(q.topic, finding, facts)
            assert (check_cot(Case(sample, parent, facts, 40)) is None) == same
