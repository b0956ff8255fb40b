"""MedEvalKit's rules where they are not defects: values worked out by hand from the reference; `perf/official.py`
compares with the original functions."""

import math
import random

import pytest

from lingshu.core.errors import UserError
from lingshu.evalkit.items import Item
from lingshu.evalkit.official import answers, extraction, mmmu
from lingshu.evalkit.official.overlap import UndefinedError, open_metrics
from lingshu.evalkit.official.scorers import SCORERS, score_official, scorer_name

SCANS = ("A. MRI", "B. CT", "C. X-ray", "D. Ultrasound")


def item(kind="mcq", response="B", gold="B", choices=SCANS, **meta):
    return Item("i", kind, "Which?", choices, gold, response, meta=meta)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<answer>B</answer>", "B"),
        ("<answer> A </answer> x <answer>B</answer>", "A  B"),
        ("<answer>B", "<answer>B"),
        ("<answer></answer>x", "<answer></answer>x"),
        ("<ANSWER>B</ANSWER>", "<ANSWER>B</ANSWER>"),
        ("", ""),
    ],
)
def test_answer_tags(text, found):
    assert extraction.tagged(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [(r"\boxed{a{b}c} \boxed{ d }", "d"), (r"\boxed{a{b}", "None"), ("none", "None"), (r"\boxed{}", "")],
)
def test_the_last_box(text, found):
    assert extraction.boxed(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The answer is: B", ": b"),
        ("**Answer**: B", " b"),
        ("**Answer**B**Answer**C", "c"),
        ("Final answer is B", " b"),
        ("final answer B", " b"),
        ("答案:B", "b"),
        ("答案：B", "答案：b"),
        ("a boxed answer: B", "none"),
        (r"\boxed{B}", "b"),
        ("<answer>answer: B</answer>", " b"),
    ],
)
def test_what_is_compared(text, found):
    assert extraction.parsed(text).lower() == found


@pytest.mark.parametrize(
    ("response", "gold", "correct", "rule"),
    [
        ("B", "B", True, "equals_gold"),
        ("b.", "B", True, "equals_gold"),
        ("C", "B", False, "letter"),
        ("B", "b. ct", True, "letter"),
        ("B\n\nBecause it is A.", "B", True, "equals_gold"),
        ("It shows.\n\nB. Indeed", "B", True, "equals_gold"),
        ("answer:B", "B", True, "equals_gold"),
        ("CT", "B", True, "nearest_option"),
        ("zzz", "A", True, "first_option"),
    ],
)
def test_multiple_choice(response, gold, correct, rule):
    found = answers.multi_choice(SCANS, gold, response)
    assert (found.correct, found.rule) == (correct, rule)


def test_an_option_text_is_found_up_to_its_first_stop():
    assert answers.multi_choice(("Heart", "Lung"), "B", "lung. Because").rule == "option_text"
    assert answers.multi_choice(("Heart", "Lung"), "B", "lung. Because").correct


@pytest.mark.parametrize(
    ("response", "gold", "correct", "rule"),
    [
        ("Yes.", "yes", True, "substring"),
        ("nodule", "no", True, "substring"),
        ("yes or no", "yes", False, "both_substrings"),
        ("maybe", "no", False, "no_substring"),
        ("y.e\ns", "yes", True, "substring"),
    ],
)
def test_yes_or_no(response, gold, correct, rule):
    found = answers.yes_no(gold, response)
    assert (found.correct, found.rule) == (correct, rule)


def test_closed_answers_are_plainly_equal():
    assert answers.closed("CT", "c.t\n").correct
    assert not answers.closed("CT", " CT").correct


def test_open_metrics_by_hand():
    found = open_metrics("the left lung", "the right lung")
    assert found["em"] == 0.0
    assert found["bleu1"] == pytest.approx(2 / 3)
    assert found["bleu2"] == pytest.approx(math.sqrt(2 / 3 * 2.2250738585072014e-308), rel=1e-9)
    assert found["rouge1"] == pytest.approx(2 / 3, abs=1e-7)
    assert found["rouge2"] == 0.0
    assert found["rougel"] == pytest.approx(2 / 3, abs=1e-7)
    assert open_metrics("lung", "left")["bleu1"] == 0.0
    short = open_metrics("a b c d", "a b")
    assert short["bleu1"] == pytest.approx(math.exp(-1))  # brevity: 4 words wanted, 2 given


