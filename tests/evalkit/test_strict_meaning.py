"""Strict rules on what responses mean by rule: short forms, all or none of the options, comparisons, lists, effects."""

import pytest

from lingshu.evalkit.items import Item
from lingshu.evalkit.rules import score_strict

WHICH = "Which is the most likely diagnosis?"
NOT = "Which of the following is NOT a cause?"
NERVES = ("A. Radial nerve", "B. Median nerve", "C. Ulnar nerve", "D. Axillary nerve")
ANAEMIAS = (
    "A. Iron deficiency anemia",
    "B. Anemia of chronic disease",
    "C. Beta thalassemia trait",
    "D. Aplastic anemia",
)
VITAMINS = ("A. Vitamin B1", "B. Vitamin C", "C. Vitamin D", "D. Vitamin B12", "E. Vitamin K")
DOSES = ("A. 1 g", "B. 2 g", "C. 4 g", "D. 8 g")
DRUGS = ("A. Aspirin", "B. Heparin", "C. Alteplase", "D. None of the above")
RISKS = ("A. Smoking", "B. Obesity", "C. Cancer", "D. All of the above", "E. None of the above")
SIGNS = ("A. Pleural effusion", "B. Lung nodule", "C. Rib fracture", "D. Cardiomegaly")


def letters(response, choices, question=WHICH, several=False):
    gold = ("A", "B") if several else "A"
    return score_strict(Item("i", "mcq", question, choices, gold, response)).parsed.replace(",", "")


@pytest.mark.parametrize(
    ("response", "choices", "question", "expected"),
    [
        ("Not the axillary, not the ulnar. It's the radial.", NERVES, WHICH, "A"),
        ("The hand lies to the ulnar side, and the radial pulse is strong.", NERVES, WHICH, ""),
        ("B.Ulnar nerve", NERVES, WHICH, "B"),
        ("B. Ulnar nerve", NERVES, WHICH, "B"),
        ("B.maybe", ("A.yes", "B.no", "C.maybe"), WHICH, "B"),
        ("B. maybe", ("A.yes", "B.no", "C.maybe"), WHICH, "B"),
        ("The answer is B.ulnar nerve", NERVES, WHICH, "B"),
        ("B.coli is found", NERVES, WHICH, ""),
        ("IDA", ANAEMIAS, WHICH, "A"),
        ("The child most likely lacks vitamin B12.", VITAMINS, "Which vitamin is deficient?", "D"),
        ("So it is B12 that is missing.", VITAMINS, "Deficiency of which vitamin?", "D"),
        ("成人每天最多4克。", DOSES, "成人每日最大剂量是", "C"),
        ("成人每天最多4 g/kg。", DOSES, "成人每日最大剂量是", ""),
        ("Neither aspirin, heparin nor alteplase should be given.", DRUGS, "What is given?", "D"),
        ("A. Smoking: correct.\nB. Obesity: correct.\nC. Cancer: correct.\nHence all of them.", RISKS, WHICH, "D"),
        ("A is correct. B is correct. C is correct. But the best answer is A.", RISKS, WHICH, "A"),
        ("Since A, B and C are all correct, the answer is D.", RISKS, WHICH, "D"),
        ("A. Smoking: correct.\nB. Obesity: incorrect.\nC. Cancer: correct.", RISKS, WHICH, "C"),
        ("It might be a lung nodule, but a rib fracture cannot be excluded.", SIGNS, WHICH, ""),
        ("It might be a lung nodule.", SIGNS, WHICH, "B"),
        ("可能是A，也可能是C，需进一步检查。", SIGNS, "诊断是", ""),
        ("排除D。在A和B之间，考虑到形态，所以是后者。", SIGNS, "诊断是", "B"),
        ("It lies between A and C; given the size, it is the former.", SIGNS, WHICH, "A"),
        ("<reasoning>B is round.</reasoning><choice>C</choice>", SIGNS, WHICH, "C"),
        ("The exception is the rib fracture.", SIGNS, NOT, "C"),
        ("The one to pick is cardiomegaly.", SIGNS, WHICH, "D"),
        ("All are due to heart failure; rib fractures aren't, so they're the odd one out.", SIGNS, NOT, "C"),
        ("Answer: A\nAnswer: C\nAnswer: B\nAnswer: A\nAnswer: C\nAnswer: B", SIGNS, WHICH, ""),
        ("The number rises with all factors.\nC is the answer.", SIGNS, WHICH, "C"),
        ("Compared with a nodule (B), the line is sharp.", SIGNS, WHICH, ""),
    ],
)
def test_what_a_response_means_by_rule(response, choices, question, expected):
    assert letters(response, choices, question) == expected


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("Cardiomegaly, bilateral pleural effusions and a lung nodule are present. No rib fracture.", "ABD"),
        ("The right ones are B (lung nodule) and D (cardiomegaly), as the film shows.", "BD"),
        ("The two findings are lung nodule (2 cm) and cardiomegaly (mild). Rib fractures are absent.", "BD"),
        ("C is old and of no account. Everything else on the list is present.", "ABD"),
        ("C is old. The others are not so sure.", "C"),
        ("Lung nodule, yes (2 cm). Pleural effusion, no. Rib fracture, no. Cardiomegaly, yes.", "BD"),
        ("1. Pleural effusion：是\n2. Lung nodule：否\n3. Rib fracture：否\n4. Cardiomegaly：是", "AD"),
        ("除A和C外，其余各项都对。", "BD"),
        ("除了D以外，其余各项均可出现。", "ABC"),
    ],
)
def test_several_of_four_signs(response, expected):
    assert letters(response, SIGNS, "Which are seen?", several=True) == expected


