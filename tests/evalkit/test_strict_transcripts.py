"""Responses as a careful doctor would read them: the most telling of 600 written before a look at the rules."""

import pytest

from lingshu.evalkit.items import Item
from lingshu.evalkit.rules import score_strict

CHEST = ("Pneumonia", "Aspiration pneumonia", "Pneumothorax", "Tension pneumothorax", "Pleural effusion")
HEPATITIS = ("Hepatitis A", "Hepatitis B", "Hepatitis C", "Hepatitis E")
VITAMINS = ("Vitamin A", "Vitamin B12", "Vitamin C", "Vitamin K")
GROUPS = ("Type A", "Type B", "Type AB", "Type O")
DIABETES = ("Diabetes mellitus", "Diabetes mellitus type 1", "Diabetes insipidus", "Type 2 diabetes mellitus")
DOSES = ("5 mg", "10 mg", "50 mg", "0.5 mg")
KINDS = ("Benign", "Malignant")
DRUGS = ("Metformin", "Insulin glargine", "Glipizide", "Sitagliptin")
CHINESE = ("急性心肌梗死", "肺栓塞", "主动脉夹层", "气胸")
SIGNS = ("Fever", "Weight loss", "Night sweats", "Rash", "Cough")
PUBMED = ("Yes", "No", "Maybe")


def parsed(kind, response, choices=None, question="Which?", gold="B"):
    return score_strict(Item("i", kind, question, choices, gold, response)).parsed


@pytest.mark.parametrize(
    ("response", "wanted"),
    [
        # Each option with its own verdict.
        *(
            ("A) F B) F C) F D) T E) F", "D"),
            ("A) F B) F C) F D) T E) F\nE: no fluid", "D"),
            ("A? No. B? No. D? Yes!", "D"),
        ),
        ("| Option | Verdict |\n|---|---|\n| A | Incorrect |\n| C | Incorrect |\n| D | Correct |", "D"),
        *(
            ("A: ❌\nB: ❌\nD: ✅", "D"),
            ("A. False\nB. True\nC. True", ""),
            ("A: wrong\nB: wrong\nC: wrong\nE: wrong", "D"),
        ),
        *(("A: 5%\nB: 5%\nC: 20%\nD: 65%\nE: 5%", "D"), ("D (50%), C (50%)", ""), ("A) F", "")),
        # By place, and by rank.
        *(
            ("The second option", "B"),
            ("The fourth option is correct.", "D"),
            ("the last option", "E"),
            ("Option 4", "D"),
        ),
        *(("the sixth option", ""), ("The second option is wrong", ""), ("the second rib", "")),
        *(("A < B < D", "D"), ("Most to least likely: D, C, A", "D"), ("Least to most likely: A, C, D", "D")),
        *(("Tension pneumothorax > pneumothorax > pneumonia", "D"), ("pneumonia < pleural effusion", "E")),
        *(("pneumonia > empyema", "A"), ("All of these are wrong except D.", "D"), ("All but A and C are wrong", "")),
        # A response corrects itself, or supposes.
        *(
            ("C — no, D.", "D"),
            ("C... actually D", "D"),
            ("C. Wait, D.", "D"),
            ("C, I mean D", "D"),
            ("A: no, B: no", ""),
        ),
        *(("I was going to say C, but D.", "D"), ("At first glance C, on reflection D.", "D")),
        ("C would be correct if there were no shift. But there is a shift. D.", "D"),
        # Letters that belong to names, and to a clause of their own.
        *(
            ("The patient has hepatitis B and C.", ""),
            ("C. difficile toxins A and B", ""),
            ("Lead B or C is inverted", ""),
        ),
        *(("The answer is D, C lacks the shift", "D"), ("The answer is D, E shows fluid", "D")),
        # What is asked is not put forward; a dash does not deny.
        *(("Pneumothorax? Tension pneumothorax.", "D"), ("It must be a tension pneumothorax", "D")),
        *(('{"answer": "D", "explanation": "A large shift, not C"}', "D"), ('```json\n{"choice": "C"}\n```', "C")),
        ('{"reasoning": "B is tempting", "final_answer": "Pneumothorax"}', "C"),
        ("Pneumothorax\n\nNo pneumonia is seen; a pleural effusion is possible.", "C"),
    ],
)
def test_one_of_five(response, wanted):
    assert parsed("mcq", response, CHEST) == wanted


@pytest.mark.parametrize(
    ("choices", "response", "wanted"),
    [
        (HEPATITIS, "Hepatitis A, C, and E are all RNA viruses. Therefore, the correct answer is Hepatitis B.", "B"),
        (HEPATITIS, "Hepatitis B is the only DNA virus among these; hepatitis A, C and E are RNA viruses.", "B"),
        *((HEPATITIS, "It is not hepatitis B but hepatitis C.", "C"), (GROUPS, "Blood type A or B", "")),
        (VITAMINS, "Vitamin A? No. Vitamin B12? No. Vitamin K? No. It must be vitamin C.", "C"),
        *((DIABETES, "type 1 diabetes mellitus", ""), (DIABETES, "It is diabetes mellitus.", "A")),
        *((DOSES, "The dose is 0.5 mg/kg", ""), (DOSES, "The dose is 10 mg/day", "B"), (DOSES, "five mg", "A")),
        *((DOSES, "5 milligrams", "A"), (DOSES, "15 mg", ""), (DOSES, "5 mg < 10 mg", "B")),
        *((KINDS, "non-malignant", ""), (KINDS, "Not malignant", ""), (KINDS, "a malignant tumour", "B")),
        *((PUBMED, "yes\n\nThe authors found no adverse effects.", "A"), (PUBMED, "A. Yes\nB. No\nC. Maybe", "")),
        *(
            (("CT", "MRI", "X-ray"), "xray", "C"),
            (("1", "2", "3", "4"), "three", "C"),
            (("4", "5", "6"), "Option 5", "B"),
        ),
        *((CHINESE, "第三个选项", "C"), (CHINESE, "选第三项", "C"), (CHINESE, "最后一项", "D")),
        *((CHINESE, "应该是A，不对，应该是C。", "C"), (CHINESE, "A.错误 B.错误 C.正确 D.错误", "C")),
        (CHINESE, "不支持肺栓塞，考虑主动脉夹层", "C"),
        (CHINESE, "急性心肌梗死可能性小，主动脉夹层可能性大", "C"),
    ],
)
def test_one_of_these(choices, response, wanted):
    assert parsed("mcq", response, choices) == wanted


