"""Strict rules on the sentences that models write: concessions, favour, lists, headings, turns, other words."""

import pytest

from lingshu.evalkit.items import Item
from lingshu.evalkit.rules import score_strict

PAIN = ("A. Gastritis", "B. Gallstones", "C. Renal colic", "D. Appendicitis", "E. Hernia")
SPELT = ("A. Haemophilia A", "B. Crohn disease", "C. Type II hypersensitivity", "D. CT", "E. Escherichia coli")
NONE = ("A. Fracture", "B. Effusion", "C. None of the above")
ALL = ("A. Fever", "B. Cough", "C. All of the above", "D. Rash")
GRADES = (
    "A. No diabetic retinopathy",
    "B. Mild nonproliferative diabetic retinopathy",
    "C. Proliferative diabetic retinopathy",
)
COUNTS = ("A. 1", "B. 2", "C. 3", "D. 4")
HYPER = ("A. Hypertension", "B. Pulmonary hypertension", "C. Portal hypertension")
WHICH = "Which is the most likely diagnosis?"
NOT = "Which of the following is NOT a cause?"


def letters(response, choices=PAIN, question=WHICH, several=False):
    gold = ("A", "B") if several else "A"
    return score_strict(Item("i", "mcq", question, choices, gold, response)).parsed.replace(",", "")


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("正确答案为B，A、C、D、E均不符合题意。", "B"),
        ("The answer is B, A and C are incorrect.", "B"),
        ("A, C and D are incorrect.", ""),
        ("A seems right at first glance; however, the site of the pain points to B.", "B"),
        ("While gastritis (A) burns and a hernia (E) bulges, gallstones (B) fit.", "B"),
        ("Although A is possible, B", "B"),
        ("A is rare here, while B is common, so B", "B"),
        ("Only B makes sense.", "B"),
        ("A和B都有可能，但B更可能", "B"),
        ("I would go for A here", "A"),
        ("A I guess", "A"),
        ("Of these, A stands out.", "A"),
        ("Answer: A (because of the burning)", "A"),
        ("Answer: A mass in the flank", ""),
        ("Not B/C/D/E → A", "A"),
        ("The match is obvious: D.", "D"),
        ("Grade = C", "C"),
        ("A: burning. B: colicky, after meals. C: flank. D: iliac fossa. Best fit = B", "B"),
        ("The answer is gastritis or gallstones.", ""),
        ("The answer is gastritis and gallstones.", ""),
        ("The film can show gastritis, gallstones, renal colic and", ""),
        ("Gallstones, since gastritis burns.", "B"),
        ("Gallstones is the diagnosis; gastritis would burn and a hernia would bulge.", "B"),
        (
            "**Bile**\nClear.\n\n**Diagnosis**\nGallstones, small.\n\n**Comment**\nGastritis was considered.",
            "B",
        ),
        ("The answer is A. No, B. I really can't tell from this picture.", ""),
        ("A vomits bile, which is not right, so it is wrong. B", "B"),
        ("It is B. No.", ""),
        ("Option A. No. Option B. Yes. The rest do not fit.", "B"),
        ("Gastritis. No. Gallstones. Yes.", "B"),
        ("The answer is B. No, it is C.", "C"),
        ("I say B. No doubt.", "B"),
        ("考虑胆道疾病，故应选用B", "B"),
        ("我的回答是b", "B"),
        ("选B不选A", "B"),
        ("A gastritis would burn and get worse with meals. Gallstones is therefore the diagnosis.", "B"),
        ("That makes this a hernia and not an inflammation of any sort.", "E"),
        ("右上腹痛,胃炎不典型,所以主要考虑是B", "B"),
        ("(A) Gastritis (B) Gallstones (C) Renal colic (D) Appendicitis (E) Hernia", ""),
        ("(A) Gastritis (B) Gallstones (C) Renal", ""),
    ],
)
def test_one_of_five(response, expected):
    assert letters(response) == expected


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("C is not a cause.", "C"),
        ("A, B, D and E are causes; C is not.", "C"),
        ("A, B, D and E are correct causes.", "C"),
        ("A is not the answer.", ""),
        ("Exclude A. Exclude B.", ""),
        ("Renal colic is not a cause.", "C"),
        ("Gastritis causes it, and so do gallstones, a hernia is the exception.", "E"),
        ("胃炎（包括）、阑尾炎（不包括）", ""),
        ("The false statement is B: they do.", "B"),
        ("A. True\nB. True\nC. False\nD. True\nE. True", "C"),
        ('Option A: "Gastritis". This is the incorrect statement. Options B, C, D and E are correct.', "A"),
    ],
)
def test_where_an_exception_is_asked_for(response, expected):
    assert letters(response, question=NOT) == expected


