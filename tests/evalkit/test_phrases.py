"""Answers about several options at once, and short ones that once were no answer; beside each its near misses."""

import pytest

from lingshu.evalkit.items import Item
from lingshu.evalkit.rules import score_strict

URINARY = ("A. Ureter", "B. Bladder", "C. Urethra", "D. Renal pelvis")
TWO = ("A. left", "B. right")
EXCEPTIONS = (
    "All of the following are seen EXCEPT:",
    "Which of these is not a cause?",
    "下列哪项是错误的？",
    "下列不属于病因的是",
)
EFFUSION, SHOWS = "Is there an effusion?", "Does the image show an effusion?"


def parsed(kind, response, choices=URINARY, question="Which?", gold="B"):
    return score_strict(Item("i", kind, question, choices if kind == "mcq" else None, gold, response)).parsed


@pytest.mark.parametrize(
    ("response", "wanted"),
    [
        *(
            (text, "A,B,C,D")
            for text in ("All of the above", "All options are correct.", "以上都对", "全选", "都正确。")
        ),
        *((text, "") for text in ("All options are wrong.", "All of them are big", "以上都不对", "全错")),
        ("All of the above but C", "A,B,D"),
        ("C以外都正确", "A,B,D"),
    ],
)
def test_every_option_where_several_may_be_right(response, wanted):
    assert parsed("mcq", response, gold=["A", "B"]) == wanted
    assert parsed("mcq", response, gold="A") == ""


@pytest.mark.parametrize(
    ("response", "wanted"),
    [
        *(
            ("C it is", "C"),
            ("C it is.", "C"),
            ("So C it is then.", "C"),
            ("I guess C it is!", "C"),
            ("C it must be", "C"),
        ),
        *(("If it is C it is fatal", ""), ("C it is not", ""), ("Is C it?", ""), ("vitamin C it is", "")),
        *(("C beats B", "C"), ("C makes the most sense", "C"), ("C makes most sense. A does not.", "C")),
        *(("vitamin C makes the most sense", ""), ("Vitamin C makes collagen", "")),
        *(("C is consistent; A, B and D are not.", "C"), ("It is C, not A", "C"), ("A and not C", "A")),
        *(("A, B and D are out", "C"), ("A is out. B is out. D is out.", "C"), ("C is out of the question", "")),
        *(("A or C, leaning C", "C"), ("leaning towards C", "C"), ("not leaning towards C", "")),
        *(("[x] C\n[ ] A\n[ ] B", "C"), ("- [ ] A\n- [x] C\n- [ ] D", "C"), ("[ ] A\n[ ] C", "")),
        *(
            ("It can't be anything but C.", "C"),
            ("The answer is none other than C", "C"),
            ("It is nothing but air", ""),
        ),
        *(("It can't be C", ""), ("C can't be anything", ""), ("Anything but C", "")),
        *(("I would drop A and D. Between B and C, C is more likely.", "C"), ("Likely: C. Less likely: A.", "C")),
        *(("C is what I'd pick; A is the distractor.", "C"), ("C is a distractor", ""), ("_C_", "C"), ("a_C_b", "")),
        *(("(C) best explains this, whereas (A) would show gas.", "C"), ("(C) would best explain air, (A) fluid", "")),
        *(
            ("I would rule out everything but C", "C"),
            ("All but C fit the picture", ""),
            ("非A即C", ""),
            ("答案即C", "C"),
        ),
    ],
)
def test_short_statements(response, wanted):
    assert parsed("mcq", response) == wanted


@pytest.mark.parametrize("response", ["All but C", "All except C.", "everything but C", "All of the above except (C)"])
@pytest.mark.parametrize("predicate", ["", " are correct"])
def test_all_but_one_is_the_exception_where_one_is_asked_for(response, predicate):
    response = response.rstrip(".") + predicate
    for question in EXCEPTIONS:
        assert parsed("mcq", response, question=question) == "C"
    assert parsed("mcq", response) == ""  # three are left
    assert parsed("mcq", response.replace("C", "A"), TWO) == "B"  # one is left


@pytest.mark.parametrize("response", ["除C外都对", "除了C以外都正确", "除C外，其他选项都正确。", "除C项之外均是"])
def test_all_but_one_in_chinese(response):
    for question in EXCEPTIONS:
        assert parsed("mcq", response, question=question) == "C"
    assert parsed("mcq", response) == ""
    assert parsed("mcq", response.replace("C", "A"), TWO) == "B"