@pytest.mark.parametrize(
    "response",
    [
        *("Answer: A; B; C", "A|B|C", '{"answer": ["A", "B", "C"]}', "A) T B) T C) T D) F E) F", "【答案】ABC"),
        *("All except D and E", "I would exclude D and E", "Not D, not E; A, B, C.", "排除D和E", "除D、E外都对"),
    ],
)
def test_several(response):
    assert parsed("mcq", response, SIGNS, gold=("A", "B", "C")) == "A,B,C"


def test_what_is_excluded_says_nothing_where_the_options_are_unknown():
    assert parsed("mcq", "I would exclude D and E", None, gold=("A", "B", "C")) == ""


@pytest.mark.parametrize(
    ("question", "response", "wanted"),
    [
        *(("Which is incorrect?", f"A is {r}. B is {w}. C is {r}. D is {r}.", "B") for r, w in (("correct", "wrong"),)),
        *(
            ("All are true EXCEPT:", "A: true\nB: false\nC: true\nD: true", "B"),
            ("Which is so?", "A: true\nB: false", "A"),
        ),
        *(
            ("Which is incorrect?", "A, C and D are true. The answer is B.", "B"),
            ("Which drug is best?", "Avoid A", ""),
        ),
        *(("Which drug is contraindicated?", "Metformin is contraindicated in renal failure", "A"),),
        *(
            ("Which drug is contraindicated?", "The drug to avoid is A.", "A"),
            ("Which drug?", "Metformin is avoided", ""),
        ),
    ],
)
def test_questions_after_an_exception(question, response, wanted):
    assert parsed("mcq", response, DRUGS, question) == wanted


PNEUMOTHORAX = "Is there evidence of pneumothorax in this image?"


@pytest.mark.parametrize(
    ("question", "response", "wanted"),
    [
        (PNEUMOTHORAX, "There is a large pneumothorax on the right.", "yes"),
        (PNEUMOTHORAX, "There is no focal consolidation, pneumothorax, or pleural effusion.", "no"),
        (PNEUMOTHORAX, "The lungs are clear. There is no effusion or pneumothorax.", "no"),
        (PNEUMOTHORAX, "There is no pleural effusion and there is a pneumothorax.", "yes"),
        (PNEUMOTHORAX, "Neither a pneumothorax nor an effusion is seen.", "no"),
        (PNEUMOTHORAX, "No effusion, but a pneumothorax is seen.", "yes"),
        (PNEUMOTHORAX, "Without rotation, a small pneumothorax or bulla is seen.", "yes"),
        (PNEUMOTHORAX, "The lung is not collapsed and a pneumothorax is absent.", "no"),
        (PNEUMOTHORAX, "There is no effusion and pneumothorax is seen.", ""),
        (PNEUMOTHORAX, "The absence of a pleural line suggests no pneumothorax.", "no"),
        (PNEUMOTHORAX, "Yes — wait, lung markings reach the edge. No.", "no"),
        (PNEUMOTHORAX, "Yes, there is actually a pneumothorax.", "yes"),
        (PNEUMOTHORAX, "Not only is there a pneumothorax, there is also an effusion.", "yes"),
        *(
            (PNEUMOTHORAX, text, "")
            for text in ("There may be a small pneumothorax.", "Yes? No.", "It is not without it")
        ),
        *((PNEUMOTHORAX, "Not that I can see.", "no"), (PNEUMOTHORAX, "It appears so", "yes")),
        ("Does the CT show a mass in the left kidney?", "A mass is seen in the left kidney", "yes"),
        ("Does the CT show a mass in the left kidney?", "There is no cyst in the right or left kidney.", ""),
        ("Does the CT show a mass in the left kidney?", "There is a mass in the right kidney.", ""),
        *(("该图像中有骨折吗？", "图中存在骨折。", "yes"), ("该图像中有骨折吗？", "图中不可见骨折。", "no")),
        *(("该图像中有骨折吗？", "图像不能排除骨折", ""), ("该图像中有骨折吗？", "骨皮质连续，未见骨折。", "no")),
        *(
            ("肝脏正常吗？", "正常", "yes"),
            ("肝脏正常吗？", "肝脏不正常", "no"),
            ("这张图像是CT吗？", "这是CT。", "yes"),
        ),
    ],
)
def test_yes_or_no(question, response, wanted):
    assert parsed("yesno", response, question=question, gold="yes") == wanted


@pytest.mark.parametrize(
    ("gold", "response", "right"),
    [
        *(
            ("50%", "fifty percent", True),
            ("25", "twenty-five", True),
            ("25", "twenty, five", False),
            ("7", "seventy", False),
        ),
        *(("liver", '{"answer": "Liver"}', True), ("3", '{"answer": 3}', True), ("liver", '{"organ": "liver"}', False)),
        *(("10 mg", "ten milligrams", True), ("10 mg", "10 mg/kg", False)),
    ],
)
def test_closed(gold, response, right):
    assert score_strict(Item("i", "closed", "Which?", None, gold, response)).correct is right