MORE_YES_NO = [
    ("Is the left lung larger than the right?", "The right lung appears larger than the left.", "no"),
    ("Is the left lung larger than the right?", "The left lung is clearly bigger than its counterpart.", "yes"),
    (
        "Is the left lung larger than the right?",
        "In most people the right lung is larger. Here the left is larger.",
        "yes",
    ),
    ("Is the left kidney larger than the right?", "Both, left and right, are of similar size.", "no"),
    ("Is the left kidney larger than the right?", "The kidneys are well seen.", ""),
    ("左肾比右肾大吗？", "左右肾大小大致相等。", "no"),
    ("左肾比右肾大吗？", "右肾比左肾稍大。", "no"),
    ("Does aspirin reduce stroke?", "The aspirin group had a significantly lower rate of stroke.", "yes"),
    ("Does aspirin reduce stroke?", "Stroke did not differ between the groups.", "no"),
    ("Does aspirin reduce stroke?", "Stroke was more frequent, and higher doses increased stroke.", "no"),
    ("Does aspirin reduce stroke?", "To determine whether aspirin reduces stroke, we need to", ""),
    ("Does the picture contain the spleen?", "We can see the liver, the stomach, the spleen and the aorta.", "yes"),
    ("Does the picture contain the spleen?", "The film was taken to look for the liver, spleen.", ""),
    ("Is there a pleural effusion?", "Small left pleural effusion.", "yes"),
    ("Is there a pleural effusion?", "Smoking causes pleural effusion.", ""),
    ("Is there a pleural effusion?", "Evaluation for pleural effusion.", ""),
    ("Is there necrosis?", "There is a granular centre, i.e. caseous necrosis.", "yes"),
    ("Is the heart enlarged?", "Not really – it is less than half of the chest.", "no"),
    ("Does the lesion cross the midline?", "It doesn't; it stays on the right.", "no"),
    ("Does the lesion cross the midline?", "It does. It reaches the other side.", "yes"),
    ("Does the lesion cross the midline?", "It is, in my view, too early to say.", ""),
    ("Is there a mass in the pancreas?", "No stone is seen in the duct.\n\nYes, a mass is present in the tail.", "yes"),
    ("Is there a mass in the pancreas?", "Thank you. No pancreatic mass can be identified.", "no"),
    ("Is there a fracture of the distal radius?", "The scaphoid is broken; the radius and ulna are intact.", "no"),
    (
        "Is this chest X-ray normal?",
        "The heart is normal. Bones are normal. There is a nodule; the study is abnormal.",
        "no",
    ),
    ("Is this chest X-ray normal?", "No abnormality is seen; this is a normal study.", "yes"),
    ("Are the lungs normal?", "In short, nothing wrong with the lungs can be found.", "yes"),
    ("Are the lungs normal?", "The lungs appear hyperinflated.", "no"),
    ("Is this tissue malignant?", "No image was provided with your message.", ""),
    ("Is metformin safe at a low eGFR?", "Metformin is contraindicated at such a low eGFR.", "no"),
    ("Is there severe retinopathy?", "I'd grade it as severe non-proliferative retinopathy.", "yes"),
    ("Is the scan contrast enhanced?", "This is a non-contrast scan.", "no"),
    ("Is it PA?", "Based on the picture, I would say yes: the scapulae are clear.", "yes"),
    ("Is it bleeding?", 'I would answer "no" here, because the base is white.', "no"),
    ("Is it bleeding?", "One might say yes.", ""),
    ("这张图是矢状面吗？", "图像为腰椎矢状位，可见椎体。", "yes"),
    ("这是CT图像吗？", "这是一张头部磁共振图像。", "no"),
    ("这是CT图像吗？", "这不是磁共振图像。", ""),
    ("患者是否有骨折？", "软组织肿胀。结论：右侧外踝骨折，建议固定。", "yes"),
    ("患者是否有骨折？", "本次检查用于评估骨折。", ""),
    ("图中是否存在肝脏？", "图像左侧可见肝右叶。", "yes"),
    ("肺部是否正常？", "双肺纹理清晰，未见明显异常密度影。", "yes"),
]