@pytest.mark.parametrize(
    ("response", "choices", "expected"),
    [
        ("It is hemophilia A.", SPELT, "A"),
        ("Most probably Crohn's disease", SPELT, "B"),
        ("type 2 hypersensitivity", SPELT, "C"),
        ("This is a computed tomography image of the head.", SPELT, "D"),
        ("The culture grew E. coli.", SPELT, "E"),
        ("None of these findings is present.", NONE, "C"),
        ("All of these are signs.", ALL, "C"),
        ("There are no signs of diabetic retinopathy.", GRADES, "A"),
        ("This looks like pulmonary arterial hypertension.", HYPER, ""),
        ("pulmonary hypertension (not systemic hypertension)", HYPER, "B"),
        ("No fracture, no effusion: the last option is the one that applies.", NONE, "C"),
    ],
)
def test_an_option_in_other_words(response, choices, expected):
    assert letters(response, choices) == expected


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("There are two dark lesions in the liver, one in segment IV.", "B"),
        ("A single lesion is seen.", "A"),
        ("Three lesions on the right and two lesions on the left.", ""),
        ("I see segments 2 and 3.", ""),
    ],
)
def test_a_number_of_what_is_asked_after(response, expected):
    assert letters(response, COUNTS, "How many lesions are visible in the liver?") == expected


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("ABC。D和E是另一类。", "ABC"),
        ("正确选项是A,B,C。只有D属于另一类，不是。", "ABC"),
        ("The right ones are:\n\n1. A – gastritis\n2. C – renal colic\n\nThe others (B and D) belong elsewhere.", "AC"),
        ("They are:\n- Gastritis – burns\n- Hernia – bulges\n\nGallstones and renal colic are colicky.", "AE"),
        ("So gastritis and renal colic.", "AC"),
        ("除C以外全部正确，即 A B D E。", "ABDE"),
        ("A B C D 都属于此类。", "ABCD"),
        ("Everything on the list apart from gastritis and hernia.", "BCD"),
        ("Each of them can do it, so every option is correct.", "ABCDE"),
        ("Gastritis, gallstones, renal colic, appendicitis and hernia are diseases.", ""),
        (
            "| 选项 | 理由 | 是否 |\n|---|---|---|\n| A 胃炎 | 痛 | 是 |\n| B 结石 | 痛 | 否 |\n| C 肾绞痛 | 痛 | 是 |",
            "AC",
        ),
    ],
)
def test_several_of_five(response, expected):
    assert letters(response, several=True) == expected


TURNS = [
    (
        "### Instruction:\nA. Gastritis\nB. Gallstones\n\n### Response:\nB. Gallstones\n\n### Explanation:\nFat.",
        "B",
    ),
    ("B\n\n### User: And C?\n### Assistant: C", "B"),
    ("What is it? A. Gastritis B. Gallstones\nAssistant: B", "B"),
    ("Q: What is it?\nA: gallstones", "B"),
    (
        "## Thinking\nA is burning, C flank pain. B? D?\n\n## Final Response\n\nThis is **gallstones (B)**.",
        "B",
    ),
    ("### Answer\nB. Gallstones\n\n### Explanation\nC is flank pain.\nD is lower.", "B"),
    ("A or C come to mind.\n\n**Final Answer**\n\n", ""),
    ("B fits.\n\n## Conclusion\nPlease see a doctor.", "B"),
]