def test_open_metrics_are_undefined_where_medevalkit_stops():
    for gold, given in (("lung", "."), ("", "lung"), ("lung", " ")):
        with pytest.raises(UndefinedError):
            open_metrics(gold, given)


@pytest.mark.parametrize(
    ("response", "letter", "rule"),
    [
        ("(A) no, (B)", "B", "bracketed_letter"),
        ("I say B here", "B", "spaced_letter"),
        ("B.", "B", "spaced_letter"),
        (r"\boxed{B}", "B", "spaced_letter"),
        ("the scan is surely a ct of the head", "B", "option_text"),
        ("a ct", "?", "random_choice"),
    ],
)
def test_mmmu_letters(response, letter, rule):
    found = mmmu.multi_choice(("MRI", "CT", "X-ray"), "B", response, lambda letters: "?")
    assert (found.parsed, found.rule) == (letter, rule)


@pytest.mark.parametrize(
    ("gold", "response", "correct"),
    [
        ("5", "So the result is 5.00", True),
        ("1000", "x = 1,000", True),
        ("5", "so 15", False),
        ("aspirin", "therefore aspirin therapy", True),
        (("a1", "b2"), "B2", True),
        ("x", "fox ", False),
    ],
)
def test_mmmu_open_answers_of_the_public_reference(gold, response, correct):
    golds = gold if isinstance(gold, str) else list(gold)
    assert mmmu.open_answer_reference(golds, response).correct is correct


def test_which_scorer_an_item_goes_to():
    assert scorer_name(item()) == "MC+x"
    assert scorer_name(item(benchmark="PMC_VQA")) == scorer_name(item(benchmark="medframeqa")) == "MC"
    assert scorer_name(item("yesno")) == "YN+vqa"
    assert scorer_name(item("open", benchmark="slake-zh")) == "OE+slake"
    assert scorer_name(item("open", benchmark="path-vqa")) == "OE+vqa"
    assert scorer_name(item(official="MC")) == "MC"
    with pytest.raises(UserError, match=r"i: meta.official: unknown scorer 'MCQ'"):
        scorer_name(item(official="MCQ"))
    with pytest.raises(ValueError, match="rubric"):
        scorer_name(item("rubric"))


def test_tags_count_only_where_the_benchmark_takes_them_out_first():
    blocks = item(response="<answer>A\n\nbecause</answer>", gold="A")
    assert score_official(blocks, 0).score.rule == "equals_gold"
    blocks = item(response="<answer>A\n\nbecause</answer>", gold="A", benchmark="PMC-VQA")
    assert score_official(blocks, 0).score.rule == "nearest_option"
    assert score_official(item("yesno", "<answer> YES </answer>", "Yes ", None), 0).score.correct
    assert not score_official(item("closed", "<answer> CT </answer>.", "CT.", None), 0).score.correct


def test_random_choices_depend_on_the_seed_and_the_item_only():
    def drawn(seed, name):
        return score_official(Item(name, "mmmu", "?", SCANS, "B", "?"), seed).score.parsed

    names = [f"item {number}" for number in range(20)]
    first = [drawn(7, name) for name in names]
    assert [drawn(7, name) for name in reversed(names)] == first[::-1]
    assert [drawn(8, name) for name in names] != first
    assert set(first) == set("ABCD")


def test_every_scorer_takes_every_item():
    draw = random.Random(2)
    for name in SCORERS:
        for _ in range(20):
            text = "".join(draw.choices(("B", " ", ".", "(C)", "yes", "no", "\n\n", "\\boxed{", "<answer>", "肺"), k=5))
            found = score_official(item("mcq", text, ("B", "C"), SCANS, official=name), 3)
            assert found.score.correct in (True, False, None)
            assert (found.score.correct is None) == bool(found.reason)
    assert score_official(item(choices=None), 0).reason == "multiple choice without choices"