@pytest.mark.parametrize(
    "response",
    ["All but C are wrong", "Everything except C is incorrect.", "除C外都错", "除了C，其他都不符合", "除C之外均可排除"],
)
def test_all_but_one_wrong(response):
    assert parsed("mcq", response) == "C"
    for question in EXCEPTIONS:
        assert parsed("mcq", response, question=question) == ""


@pytest.mark.parametrize(
    "response", ["Anything but C", "All but A and C", "All but X", "除A、C外都对", "All but C are treatable"]
)
def test_all_but_what_is_not_clear_is_never_that_letter_alone(response):
    assert parsed("mcq", response) == ""


@pytest.mark.parametrize(
    ("response", "wanted"),
    [
        *(("C > B > A", "C"), ("C>B>A", "C"), ("C >> B > A > D.", "C"), ("C > B", "C"), ("Ranking: C > B > A", "C")),
        *(("I'd rank them C > A > D", "C"), ("Most likely: C > A", "C"), ("可能性：C > A > B", "C")),
        *(("C > B < A", ""), ("C > B = A", ""), ("A < B < C", "C"), ("C > B > C", ""), ("C > B > F", "")),
        *(("Severity: C > B > A", ""), ("C > B > A in severity", ""), ("Stage C > B > A", "")),
        *(("C > B > A. The answer is A", "A"), ("The answer is B (B > C)", "B"), ("<C>", "C"), ("> C", "C")),
    ],
)
def test_a_ranking_gives_its_first_only_if_it_is_all_that_is_said(response, wanted):
    assert parsed("mcq", response) == wanted


def test_none_of_the_above_in_chinese_denies_no_letter():
    assert parsed("mcq", "E. 以上都不是", None) == "E"
    assert parsed("mcq", "E. 以上都不是", ("A. 肺炎", "B. 肺栓塞", "C. 气胸", "D. 心力衰竭", "E. 都不是")) == "E"
    assert parsed("mcq", "A、B、D都不是") == "C"
    assert parsed("mcq", "B不是") == ""


def test_an_option_that_is_a_ranking_is_that_option():
    assert parsed("mcq", "C > B > A", ("A. A > B > C", "B. C > B > A", "C. B > A > C")) == "B"


@pytest.mark.parametrize(
    ("response", "question", "wanted"),
    [
        *(
            ("There is.", EFFUSION, "yes"),
            ("There isn’t", EFFUSION, "no"),
            ("It does", SHOWS, "yes"),
            ("It doesn't.", SHOWS, "no"),
        ),
        *(("Absolutely not", EFFUSION, "no"), ("Probably not.", EFFUSION, "no"), ("I think so", EFFUSION, "yes")),
        *(("I don't think so", EFFUSION, "no"), ("None seen", EFFUSION, "no"), ("Of course", EFFUSION, "yes")),
        *(
            ("Answer: N", EFFUSION, "no"),
            ("The answer is positive.", EFFUSION, "yes"),
            ("Final answer: y", EFFUSION, "yes"),
        ),
        *(
            ("当然有", "图中有肿瘤吗？", "yes"),
            ("应该没有。", "图中有肿瘤吗？", "no"),
            ("看不到肿瘤", "图中有肿瘤吗？", "no"),
        ),
        *(("Not sure", EFFUSION, ""), ("I can't say so", EFFUSION, ""), ("There is a nodule", EFFUSION, "")),
        *(("It is a nodule", EFFUSION, ""), ("Not only that", EFFUSION, ""), ("应该有人看看", "图中有肿瘤吗？", "")),
        ("Answer: none of the two is sure", EFFUSION, ""),
    ],
)
def test_short_verdicts(response, question, wanted):
    assert parsed("yesno", response, question=question) == wanted


@pytest.mark.parametrize(
    ("response", "gold", "right"),
    [
        *(
            ("CT it is", "CT", True),
            ("I think it is CT", "CT", True),
            ("It looks like a CT.", "CT", True),
            ("Most likely CT", "CT", True),
        ),
        *(
            ("It appears to be CT", "CT", True),
            ("Definitely CT", "CT", True),
            ("应该是CT", "CT", True),
            ("我认为是CT", "CT", True),
        ),
        *(
            ("I think it is not CT", "CT", False),
            ("It looks like CT or MRI", "CT", False),
            ("Unlikely CT", "CT", False),
        ),
        *(
            ("CT it is not", "CT", False),
            ("应该不是CT", "CT", False),
            ("likely", "likely", True),
            ("Probably", "CT", False),
        ),
    ],
)
def test_hedges_around_closed_answers(response, gold, right):
    assert score_strict(Item("i", "closed", "Which modality?", None, gold, response)).correct is right