@pytest.mark.parametrize(("question", "response", "expected"), MORE_YES_NO)
def test_yes_or_no_by_comparison_lists_and_kinds(question, response, expected):
    gold = "yes" if expected != "no" else "no"
    assert score_strict(Item("i", "yesno", question, None, gold, response)).parsed == expected


@pytest.mark.parametrize(
    ("question", "gold", "response", "correct"),
    [
        ("What is the diameter of the mass?", "5 cm", "The mass measures 5 cm in diameter.", True),
        ("What is the diameter of the mass?", "5 cm", "The mass measures 6 cm in diameter.", False),
        ("Which deficiency causes scurvy?", "vitamin C", "Scurvy is caused by a deficiency of vitamin C.", True),
        ("Where in the liver is it?", "left lobe of liver", "left lobe of the liver", True),
        ("Where is it?", "left lobe", "left lobe of the liver", False),
    ],
)
def test_closed_without_what_repeats_the_question(question, gold, response, correct):
    assert score_strict(Item("i", "closed", question, None, gold, response)).correct is correct


RISK = "Which of the following are risk factors of deep vein thrombosis? Choose all that apply."
RISK_ZH = "下列哪些是深静脉血栓的危险因素？"
FACTORS = ("A. Immobility", "B. Dehydration", "C. Myopia", "D. Hay fever")


@pytest.mark.parametrize(
    ("response", "question", "expected"),
    [
        ("A and B are risk factors. C has no bearing on it, and D is a matter of the nose.", RISK, "AB"),
        ("A is one, and B too. C has no bearing on it.", RISK, "ABC"),  # not said in the question's words
        ("Immobility (A) and dehydration (B) are risk factors.", RISK, "AB"),
        ("A、B是危险因素，C、D与血栓无关。", RISK_ZH, "AB"),
        ("不动（A）和脱水（B）是危险因素。", RISK_ZH, "AB"),
    ],
)
def test_several_by_what_the_question_asks_after(response, question, expected):
    assert letters(response, FACTORS, question, several=True) == expected


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("Answer: C\n\nA is correct, B is correct, so C is false; D is correct.", "C"),
        ("Answer: C. Wait, A is correct, B is false. The answer: B\nD is correct.", "D"),  # two answers: the last said
        ("Myopia. It has no bearing on the veins, whatever its degree, and is found in a third of the young.", "C"),
        ("Immobility is one, and dehydration. Nothing is known of the other two, whatever some may have written.", ""),
    ],
)
def test_an_exception_that_is_called_the_answer_or_said_first(response, expected):
    assert letters(response, FACTORS, "Which is NOT a risk factor?") == expected


def test_both_sides_said_in_another_word():
    item = Item("i", "yesno", "Are both hips normal?", None, "yes", "The hips are normal bilaterally.")
    assert score_strict(item).parsed == "yes"
