"""The strict scorer over the ways models answer, and what must hold for any response."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu.evalkit.items import Item
from lingshu.evalkit.rules import GOLD_ERROR, UNJUDGED, score_strict

MI = (
    "A. Beta blocker therapy",
    "B. Aspirin",
    "C. Cardiac catheterisation",
    "D. Discharge home",
    "E. None of the above",
)
GERMS = ("A. S. aureus", "B. E. coli", "C. Candida", "D. HIV", "E. Hepatitis C")
SIGNS = ("A. effusion", "B. No effusion")
BLOOD = ("A. A", "B. B", "C. AB", "D. O")
LUNGS = ("A. 肺炎", "B. 肺栓塞", "C. 气胸")
MANY = ("A. one", "B. two", "C. three", "D. four", "E. five")
EFFUSION = "Is there a pleural effusion?"


def score(kind, response, gold, choices=None, question="Which?"):
    return score_strict(Item("i", kind, question, choices, gold, response))


SAYS_B = [
    *(
        "B",
        "b",
        "B.",
        "(B)",
        "[B]",
        "{B}",
        "'B'",
        "<B>",
        "*B*",
        "`B`",
        "### B",
        "> B",
        "- B",
        "B)",
        "B:",
        "Ｂ",
        "【B】",
    ),
    *(
        "option b",
        "choice B",
        "The letter is B",
        "I pick B.",
        "It is b.",
        "I'd say B.",
        "Ans: B",
        "Final answer: **B**",
    ),
    *("Answer: B", "Answer - B", "Answer:\n\nB", "answer: (b)", "The answer is b", "FINAL ANSWER: B", "Hence B."),
    *("B. Aspirin", "B) Aspirin", "B: Aspirin", "B - Aspirin", "Option (B): Aspirin", "The answer is Aspirin (B)."),
    *(r"\boxed{B}", r"\boxed{(B) Aspirin}", "boxed{B}", "\boxed{B}", r"\textbf{B}", r"$$B$$", r"\(B\)"),
    *("<answer>B</answer>", "<ANSWER> B", "B</answer>", r"<answer>\boxed{B}</answer>", "<answer>A</answer><answer>B"),
    *("<think>A or C?</think>B", "A or C... </think>\n\nB", "<think>A</think><think>C</think>B"),
    *("Aspirin", "aspirin.", "The patient should get aspirin.", "The answer is Aspirin, not A."),
    *("neither A nor C; B", "B, not A", "I prefer B over A", "(B) is correct, not (A)", "rather than A, I choose B"),
    *("A? No. B.", "Which is it, A or C? B.", "I'm torn between A and C, but B.", "It could be A; I go with B."),
    *("A cannot be it. B fits best", "A is unlikely, C, D and E are wrong", "A, C, D and E are incorrect."),
    "I can't exclude A, but B is correct",
    "The answer is A. Wait, no, A is wrong. The answer is B.",
    "B. Aspirin. A is for hypertension, C is invasive, D is dangerous.",
    "B\n\nExplanation: A is for hypertension. C is invasive.",
    "B because A causes harm and C is costly",
    "A. Beta blocker therapy - incorrect. B. Aspirin - correct.",
    "A: incorrect\nB: correct\nC: incorrect\nD: incorrect\nE: incorrect",
    "A. Beta blocker is common, but the correct answer is B.",
    "A (Beta blocker therapy) is used in hypertension, C is invasive, B (Aspirin) is indicated. Therefore, B.",
    "Question: What now? Options: A. Beta blocker therapy B. Aspirin Answer: B",
    "A tumour is seen. The answer is B",
    "Vitamin A deficiency is unlikely; answer B",
    *(
        "选B",
        "选项B",
        "B选项正确",
        "不选A，选B",
        "排除A、C、D、E",
        "应排除A和C，选B",
        "答案：B",
        "【答案】B",
        "答案：（B）",
    ),
    *("正确答案为B。", "A、C错误，B正确", "B是正确的", "故本题答案为B。", "因此答案为 B", "B．Aspirin"),
]
SAYS_NOTHING = [
    *("", " ", ".", "?", "-", "N/A", "F", "BB", r"\boxed{", "<think>The answer is B", "**Answer**"),
    *("A or B", "A, B", "The answer is A or B", "Both B and C", "between A and B", "either A or B", "All except B"),
    *("Not B", "B is wrong", "aspirin is not indicated", "no aspirin", "Either aspirin or discharge home"),
    *(
        "A tumour is present.",
        "I think it is serious.",
        "The patient has a fever",
        "I don't know",
        "As an AI, I cannot",
    ),
    *("vitamin B", "hepatitis B is likely", "B cell lymphoma", "Group B streptococcus"),
]


@pytest.mark.parametrize("response", SAYS_B)
def test_a_letter_or_option_in_any_usual_form(response):
    found = score("mcq", response, "B", MI)
    assert (found.correct, found.parsed) == (True, "B"), found
    assert score("mcq", response, "A", MI).correct is False


@pytest.mark.parametrize("response", SAYS_NOTHING)
def test_never_an_option_by_default(response):
    for gold in "ABCDE":
        found = score("mcq", response, gold, MI)
        assert (found.correct, found.no_answer, found.parsed) == (False, True, ""), found


@pytest.mark.parametrize(
    ("response", "parsed", "choices"),
    [
        ("E. coli", "B", GERMS),
        ("The cause is E. coli.", "B", GERMS),
        ("Hepatitis C", "E", GERMS),
        ("C", "C", GERMS),
        ("No effusion", "B", SIGNS),
        ("there is no effusion here", "B", SIGNS),
        ("effusion", "A", SIGNS),
        ("AB", "C", BLOOD),
        ("O", "D", BLOOD),
        ("B", "B", BLOOD),
        ("Not B", "A", ("A. left", "B. right")),
        ("I would exclude A and C", "B", ("A. x", "B. y", "C. z")),
        ("肺栓塞", "B", LUNGS),
        ("考虑为肺栓塞，而不是肺炎", "B", LUNGS),
        ("患者没有肺炎，诊断为气胸", "C", LUNGS),
        ("C is right. A tumour is visible.", "C", MI),
        ("I", "I", tuple(f"{c}. option {c}" for c in "ABCDEFGHIJ")),
        ("I think it is J", "J", tuple(f"{c}. option {c}" for c in "ABCDEFGHIJ")),
    ],
)
def test_options_that_look_like_letters_or_contain_each_other(response, parsed, choices):
    assert score("mcq", response, parsed, choices).parsed == parsed


@pytest.mark.parametrize(
    "response",
    [
        *("A,B,D", "A、B、D", "ADB", "A B D", "The correct answers are A, B and D.", "答案是ABD", "选ABD", "ABD正确"),
        "A is correct. B is correct. C is wrong. D is correct.",
        r"\boxed{A}, \boxed{B}, \boxed{D}",
    ],
)
def test_several_answers_must_all_be_given(response):
    assert score("mcq", response, "ABD", MANY).correct is True
    assert score("mcq", response, "A, B, D, E", MANY).correct is False


def test_shuffling_the_letters_of_a_several_answer_gold_changes_nothing():
    for gold in ("ABD", "DBA", "A,B,D", "a、b、d", ("D", "B", "A"), ("one", "two", "four")):
        assert score("mcq", "B, D and A", gold, MANY).correct is True


@pytest.mark.parametrize(
    "response",
    [
        *("No", "no.", "**No**", "NO!", r"\boxed{no}", "The answer is no.", "Answer: No", "No, there is not", "none"),
        *(
            "There is no effusion",
            "There is no pleural effusion.",
            "There's no pleural effusion",
            "No evidence of effusion",
        ),
        *("the effusion is not visible", "The image does not show a pleural effusion.", "I don't see any effusion"),
        *("pleural effusion is absent", "<think>yes?</think>No", "The final answer is No, since it is clear."),
        *("没有", "无", "否", "不是", "没有胸腔积液"),
    ],
)
def test_no(response):
    assert score("yesno", response, "no", question=EFFUSION).correct is True
    assert score("yesno", response, "yes", question=EFFUSION).correct is False


@pytest.mark.parametrize(
    "response",
    [
        *(
            "Yes",
            "YES!",
            "yes\n",
            "Yes - small",
            "True",
            r"\boxed{\text{Yes}}",
            "the answer is: yes",
            "Absolutely, yes",
        ),
        *("Yes, but no nodule", "No doubt there is a pleural effusion", "There is evidence of a pleural effusion"),
        *("There is a small pleural effusion on the left", "<think>no</think>yes", "是", "有", "是的"),
    ],
)
def test_yes(response):
    assert score("yesno", response, "yes", question=EFFUSION).correct is True
    assert score("yesno", response, "no", question=EFFUSION).correct is False


@pytest.mark.parametrize(
    ("response", "question"),
    [
        ("", EFFUSION),
        ("yes or no", EFFUSION),
        ("pleural effusion", EFFUSION),
        ("There is no nodule", EFFUSION),
        ("无法判断", EFFUSION),
        ("对不起，我不能", EFFUSION),
        ("I can't tell whether there is a pleural effusion", EFFUSION),
        ("No effusion", "Is the chest clear?"),
    ],
)
def test_neither_yes_nor_no(response, question):
    for gold in ("yes", "no"):
        assert score("yesno", response, gold, question=question).no_answer


@pytest.mark.parametrize(
    ("response", "gold"),
    [
        *[
            ("the CT", "CT"),
            ("It's CT", "ct"),
            ("This is a CT.", "CT"),
            ("The modality is CT", "CT"),
            ("CT\n\nsince", "CT"),
        ],
        *[("x-ray", "X ray"), ("xray", "X-Ray"), ("two", "2"), ("2.0", "2"), ("1,000", "1000"), ("1.5 tesla", "1.5T")],
        *[
            ("5 mm", "5mm"),
            ("five millimeters", "5 mm"),
            ("10%", "10 percent"),
            ("５０％", "50%"),
            ("In the left lung", "left lung"),
        ],
        *[
            ("T1-weighted", "t1 weighted"),
            ("crohn’s disease", "Crohn's disease"),
            ("答案是右肺。", "右肺"),
            ("<answer>2", "two"),
        ],
        ("liver and spleen", ("spleen", "liver")),
    ],
)
def test_closed_answers_are_compared_after_normalising(response, gold):
    assert score("closed", response, gold, question="Which modality is used?").correct is True


@pytest.mark.parametrize(
    ("response", "gold"),
    [
        *[
            ("CT angiography", "CT"),
            ("not CT", "CT"),
            ("It is not CT", "CT"),
            ("CT or MRI", "CT"),
            ("left", "left lung"),
        ],
        *[("-1", "1"), ("12", "1 2"), ("15", "1.5"), ("liver", ("spleen", "liver"))],
    ],
)
def test_closed_answers_are_never_matched_in_part(response, gold):
    found = score("closed", response, gold, question="Which modality is used?")
    assert (found.correct, found.no_answer) == (False, False)


def test_a_refusal_of_a_closed_question_is_no_answer():
    assert score("closed", "I cannot help with that.", "CT").no_answer


def test_broken_golds_are_unscored_and_open_answers_wait_for_a_judge():
    assert score("mcq", "B", "F", MI).rule == GOLD_ERROR
    assert score("yesno", "yes", "perhaps").rule == GOLD_ERROR
    found = score("open", "a lesion of the left lung", "lesion of left lung")
    assert (found.correct, found.rule, found.score) == (None, UNJUDGED, 1.0)
    with pytest.raises(ValueError, match="caption"):
        score("caption", "x", "x")


PIECES = [*"AaBbCcIi .,:;()\n-*<>/?!$\\{}", " the answer is ", "<think>", "</think>", "<answer>", "\\boxed{"]
RESPONSE = st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=30)
KIND_AND_GOLD = st.sampled_from([("mcq", "B", MI), ("yesno", "no", None), ("closed", "CT", None), ("open", "CT", None)])


@given(RESPONSE, KIND_AND_GOLD)
def test_any_response_has_a_verdict_and_no_answer_is_never_credited(response, case):
    kind, gold, choices = case
    found = score(kind, response, gold, choices)
    assert found == score(kind, response, gold, choices)
    if found.no_answer and kind != "open":
        assert (found.correct, found.parsed) == (False, "")
    if found.correct is not None:
        assert found.score == float(found.correct)


@given(RESPONSE)
def test_what_was_parsed_does_not_depend_on_the_gold(response):
    assert len({score("mcq", response, gold, MI).parsed for gold in "ABCDE"}) == 1
    assert len({score("yesno", response, gold, question=EFFUSION).parsed for gold in ("yes", "no")}) == 1


@given(st.sampled_from(SAYS_B), st.sampled_from(["", " ", "\n", "  \n "]), st.sampled_from(["", " ", "\n\n"]))
def test_space_around_a_response_changes_nothing(response, before, after):
    assert score("mcq", before + response + after, "B", MI).correct is True


@given(st.sampled_from(["yes", "no", "there is no pleural effusion", "aspirin", "ct", "the answer is ct"]))
def test_case_changes_nothing(response):
    for kind, gold, choices in (("mcq", "B", MI), ("yesno", "no", None), ("closed", "CT", None)):
        found = {score(kind, r, gold, choices, EFFUSION) for r in (response, response.upper(), response.title())}
        assert len({f.correct for f in found}) == 1


UNITS = [
    "A ",
    "(A) ",
    "answer ",
    "not ",
    "<think>",
    "<answer>",
    "\\boxed{",
    "\n",
    " ",
    "没有",
    "is A, ",
    "a.",
    "no x, ",
]


@pytest.mark.parametrize("unit", UNITS)
def test_time_is_linear_in_the_length(unit):
    def seconds(repeats: int) -> float:
        items = [
            Item("i", kind, EFFUSION, choices, gold, f"{unit * repeats}\nNo loop.")
            for kind, gold, choices in (("mcq", "B", MI), ("yesno", "no", None), ("closed", "CT", None))
        ]
        best = 1.0
        for _ in range(3):
            start = time.process_time()
            for item in items:
                score_strict(item)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(4000) < 40 * max(seconds(400), 2e-4)  # 10 times the length: 10 if linear, 100 if quadratic
