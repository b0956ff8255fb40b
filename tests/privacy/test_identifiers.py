"""Identifiers in English and Chinese text: what is found, by kind, and what everyday clinical text must not trigger."""

from collections import Counter

import polars as pl
import pytest

from lingshu.privacy.identifiers import KINDS, PREFIX, identifier_columns, identifier_spans


def kinds(text: str) -> dict[str, int]:
    row = pl.DataFrame({"text": [text]}).select(identifier_columns(pl.col("text"))).row(0, named=True)
    return {name.removeprefix(PREFIX): number for name, number in row.items() if number}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Seen by Dr. Okonkwo and Mrs. A. Smith-Jones.", {"name": 2}),
        ("Her SSN is 078 05 1120, passport no. X1234567", {"national_id": 2}),
        ("Medicare number 1EG4-TE5-MK72", {"national_id": 1}),
        ("Case no. S19-12345 received in formalin", {"record_number": 1}),
        ("病人名叫刘洋,今年28岁。医生签名:周  强", {"name": 2}),
        ("微信号 wx_zhang88 或 QQ:123456789", {"phone": 2}),
        ("Patient name: Invented Person", {"name": 1}),
        ("Seen by Dr.Okonkwo, Mrs.Roe and Dr. A.K. Doe; Dr.A. Roe.", {"name": 4}),
        ("Discussed with Dr. Doe on 3/14/2019 at 5pm.", {"name": 1, "date": 1}),
        ("Admitted 2019-03-14, discharged March 20th, 2019 and again 5 April 2020.", {"date": 3}),
        ("Call (555) 010-9999 or +44 20 7946 0958.", {"phone": 2}),
        ("Mobile: 555 0101 222", {"phone": 1}),
        ("Write to jane.doe@example.org", {"email": 1}),
        ("MRN: 00412345. Accession # CR-2019-0042.", {"record_number": 2}),
        ("SSN 078-05-1120", {"national_id": 1}),
        ("She lives at 12 Old Mill Road.", {"address": 1}),
        ("患者姓名：王小明，住院号：0012345。", {"name": 1, "record_number": 1}),
        ("李医生于2019年3月14日查房。", {"name": 1, "date": 1}),
        ("联系电话13800138000。", {"phone": 1}),
        ("身份证110101199003074512", {"national_id": 1}),
        ("家住北京市海淀区学院路15号。", {"address": 1}),
        ("陈小红女士来诊。", {"name": 1}),
        ("PATIENT: DOE, JANE. DICTATED BY: ROBERT ROE. DR. OKONKWO", {"name": 3}),
        ("Patient Name: JANE DOE; Name: Jane Q. Public; Dr. Müller, Mrs O'Brien, Ms. van der Berg", {"name": 5}),
        ("Dictated by: Jane Doe, seen by Jane Roe, M.D.", {"name": 2}),
        ("Patient: Jane Doe, 45. Electronically signed by Robert Roe.", {"name": 2}),
        ("患者李伟，男，45岁。主治医师：王建国", {"name": 2}),
        ("于2019/3/14检查，2019-03-15复查", {"date": 2}),
        ("DOB 1-2-56, exam date: 20190314, 14MAR2019, seen on March 14 and May 3rd", {"date": 5}),
        ("SSN 078051120; Med Rec No. 8831299; NHS No: 943 476 5919", {"national_id": 1, "record_number": 2}),
        ("Pager 12345. PO Box 1234; 1200 N Wolfe Street; 家住上海市浦东新区", {"phone": 1, "address": 3}),
        ("NAME: DOE, JANE; DOE^JANE^Q; Pt: Jane Q. Public, 54F. Dictated by: J. Doe MD", {"name": 4}),
        ("姓名 王小明 性别 男，主治医师 李雷。医保卡号：123456789", {"name": 2, "record_number": 1}),
        ("My name is Jane Doe. Drug name: Metformin Hydrochloride, name: Jane Roe.", {"name": 2}),
        ("您好，我叫李娜，手机：138 1234 5678或138-1234-5678，电话 021 62345678", {"name": 1, "phone": 3}),
        ("二〇一九年三月十四日检查，CT号：CT201903001", {"date": 1, "record_number": 1}),
        ("Read by Jane Roberts, MD, and Ann B. Roe, RN. Seen on 3-14-19. 欧阳娜娜女士", {"name": 3, "date": 1}),
        ("Published on March 14, 2019; admitted on March 15, 2019.", {"date": 1}),
        ("Call 800-555-0199 or 555-010-0199.", {"phone": 1}),
        ("Seen on 3/14/19 and at 6/12/24 months. Lives at 221B Baker Street.", {"date": 1, "address": 1}),
    ],
)  # fmt: skip
def test_found(text: str, expected: dict[str, int]) -> None:
    assert kinds(text) == expected
    assert Counter(span.kind for span in identifier_spans([text])[0]) == expected


