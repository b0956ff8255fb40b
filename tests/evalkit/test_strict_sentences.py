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


@pytest.mark.parametrize(
    ("response", "choices", "question", "expected"),
    [
        ("Not the axillary, not the ulnar. It's the radial.", NERVES, WHICH, "A"),
        ("The hand lies to the ulnar side, and the radial pulse is strong.", NERVES, WHICH, ""),
        ("IDA", ANAEMIAS, WHICH, "A"),
        ("The child most likely lacks vitamin B12.", VITAMINS, "Which vitamin is deficient?", "D"),
        ("So it is B12 that is missing.", VITAMINS, "Deficiency of which vitamin?", "D"),
        ("成人每天最多4克。", DOSES, "成人每日最大剂量是", "C"),
        ("成人每天最多4 g/kg。", DOSES, "成人每日最大剂量是", ""),
        ("Neither aspirin, heparin nor alteplase should be given.", DRUGS, "What is given?", "D"),
        ("A. Smoking: correct.\nB. Obesity: correct.\nC. Cancer: correct.\nHence all of them.", RISKS, WHICH, "D"),
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
