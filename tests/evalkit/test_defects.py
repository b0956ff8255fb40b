"""MedEvalKit's scoring defects D01 to D29 and D45 to D48 by id: the official rules show each, the strict rules do not.

Inputs, MedEvalKit's verdicts and the right ones are those of the defect list (options "mi" unless said otherwise).
Defects of aggregation and data safety are in `test_aggregation_defects.py`.
"""

import pytest

from lingshu.evalkit.items import Item
from lingshu.evalkit.official.overlap import open_metrics
from lingshu.evalkit.official.scorers import CRASH, score_official
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


def official(response, gold, choices=MI, kind="mcq", **meta):
    return score_official(Item("i", kind, "Which?", choices, gold, response, meta=meta), seed=0).score


def official_credits(response, choices=MI):
    """The letters that MedEvalKit counts as right for a response."""
    return "".join(c for c in "ABCDE"[: len(choices)] if official(response, c, choices).correct)


def right(score):
    return score.correct is True and score.score == 1.0 and not score.no_answer


def unanswered(score):
    return score.correct is False and score.score == 0.0 and score.no_answer and score.parsed == ""


def test_D01_an_empty_output_is_no_answer():
    assert unanswered(mcq("", "A"))
    assert official("", "A").correct
    assert official("", "A").rule == "first_option"


@pytest.mark.parametrize("refusal", ["I cannot help with that.", "", "**Answer**"])
def test_D02_a_refusal_scores_zero_on_every_option(refusal):
    assert all(unanswered(mcq(refusal, gold)) for gold in "ABCD")
    assert len(official_credits(refusal)) == 1


def test_D03_the_answer_is():
    assert right(mcq("The answer is: B", "B"))
    assert mcq("The answer is: B", "E").correct is False
    assert official_credits("The answer is: B") == "E"


@pytest.mark.parametrize(
    ("response", "credited"), [("The correct option is B.", "C"), ("Option B", "E"), ("B is correct", "D")]
)
def test_D04_option_and_is_correct(response, credited):
    assert right(mcq(response, "B"))
    assert official_credits(response) == credited


@pytest.mark.parametrize(
    ("response", "gold", "choices", "credited"),
    [("(C)", "C", MI, "D"), ("(B)", "B", UNLETTERED, "A"), ("I choose option (B)", "B", ORGANS, "A")],
)
def test_D05_brackets(response, gold, choices, credited):
    assert right(mcq(response, gold, choices))
    assert official_credits(response, choices) == credited


def test_D06_bold():
    assert right(mcq("**C**", "C", SCANS))
    assert official_credits("**C**", SCANS) == "B"


@pytest.mark.parametrize(("response", "credited"), [(r"\boxed{\text{B}}", "E"), (r"$\boxed{\mathrm{B}}$", "A")])
def test_D07_boxed_latex(response, credited):
    assert right(mcq(response, "B"))
    assert official_credits(response) == credited


def test_D08_the_word_boxed_is_a_word():
    assert right(mcq("the boxed region shows lung", "C", ("A. Heart", "B. None", "C. Lung", "D. Bone")))
    assert official("the boxed region shows lung", "B", ("A. Heart", "B. None", "C. Lung", "D. Bone")).correct


def test_D09_think_blocks_are_not_the_answer():
    assert right(mcq("<think>First I weigh A.</think>\nB", "B"))
    assert official_credits("<think>First I weigh A.</think>\nB") == "E"


@pytest.mark.parametrize(
    ("response", "credited"),
    [
        ("Not A but B", "E"),
        ("A is incorrect. B", "E"),
        ("The answer is not A. It is B.", "A"),
        ("I would exclude A, C and D, so B.", "C"),
    ],
)
def test_D10_negation_and_elimination(response, credited):
    assert right(mcq(response, "B"))
    assert official_credits(response) == credited


@pytest.mark.parametrize("response", ["F", "A or B", "\\boxed{"])
def test_D11_no_valid_letter(response):
    assert all(unanswered(mcq(response, gold)) for gold in "ABCDE")
    assert len(official_credits(response)) == 1


@pytest.mark.parametrize("response", ["A,B,D", "A、B、D", "ADB", "A, B and D"])
def test_D12_several_answers_in_any_order_and_form(response):
    assert right(mcq(response, "ABD", MANY))
    assert right(mcq(response, ("D", "A", "B"), MANY))
    assert mcq(response, "AB", MANY).correct is False
    assert not official(response, "ABD", MANY).correct
    assert official("ABD", "ABD", MANY).correct
    assert official("abd", ("A", "B", "D"), MANY).correct


@pytest.mark.parametrize("response", ["答案是C", "Ｃ"])
def test_D13_chinese_and_full_width(response):
    assert right(mcq(response, "C", UNLETTERED))
    assert official_credits(response, UNLETTERED) == "A"


def test_D14_an_unclosed_tag():
    assert right(mcq("<answer>B", "B"))
    assert official_credits("<answer>B") == "A"


def test_D15_a_letter_at_the_end_and_stops_inside_words():
    assert right(mcq("Dr. Smith says B", "B", ORGANS))
    assert right(mcq("The lesion is 2.5 cm wide, so B", "B", ORGANS))
    assert official_credits("Dr. Smith says B", ORGANS) == "D"


def test_D16_two_colons():
    assert right(mcq("Answer: the lesion: C", "C"))
    assert right(mcq("Answer: the lesion: C", "C", ORGANS))
    assert official_credits("Answer: the lesion: C", ORGANS) == "B"


def test_D17_the_verdict_does_not_depend_on_the_distractors():
    for choices in (MI, SCANS, ORGANS, CHINESE, MANY):
        assert right(mcq("(B)", "B", choices))
        assert unanswered(mcq("bet", "B", choices))
    assert official("(B)", "B", MI).correct
    assert not official("(B)", "B", UNLETTERED).correct


