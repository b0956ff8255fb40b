"""Forms that models answer in, beyond those of `test_rules.py`: each once failed or could credit the wrong answer."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu.evalkit.items import Item
from lingshu.evalkit.official.scorers import CRASH
from lingshu.evalkit.rules import GOLD_ERROR, UNJUDGED, score_strict
from lingshu.evalkit.scored import score_item

MI = (
    "A. Beta blocker therapy",
    "B. Aspirin",
    "C. Cardiac catheterisation",
    "D. Discharge home",
    "E. None of the above",
)
MANY = ("A. one", "B. two", "C. three", "D. four", "E. five")
NUMBERS = ("A. 5", "B. 10", "C. 1.5", "D. 15 mg", "E. > 20")
CHINESE = ("A. 肺炎", "B. 肺栓塞", "C. 气胸", "D. 心力衰竭", "E. 以上都不是")
EFFUSION, HEART = "Is there an effusion?", "Is the heart normal?"


def parsed(kind, response, choices=None, gold="B", question="Which?"):
    return score_strict(Item("i", kind, question, choices, gold, response)).parsed


@pytest.mark.parametrize(
    "response",
    [
        *("ans: b", "~~A~~ B", "B ✓", "A) ✗\nB) ✓\nC) ✗", "After eliminating A, C, D, and E, B remains."),
        *("A: no\nB: yes\nC: no\nD: no\nE: no", "A is wrong because of shock. C is too invasive. That leaves B."),
        "Neither A nor C helps, leaving only option B",
        "Option A: no. Option B: yes. Option C: no. Option D: no. Option E: no.",
        *("I first thought A, but it is B.", "At first A seems right, but actually B.", "Between A and B, B is better"),
        "Both A and B are plausible, but B is better",
        *("B is more likely than A", "A is less likely than B", "B looks correct", "Answer: B.\nConfidence: 90%"),
        *("You might think the answer is A, but it's B.", "The answer is probably B, but could be C."),
        *("One might think the answer is A, but the answer is actually B.", "I thought A at first. B."),
        "The answer is B. However, C may be considered later.",
        "There's no role for beta blocker therapy or discharge home. Aspirin.",
        *(
            '{"answer": "B"}',
            "```json\n{'answer': 'B'}\n```",
            "B\r\n",
            "ＡＮＳＷＥＲ：Ｂ",
            "The answer is B (3 × 4 cm).",
        ),
    ],
)
def test_more_ways_to_say_b(response):
    assert parsed("mcq", response, MI) == "B"


@pytest.mark.parametrize(
    "response",
    [
        "This leaves A or B.",
        "A. or B.",
        "I doubt B",
        "Avoid aspirin",
        "Plan B",
        "I'm not sure if it's B",
        "E. coli",
    ],
)
def test_more_ways_to_say_nothing(response):
    assert parsed("mcq", response, MI) == ""


URINARY = ("A. Ureter", "B. Bladder", "C. Urethra", "D. Renal pelvis")


@pytest.mark.parametrize(
    ("response", "wanted"),
    [
        *(("A.Ureter\n\nThe correct answer is D.Renal pelvis.", "D"), ("Option C.Urethra", "C")),
        *(
            ("It is not A.Ureter but D.Renal pelvis", "D"),
            ("A.Ureter\nB.Bladder", ""),
            ("Some pain. D.renal pelvis", "D"),
        ),
        *(("I would say D.Renal", ""), ("I would say D.X", ""), ("I would say D.Renal pelvises", "")),
    ],
)
def test_a_letter_with_a_stop_and_no_blank_before_its_own_option(response, wanted):
    assert parsed("mcq", response, URINARY) == wanted


LONG = (
    "A. Diffuse fibrosis of the lower lobes",
    "B. hard palate, upper lip and both tonsils",
    "C. hard palate, upper lip, lower gingiva and lower lip",
    "D. hard palate",
    "E. mass in the left atrium, not in the ventricle",
)


@pytest.mark.parametrize(
    ("response", "wanted"),
    [
        *(
            (f"B.hard palate, upper lip\nThese drain there. The correct answer is:\nC.{LONG[2][3:cut]}", "C")
            for cut in (12, 17, 30, 40, len(LONG[2]) - 1, len(LONG[2]))
        ),
        *(("It is not B.hard palate, upper lip and both tonsils but C.hard palate, upper", "C"),),
        *(("D.hard palate\nThe answer is:\nE.mass in the left atrium, not", "E"), ("So E mass in the left atr", "E")),
        # One word; an article; the text of another option; more than a beginning.
        *(
            ("I grew C.hard", ""),
            ("I grew A.diff", ""),
            ("A diffuse fibrosis of", ""),
            ("So A diffuse fibrosis of", ""),
        ),
        *(
            ("B.hard palate", "B"),
            ("I grew A.diffuse fibrosis of lobes", ""),
            ("I grew A.diffuse fibrosis of. Yes", ""),
        ),
    ],
)
def test_a_response_cut_off_within_the_text_of_its_option(response, wanted):
    assert parsed("mcq", response, LONG) == wanted


@pytest.mark.parametrize("response", ["A.肺炎\n正确答案是：\nB.肺栓", "选项B.肺栓"])
def test_a_chinese_response_cut_off_within_the_text_of_its_option(response):
    assert parsed("mcq", response, CHINESE) == "B"


ATRIA = (
    "A. left atrium",
    "B. left atrium and the left ventricle",
    "C. left ventricle",
    "D. 5 mg of digoxin",
    "E. deficiency of vitamin A",
)


@pytest.mark.parametrize(
    ("response", "wanted"),
    [
        # Plain, and with other blanks, articles, case and line ends, which only a look at the words finds.
        *(
            ("I see the left atrium dilated", "A"),
            ("I see the Left  Atrium dilated", "A"),
            ("We see left\natrium", "A"),
        ),
        *(("I see left atrium and the left ventricle here", "B"), ("See left atrium and left  ventricle here", "B")),
        *(("I see the left atrium and the left ventricular wall", "A"), ("We see the left atria here", "")),
        *(
            ("We give 5 mg of digoxin now", "D"),
            ("We give 5 mg of the digoxin now", "D"),
            ("Give 15 mg of digoxin", ""),
        ),
        *(("We give 2.5 mg of digoxin", ""), ("We give > 5 mg of digoxin", ""), ("We give 5 mg of digoxinase", "")),
        *(("I see a deficiency of vitamin A here", "E"), ("I see a deficiency of vitamin a here", "")),
    ],
)
def test_options_are_named_by_their_words(response, wanted):
    assert parsed("mcq", response, ATRIA) == wanted


@pytest.mark.parametrize(
    ("choices", "wanted"),
    [
        (("A. S. aureus", "B. Klebsiella", "C. Proteus", "D. E.coli", "E. None"), "D"),
        (("A. S. aureus", "B. Klebsiella", "C. Proteus", "D. Serratia", "E. None"), ""),
    ],
)
def test_a_genus_with_a_stop_is_no_letter(choices, wanted):
    assert parsed("mcq", "It grows E.coli in pure culture", choices) == wanted


@pytest.mark.parametrize(
    "response",
    [
        *("A. Ureter\n\nThe correct answer is:\nC. Urethra", "A. Y\n\nSo the answer is:\n\nC. Y\n\nA. Y: too high"),
        *("A. Y\nAnswer:\n(C) Y", "Not A. Ureter: the correct answer is:\nC", "It excludes A and B.\nAnswer:\nC"),
        *("A. Ureter\n正确答案是：\nC. Urethra", "**Answer:**\n\nC. Urethra\n\nB. Bladder is a reservoir."),
        "A. Ureter\nB. Bladder\nC. Urethra\nD. Renal pelvis\n\nThe correct answer is:\nC. Urethra",
    ],
)
def test_the_letter_below_an_announced_answer_decides(response):
    assert parsed("mcq", response, URINARY) == "C"


@pytest.mark.parametrize(
    "response",
    [
        *("The answer is:\nA. Ureter\nB. Bladder\nC. Urethra", "Select the answer:\n\nA. Ureter\n\nB. Bladder"),
        *("The answer is:\nC. Urethra\nD. Renal pelvis", "The answer is:\nA. Ureter\n\nB. Bladder\n\nC. Urethra"),
    ],
)
def test_a_list_of_options_below_an_announcement_decides_nothing(response):
    assert parsed("mcq", response, URINARY) == ""


@pytest.mark.parametrize(
    ("response", "wanted"),
    [
        *(
            ("排除肺炎，考虑肺栓塞", "B"),
            ("B型血", ""),
            ("B超检查", ""),
            ("不是肺炎而是肺栓塞", "B"),
            ("根据症状，不考虑肺炎，应考虑肺栓塞。", "B"),
            ("肺炎或气胸", ""),
        ),
        *(
            ("A选项错误；B选项正确；C选项错误", "B"),
            ("A和B都有可能", ""),
            ("除B外都对", ""),
            ("A×，B√，C×", "B"),
            ("排除法：A、C、D、E均可排除", "B"),
        ),
    ],
)
def test_chinese_choices(response, wanted):
    assert parsed("mcq", response, CHINESE) == wanted


@pytest.mark.parametrize(
    ("response", "wanted"),
    [("-5", ""), ("> 20", "E"), ("It costs 10%", ""), ("15mg", "D"), ("0.5", ""), ("The answer is 10", "B")],
)
def test_an_option_that_is_a_number_is_not_part_of_another(response, wanted):
    assert parsed("mcq", response, NUMBERS) == wanted


@pytest.mark.parametrize(
    "response",
    ["答案：A B D", "Answer: A B D", "['A','B','D']", "\\boxed{A}, \\boxed{B}, \\boxed{D}", "C、E错误，ABD正确", "abd"],
)
def test_several_letters_with_blanks_between(response):
    assert parsed("mcq", response, MANY, gold="ABD") == "A,B,D"


@pytest.mark.parametrize(
    ("response", "question", "wanted"),
    [
        *(("y", EFFUSION, "yes"), ("N", EFFUSION, "no"), ("positive for effusion", EFFUSION, "yes")),
        *(
            ("An effusion is unlikely", EFFUSION, "no"),
            ("Unlikely", EFFUSION, "no"),
            ("It is not present", EFFUSION, "no"),
        ),
        *(("An effusion is excluded.", EFFUSION, "no"), ("The effusion has resolved", EFFUSION, "no")),
        *(("effusion cannot be excluded", EFFUSION, ""), ("I doubt there is an effusion", EFFUSION, "no")),
        ("The question asks whether there is an effusion", EFFUSION, ""),
        *(
            ("The heart is abnormal", HEART, "no"),
            ("The heart is not normal", HEART, "no"),
            ("是否有积液", EFFUSION, ""),
        ),
        *(
            ("不正常", "肺部正常吗？", "no"),
            ("肺部没有异常", "肺部正常吗？", "yes"),
            ("无法判断是否有积液", EFFUSION, ""),
        ),
        *(
            ("图中没有肿瘤", "图中有肿瘤吗？", "no"),
            ("图中有肿瘤", "图中是否有肿瘤？", "yes"),
            ("这不是CT", "这是CT吗？", "no"),
        ),
    ],
)
def test_yes_or_no(response, question, wanted):
    assert parsed("yesno", response, gold="yes", question=question) == wanted


@pytest.mark.parametrize(
    ("response", "gold", "right"),
    [
        ("是右肺", "右肺", True),
        ("这是CT", "CT", True),
        ("两个", "2个", True),
        ("十二个", "2个", False),
        ("不是右肺", "右肺", False),
    ],
)
def test_chinese_closed_answers(response, gold, right):
    assert score_strict(Item("i", "closed", "图中是什么？", None, gold, response)).correct is right


@pytest.mark.parametrize(
    ("response", "gold", "right"),
    [
        *(
            ("5", "5", True),
            ("x = 5", "5", True),
            ("3 + 2 = 5", "5", True),
            ("about 5 mm", "5", True),
            ("0.333", "0.33", True),
        ),
        *(("not 5", "5", False), ("5 or 6", "5", False), ("5-10", "5", False), ("-2", "2", False), ("15", "5", False)),
        *(("asa", ("aspirin", "ASA"), True), ("not aspirin", "aspirin", False), ("\\boxed{1,000}", "1000", True)),
        ("yes it is", "Yes", True),
    ],
)
def test_open_mmmu_answers_equal_a_gold_or_its_number(response, gold, right):
    found = score_strict(Item("i", "mmmu", "What is the dose?", None, gold, response))
    assert (found.correct, found.no_answer) == (right, False)


def test_mmmu_with_choices_is_multiple_choice_and_says_nothing_by_default():
    found = score_strict(Item("i", "mmmu", "Which?", ("(A) Heart", "(B) Lung"), "B", "**b**"))
    assert (found.correct, found.parsed) == (True, "B")
    assert score_strict(Item("i", "mmmu", "Which?", ("(A) Heart", "(B) Lung"), "B", "")).no_answer
    assert score_strict(Item("i", "mmmu", "Dose?", None, "5", "I cannot help with that")).no_answer


@pytest.mark.parametrize(
    ("gold", "rule"), [("Ｂ", "whole_letter"), ("（b）", "whole_letter"), ("ﬁ", GOLD_ERROR), ("", GOLD_ERROR)]
)
def test_golds_in_strange_letters(gold, rule):
    assert score_strict(Item("i", "mcq", "Which?", MI, gold, "B")).rule == rule


PIECES = [
    *"AbC05.,-%=<~_`*\n{}",
    "\\boxed{",
    "<think>",
    "</think>",
    "<answer>",
    "肺",
    "是否",
    "没有",
    "吗",
    "ﬁ",
    "½",
    "②",
    "Ⅳ",
]
PIECES += ["١", "٣.٥", "\x00", "\ud800", "İ", "\u200b", "nan", "1e999", "1.2.3", " not ", " is ", " if ", "except"]
TEXT = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
CHOICES = st.none() | st.lists(TEXT, min_size=1, max_size=26).map(tuple)


@settings(max_examples=300)
@given(st.sampled_from(["mcq", "yesno", "closed", "open", "mmmu"]), CHOICES, TEXT | st.tuples(TEXT, TEXT), TEXT, TEXT)
def test_nothing_that_a_file_can_hold_ends_in_an_exception(kind, choices, gold, question, response):
    item = Item("i", kind, question, choices, gold, response)
    for rules in ("strict", "official"):
        line = json.loads(score_item(item, rules, 0).line(rules))
        assert (line["correct"] is None) == (line["rule"] in (GOLD_ERROR, UNJUDGED, CRASH))


UNITS = ["A B ", "是", "是否", "= ", "~~", "不是A，考虑", "whether ", "图中有肿瘤"]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("kind", ["mcq", "yesno", "closed", "mmmu"])
def test_time_is_linear_in_the_length(kind, unit):
    def seconds(repeats):
        item = Item("i", kind, "图中有肿瘤吗？", MI if kind == "mcq" else None, "B", f"{unit * repeats}\nNo loop.")
        best = 1.0
        for _ in range(3):
            start = time.process_time()
            score_strict(item)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(5000) < 40 * max(seconds(500), 2e-4)  # 10 times the length: 10 if linear, 100 if quadratic
