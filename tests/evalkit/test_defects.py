"""MedEvalKit's scoring defects D01 to D29 by id: the strict scorer gives the right verdict where it errs.

Inputs and right verdicts are those of the defect list (options "mi" unless said otherwise).
"""

import pytest

from lingshu.evalkit.items import Item
from lingshu.evalkit.overlap import token_overlap
from lingshu.evalkit.rules import GOLD_ERROR, score_strict

MI = (
    "A. Beta blocker therapy",
    "B. Aspirin",
    "C. Cardiac catheterisation",
    "D. Discharge home",
    "E. None of the above",
)
SCANS = ("A. MRI", "B. CT", "C. X-ray", "D. Ultrasound")
ORGANS = ("A. Heart", "B. Lung", "C. Liver", "D. Bone")
CHINESE = ("A. 肺炎", "B. 肺栓塞", "C. 气胸", "D. 心力衰竭")
UNLETTERED = ("肺炎", "肺栓塞", "气胸", "心力衰竭")
MANY = ("A. one", "B. two", "C. three", "D. four", "E. five")


def mcq(response, gold, choices=MI):
    return score_strict(Item("i", "mcq", "Which?", choices, gold, response))


def yesno(response, gold, question="Is there a nodule?"):
    return score_strict(Item("i", "yesno", question, None, gold, response))


def closed(response, gold, question="Which modality is this?"):
    return score_strict(Item("i", "closed", question, None, gold, response))


def right(score):
    return score.correct is True and score.score == 1.0 and not score.no_answer


def unanswered(score):
    return score.correct is False and score.score == 0.0 and score.no_answer and score.parsed == ""


def test_D01_an_empty_output_is_no_answer():
    assert unanswered(mcq("", "A"))


@pytest.mark.parametrize("refusal", ["I cannot help with that.", "", "**Answer**"])
def test_D02_a_refusal_scores_zero_on_every_option(refusal):
    assert all(unanswered(mcq(refusal, gold)) for gold in "ABCD")


def test_D03_the_answer_is():
    assert right(mcq("The answer is: B", "B"))
    assert mcq("The answer is: B", "E").correct is False


@pytest.mark.parametrize("response", ["The correct option is B.", "Option B", "B is correct"])
def test_D04_option_and_is_correct(response):
    assert right(mcq(response, "B"))


@pytest.mark.parametrize(
    ("response", "gold", "choices"), [("(C)", "C", MI), ("(B)", "B", CHINESE), ("I choose option (B)", "B", MI)]
)
def test_D05_brackets(response, gold, choices):
    assert right(mcq(response, gold, choices))


def test_D06_bold():
    assert right(mcq("**C**", "C", SCANS))


@pytest.mark.parametrize("response", [r"\boxed{\text{B}}", r"$\boxed{\mathrm{B}}$"])
def test_D07_boxed_latex(response):
    assert right(mcq(response, "B"))


def test_D08_the_word_boxed_is_a_word():
    assert right(mcq("the boxed region shows lung", "C", ("A. Heart", "B. None", "C. Lung", "D. Bone")))


def test_D09_think_blocks_are_not_the_answer():
    assert right(mcq("<think>First I weigh A.</think>\nB", "B"))


@pytest.mark.parametrize(
    "response",
    [
        "Not A but B",
        "A is incorrect. B",
        "The answer is not A. It is B.",
        "I would exclude A, C and D, so B.",
    ],
)
def test_D10_negation_and_elimination(response):
    assert right(mcq(response, "B"))


@pytest.mark.parametrize("response", ["F", "A or B", "\\boxed{"])
def test_D11_no_valid_letter(response):
    assert all(unanswered(mcq(response, gold)) for gold in "ABCDE")


@pytest.mark.parametrize("response", ["A,B,D", "A、B、D", "ADB", "A, B and D"])
def test_D12_several_answers_in_any_order_and_form(response):
    assert right(mcq(response, "ABD", MANY))
    assert right(mcq(response, ("D", "A", "B"), MANY))
    assert mcq(response, "AB", MANY).correct is False


@pytest.mark.parametrize("response", ["答案是C", "Ｃ"])
def test_D13_chinese_and_full_width(response):
    assert right(mcq(response, "C", UNLETTERED))


def test_D14_an_unclosed_tag():
    assert right(mcq("<answer>B", "B"))


def test_D15_a_letter_at_the_end_and_stops_inside_words():
    assert right(mcq("Dr. Smith says B", "B", ORGANS))
    assert right(mcq("The lesion is 2.5 cm wide, so B", "B", ORGANS))


def test_D16_two_colons():
    assert right(mcq("Answer: the lesion: C", "C"))


def test_D17_the_verdict_does_not_depend_on_the_distractors():
    for choices in (MI, SCANS, ORGANS, CHINESE, MANY):
        assert right(mcq("(B)", "B", choices))
        assert unanswered(mcq("bet", "B", choices))


def test_D18_a_gold_that_is_no_option_is_an_error_of_the_data():
    score = mcq("B", "Paracetamol")
    assert (score.correct, score.score, score.rule) == (None, None, GOLD_ERROR)
    assert right(mcq("B", "Aspirin"))


def test_D20_no_is_a_word():
    assert right(yesno("Yes, there is a nodule", "yes"))


@pytest.mark.parametrize(
    "response",
    ["The heart is normal", "I cannot determine this", "Unknown", "There is an abnormality in the left lung"],
)
def test_D21_no_inside_words_is_not_no(response):
    assert unanswered(yesno(response, "no"))


def test_D22_yes_inside_words_is_not_yes():
    assert unanswered(yesno("The eyes are clear", "yes"))


@pytest.mark.parametrize("response", [" Yes", "Yes ", "Yes, it is"])
def test_D23_space_and_explanation_around_a_closed_answer(response):
    assert right(closed(response, "Yes"))
    assert right(closed("The answer is CT.", "CT"))


@pytest.mark.parametrize("gold", ["Yes", "yes", "YES"])
def test_D24_one_yes_no_rule_whatever_the_case_of_the_gold(gold):
    assert right(closed("yes, certainly", gold))
    assert right(yesno("yes, certainly", gold))


def test_D25_full_stops_on_both_sides():
    assert right(closed("1.5T", "1.5T"))
    assert right(closed("1.5T.", "1.5T"))
    assert closed("15T", "1.5T").correct is False


def test_D26_precision_recall_and_f1_are_what_they_are_called():
    overlap = token_overlap(gold="lung", response="left lung base")
    assert (overlap.precision, overlap.recall, overlap.f1) == (pytest.approx(1 / 3), 1.0, 0.5)


@pytest.mark.parametrize("response", ["", "."])
def test_D27_an_empty_open_answer_scores_zero(response):
    score = score_strict(Item("i", "open", "Where?", None, "lung", response))
    assert (score.correct, score.score) == (None, 0.0)


def test_D28_an_exact_one_word_answer_scores_one():
    assert score_strict(Item("i", "open", "Where?", None, "lung", "lung")).score == 1.0


def test_D29_repetition_earns_nothing():
    assert token_overlap("lung", "lung " * 3000).f1 < 0.001