@pytest.mark.parametrize(("response", "expected"), TURNS)
def test_turns_and_headings(response, expected):
    assert letters(response) == expected


YES_NO = [
    ("Is there a pleural effusion?", "A meniscus is seen, consistent with a small left pleural effusion.", "yes"),
    ("Is there a pleural effusion?", "Positive for pleural effusion.", "yes"),
    ("Is there a pleural effusion?", "Negative for effusion.", "no"),
    ("Is there a pleural effusion?", "There is no pleural effusion in the right or left lung.", "no"),
    ("Is there a pleural effusion?", "The effusion seen earlier is no longer visible.", "no"),
    ("Is there a pleural effusion?", "Possibly yes, possibly no.", ""),
    ("Is there a pleural effusion?", "Ultrasound is the first investigation for suspected pleural effusion.", ""),
    ("Is there midline shift?", "Midline shift? No. Bleeding? Yes.", "no"),
    ("Is the heart enlarged?", "The heart is normal", "no"),
    ("Is the heart enlarged?", "The cardiac silhouette is within normal limits.", "no"),
    ("Is the heart enlarged?", "Cardiomegaly is present.", "yes"),
    (
        "Are the lungs normal?",
        "The lungs are clear and well expanded, without consolidation, nodules or fibrosis.",
        "yes",
    ),
    ("Is the film free of fractures?", "The film is free of fractures.", "yes"),
    ("Is the film free of fractures?", "A fracture is seen.", "no"),
    ("Are there exudates in this fundus photograph?", "No bleeding, but exudates can be seen.", "yes"),
    ("Is this an axial image?", "coronal", "no"),
    ("Is this an axial image?", "This is a coronal image rather than an axial one.", "no"),
    ("Is this an axial image?", "Axial images show the body in cross-section.", ""),
    ("Is contrast used in this CT scan?", "This is a non-contrast CT scan.", "no"),
    ("Is the trachea midline?", "The trachea is deviated to the right.", "no"),
    ("Is the liver on the left side?", "The liver is on the right side.", "no"),
    ("Does the CT show a mass in the left kidney?", "There is a mass in the right kidney.", ""),
    ("Is the left kidney visible?", "The left kidney is not included.", "no"),
    ("Can the optic disc be seen in this image?", "It cannot be seen.", "no"),
    ("Can the optic disc be seen in this image?", "The optic disc is the point where the nerve leaves the eye.", ""),
    ("Is this lesion likely to be a melanoma?", "Unlikely.", "no"),
    ("Is this lesion likely to be a melanoma?", "Most likely a melanoma.", "yes"),
    ("Does early mobilization shorten the stay?", "By these figures it does shorten the stay.", "yes"),
    ("Is free air seen beneath the diaphragm?", "Free air is seen beneath the right hemidiaphragm.", "yes"),
    ("Is the lesion more likely to be benign than malignant?", "The lesion is probably benign.", "yes"),
    ("Can latent tuberculosis be transmitted?", "At first one may think yes; the sputum is negative, though.", ""),
    ("Is there midline shift?", "The septum is displaced by 8 mm. So midline shift is present.", "yes"),
    ("Was this CT performed with intravenous contrast?", "It is bright, so intravenous contrast was given.", "yes"),
    ("Are there hemorrhages?", "Hemorrhages? I don't see any.", "no"),
    ("Is the image normal?", "The image shows no abnormalities.", "yes"),
    ("Is this image from a PA view?", "This is an AP view.", "no"),
    ("孕妇可以使用四环素吗?", "孕妇禁用四环素。", "no"),
    ("儿童是否可常规使用阿司匹林?", "可以,儿童也可常规使用。", "yes"),
    ("儿童是否可常规使用阿司匹林?", "因此,儿童不应常规使用阿司匹林。", "no"),
    ("该结节是否为恶性可能大?", "恶性风险极低,因此答案是否定的。", "no"),
    ("该胸片是否显示胸腔积液?", "综上,本片未见胸腔积液。", "no"),
    ("Can a nurse delegate the first assessment?", "The first assessment therefore can't be delegated.", "no"),
    ("Can amoxicillin be used in pregnancy?", "In short: it can be used safely.", "yes"),
    ("A man in VF: is immediate defibrillation indicated?", "VF, so immediate defibrillation is indicated.", "yes"),
    ("Is the optic disc swollen?", "The margins are blurred, so it is swollen.", "yes"),
    ("Is the optic disc swollen?", "Taken together there is no disc swelling.", "no"),
    ("Is the trachea deviated to the right?", "Trachea: deviated right. Heart: normal.", "yes"),
    ("Does the CT show an embolism?", "I was about to say no. It is sharp on three slices. Yes.", "yes"),
    ("Should it be given undiluted?", "Never. It must be diluted.", "no"),
    ("Does this CT show an embolism?", "Impression: lobar embolism without strain.", "yes"),
    ("该心电图是否有病理性Q波?", "V1~V3可见病理性Q波。", "yes"),
    ("乙肝会通过共同进餐传播吗?", "会", "yes"),
    ("乙肝会通过共同进餐传播吗?", "日常共同进餐不会传播乙肝。", "no"),
    ("二甲双胍会引起体重增加吗?", "一般来说不会。", "no"),
    ("气管是否居中?", "气管向右偏移,不居中。", "no"),
    ("图中有胸腔积液吗?", "肋膈角变钝,考虑少量胸腔积液。", "yes"),
    ("图中能看到胆囊吗?", "图中未见胆囊。", "no"),
    ("图像中有没有肋骨骨折?", "骨质连续,未见骨折征象。", "no"),
    ("图像中有没有肋骨骨折?", "没有看到明显的骨折……等等,再仔细看,皮质不连续。所以答案为:是。", "yes"),
    ("心影是否增大?", "心脏大小在正常范围内。", "no"),
    ("心影是否增大?", "心胸比大于0.5可认为心影增大。", ""),
    ("肝脏位于图像的左侧吗?", "肝脏位于图像的右侧。", "no"),
    ("早期营养能否减少并发症?", "研究表明可以减少并发症。", "yes"),
    ("这张图像中的肺部健康吗?", "不,肺部不健康。", "no"),
    ("有结节吗?", "不能排除结节", ""),
]