def test_D18_a_gold_that_is_no_option_is_an_error_of_the_data():
    score = mcq("B", "Paracetamol")
    assert (score.correct, score.score, score.rule) == (None, None, GOLD_ERROR)
    assert right(mcq("B", "Aspirin"))
    assert not official("B", "Paracetamol").correct


def test_D20_no_is_a_word():
    assert right(yesno("Yes, there is a nodule", "yes"))
    assert not official("Yes, there is a nodule", "yes", None, "yesno").correct


@pytest.mark.parametrize(
    "response",
    ["The heart is normal", "I cannot determine this", "Unknown", "There is an abnormality in the left lung"],
)
def test_D21_no_inside_words_is_not_no(response):
    assert unanswered(yesno(response, "no"))
    assert official(response, "no", None, "yesno").correct


def test_D22_yes_inside_words_is_not_yes():
    assert unanswered(yesno("The eyes are clear", "yes"))
    assert official("The eyes are clear", "yes", None, "yesno").correct


@pytest.mark.parametrize("response", [" Yes", "Yes ", "Yes, it is"])
def test_D23_space_and_explanation_around_a_closed_answer(response):
    assert right(closed(response, "Yes"))
    assert right(closed("The answer is CT.", "CT"))
    assert not official(response, "Yes", None, "closed").correct
    assert not official("The answer is CT.", "CT", None, "closed").correct


@pytest.mark.parametrize("gold", ["Yes", "yes", "YES"])
def test_D24_one_yes_no_rule_whatever_the_case_of_the_gold(gold):
    assert right(closed("yes, certainly", gold))
    assert right(yesno("yes, certainly", gold))
    assert official("yes, certainly", gold, None, "yesno", benchmark="SLAKE-en").correct == (gold == "yes")


def test_D25_full_stops_on_both_sides():
    assert right(closed("1.5T", "1.5T"))
    assert right(closed("1.5T.", "1.5T"))
    assert closed("15T", "1.5T").correct is False
    assert not official("1.5T", "1.5T", None, "closed").correct


def test_D26_precision_recall_and_f1_are_what_they_are_called():
    overlap = token_overlap(gold="lung", response="left lung base")
    assert (overlap.precision, overlap.recall, overlap.f1) == (pytest.approx(1 / 3), 1.0, 0.5)
    theirs = open_metrics("lung", "left lung base")
    assert (theirs["precision"], theirs["recall"], theirs["f1"]) == (0.5, pytest.approx(1 / 3), 1.0)


@pytest.mark.parametrize("response", ["", "."])
def test_D27_an_empty_open_answer_scores_zero(response):
    score = score_strict(Item("i", "open", "Where?", None, "lung", response))
    assert (score.correct, score.score) == (None, 0.0)
    assert official(response, "lung", None, "open").rule == CRASH
    assert official(response, "lung", None, "open").correct is None


def test_D28_an_exact_one_word_answer_scores_one():
    assert score_strict(Item("i", "open", "Where?", None, "lung", "lung")).score == 1.0
    theirs = open_metrics("lung", "lung")
    assert theirs["bleu1"] == 1.0
    assert theirs["bleu2"] == pytest.approx(1.49e-154, rel=0.01)
    assert theirs["bleu4"] == pytest.approx(1.8e-231, rel=0.02)


def test_D29_repetition_earns_nothing():
    assert token_overlap("lung", "lung " * 3000).f1 < 0.001
    theirs = open_metrics("lung", "lung " * 3000)
    assert theirs["f1"] == 1.0
    assert theirs["rouge1"] == pytest.approx(1.0)


def test_D45_options_without_letters_are_answered_by_letter_or_text():
    for response in ("B", "肺栓塞", "答案：B"):
        assert right(mcq(response, "B", UNLETTERED))
    assert official_credits("答案：B", UNLETTERED) == "A"


def mmmu(response, gold, choices=None, rules=score_strict, **meta):
    return rules(Item("i", "mmmu", "What?", choices, gold, response, meta=meta))


def mmmu_official(response, gold, choices=None, **meta):
    return mmmu(response, gold, choices, lambda item: score_official(item, seed=0).score, **meta)


@pytest.mark.parametrize("answer", ["5", "aspirin"])
def test_D46_an_open_answer_is_not_compared_character_by_character(answer):
    assert right(mmmu(answer, answer))
    assert mmmu_official(answer, answer).correct is False
    assert mmmu_official(answer, answer, official="MMMU+reference").correct


MMMU_MI = tuple(f"({choice[0]}) {choice[3:]}" for choice in MI)


@pytest.mark.parametrize("response", ["b", "(b)", "**B**", "B: Aspirin", "Aspirin", ""])
def test_D47_no_letter_is_drawn_at_random(response):
    found = mmmu(response, "B", MMMU_MI)
    assert right(found) if response else unanswered(found)
    theirs = [score_official(Item("i", "mmmu", "?", MMMU_MI, "B", response), seed).score for seed in range(30)]
    assert {score.rule for score in theirs} == {"random_choice"}
    assert len({score.parsed for score in theirs}) > 1


@pytest.mark.parametrize(
    ("response", "wanted"), [("C is right. A tumour is visible.", "C"), ("(B) is correct, not (A)", "B")]
)
def test_D47_the_last_letter_is_not_always_the_answer(response, wanted):
    assert right(mmmu(response, wanted, MMMU_MI))
    assert mmmu_official(response, wanted, MMMU_MI).parsed == "A"


def test_D48_a_substring_is_not_an_answer():
    assert mmmu("not aspirin", "aspirin").correct is False
    assert mmmu_official("not aspirin", "aspirin", official="MMMU+reference").correct
