"""What patterns find is masked, wherever the text says it; what is no part of it stays, and nothing is left to find."""

from __future__ import annotations

import pytest

from lingshu.privacy.masking import holds, kinds_in, mask, secrets_of


def masked(*parts: str, names: tuple[str, ...] = ()) -> tuple[str, ...]:
    made = mask([parts], [names])[0]
    assert made.left == ()
    assert kinds_in(["\n".join(made.parts)]) == [()]
    return made.parts


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("Seen by Dr. Savage on 3/14/2019.",), ("Seen by [name] on [date].",)),
        (("My name is Wanda.", "Hi Wanda, WANDA's knee."), ("[name].", "Hi [name], [name]'s knee.")),
        (("Call me, my phone:", "555 0101 222, any day."), ("Call me, my [phone]", "[phone], any day.")),
        (("Patient: Jane Doe, 45. Pt: Ann Roe Male",), ("[name], 45. [name] Male",)),
        (("13812345678,13912345678,13712345678",), ("[phone],[phone],[phone]",)),
        (("患者姓名：王小明，45岁", "王小明您好，电话13800138000。"), ("[name]，45岁", "[name]您好，电话[phone]。")),
        (("患者李伟，男，45岁。身份证11010119900307451X。",), ("[name]，男，45岁。身份证[national id]。",)),
        (
            ("MRN: 00412345; write to a.b@c.example.org", "Your record 00412345."),
            ("[record number]; write to [email]", "Your record [phone]."),
        ),
        (("By Dr. Ramesh V. Kumar-Rao. Dr. Jane Please rest.",), ("By [name]. [name] Please rest.",)),
        (("Accession # CR-2019-0042B/7, signed by Maria Ann Roe, M.D.",), ("[record number], [name]",)),
        (("Hi Dr. Roe Welcome to the ward. Welcome.",), ("Hi [name] Welcome to the ward. Welcome.",)),
        (("Dr. Jean-Luc O'Brien-Smith, Dr. Ngũgĩ wa Thiong'o",), ("[name], [name]",)),
        (("Doses of 10/20/40 mg, Drug name: Metformin Hydrochloride",),) * 2,
        (("微信:wx99a或QQ:123456",), ("[phone]或[phone]",)),
        (("A plain question?", "An answer."),) * 2,
    ],
)
def test_masked(parts: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert masked(*parts) == expected


def test_spans_that_overlap_are_one_placeholder() -> None:
    assert masked("Date of birth: 12-03-1960 Phone: 12-03-1960 5551234") == ("[date] [phone]",)
    assert masked("Signed by Jane Roe, M.D. Dictated by: Jane Roe, M.D.")[0].count("[name]") == 2


def test_a_hundred_candidates_and_more_texts_than_are_read_at_once() -> None:
    many = " ".join(f"Dr. Name{'abcdefghij'[n % 10]} on {1 + n % 12}/{1 + n % 28}/2019," for n in range(100))
    made = mask([(many,)] * 3 + [("A plain one.",)] * 5000, [()] * 5003)
    assert made[0] == made[2]
    assert (made[0].placeholders, made[0].left) == (200, ())
    assert set(made[0].parts[0].split(", ")) == {"[name] on [date]", "[name] on [date],"}
    assert {one.parts for one in made[3:]} == {("A plain one.",)}


def test_further_names_are_masked_as_whole_words() -> None:
    assert masked("Hi Ann, Annual checks, ann.", names=("Ann",)) == ("Hi [name], Annual checks, ann.",)


def test_names_and_numbers_are_known_again_without_their_labels() -> None:
    known = secrets_of(
        ["Patient name: Jane Q. Doe, seen by DR. OKONKWO. Phone: 555 0101 222. 主治医师：王建国 on 3/4/2019"]
    )
    assert known == [{"Jane", "Doe", "OKONKWO", "555 0101 222", "王建国"}]
    assert all(holds(text, known[0]) for text in ("See JANE.", "Okonkwo's", "王建国医生", "at 555 0101 222"))
    assert not any(holds(text, known[0]) for text in ("jane, Does, Q.", "王先生", "555 0101"))