@pytest.mark.parametrize(
    "text",
    [
        "MR of the shoulder, CT 5 mm slices, T2/FLAIR 1.5 T, TR/TE 3000/90.",
        "A 45-year-old patient with BP 120/80, HbA1c 7.2 %, dose 10-20-30 mg.",
        "The patient: what should the doctor advise?",
        "Dr.'s orders; the Doctor said so in 2019.",
        "Parkinson disease, Crohn's disease, Mr. ___ was seen on ___.",
        "ICD-10-CM E11.9; HP:0001250; rs1234567; 1,234,567 cells; 0.001-0.002.",
        "Ratio 12/24, scores 3/4/5, WHO grade 2-3.",
        "请向医生咨询，何时看医生？马上找医生。",
        "患者女性，45岁，右肺上叶结节。",
        "如有不适请及时联系主治医生。",
        "Would screening miss cancers? Miss rates fell.",
        "Patient: Hello Doctor, my knee hurts. Doctor: Rest it. Patient: What Else should I do?",
        "CT AND MR. THE LIVER IS NORMAL. MS PATIENTS, DR SYSTEMS, MR ANGIOGRAPHY. READ BY TWO OBSERVERS.",
        "In March 14 patients came; may 12 percent; Hodgkin Lymphoma, Wolff-Parkinson-White, Le Fort II",
        "Doses of 10/20/40 mg, 3/6/12-month follow-up, 12/24/36 h; 随访6/12/24个月; x^2, A^B; Pt: Hello Doctor.",
        "Drug name: Metformin Hydrochloride; brand name: Glucophage Extended. Protein name: Breast Cancer Type 1.",
        "我叫了救护车。我叫他来看。肌钙蛋白 138 4567 ng; 一九九九年三月",
        "主治医师 建议复查，姓名 不详；主治医生 何时来？",
        "Bennett fracture, Baker's cyst, the Jones criteria; Johnson & Johnson; Silver Spring, MD; flow chart 3.",
        "Approved by the FDA on December 11, 2020; the hotline is 1-800-555-0199 or (888) 555-0100.",
        "Grades 1-2-10 of 3-4-12; on 20-30-40 mg.",
        "He moved from Silver Spring, MD. Accessed 5 March 2021.",
        "患者：谢谢。患者：何时复查？患者男，45岁；检查：胸部CT；报告：未见异常。",
        "Case no. 12 of this series; the QQ genotype; 3 members of policy number two.",
        "病人叫苦不迭,孩子叫喊。微信公众号文章。",
    ],
)
def test_not_found(text: str) -> None:
    assert kinds(text) == {}
    assert identifier_spans(["", text]) == [[], []]


def test_every_kind_has_a_column() -> None:
    frame = pl.DataFrame({"text": ["", "x"]}).select(identifier_columns(pl.col("text")))
    assert frame.columns == [PREFIX + kind for kind in KINDS]
    assert frame.sum_horizontal().to_list() == [0, 0]


def test_places_are_those_of_the_matches() -> None:
    text = "\ufdd0é Seen by Dr. Müller on 3/14/2019; 10/20/40 mg. 患者姓名：王小明"
    spans = identifier_spans([text])[0]
    assert [(span.kind, text[span.start : span.end]) for span in spans] == [
        ("name", "Dr. Müller"),
        ("date", "3/14/2019"),
        ("name", "患者姓名：王小明"),
    ]
    with pytest.raises(ValueError, match="no sign is left"):
        identifier_spans(["".join(map(chr, (*range(0xFDD0, 0xFDF0), *range(0xE000, 0xF900))))])