@pytest.mark.parametrize(("question", "response", "expected"), YES_NO)
def test_yes_or_no(question, response, expected):
    assert score_strict(Item("i", "yesno", question, None, "yes", response)).parsed == expected


@pytest.mark.parametrize(
    ("question", "gold", "response", "correct"),
    [
        ("How many nodules are seen in the right lobe?", "two", "There are 2 nodules.", True),
        ("How many nodules are seen in the right lobe?", "two", "There are 2 nodules and 3 cysts.", True),
        ("How many nodules are seen in the right lobe?", "two", "2 to 3 nodules", False),
        ("What is the size of the mass?", "5 cm", "The mass measures 5 cm.", True),
        ("What modality was used?", "CT", "The image was obtained with CT.", True),
        ("What is the largest organ in the picture?", "liver", "The liver is the largest organ in the picture.", True),
        (
            "What is the largest organ in the picture?",
            "liver",
            "The spleen is the largest organ in the picture.",
            False,
        ),
        ("病变位于哪一侧?", "左侧", "病变位于左侧。", True),
        ("图中有几个肾脏?", "2", "两个", True),
        ("图中有几个肾脏?", "2", "三个", False),
    ],
)
def test_closed(question, gold, response, correct):
    assert score_strict(Item("i", "closed", question, None, gold, response)).correct is correct
