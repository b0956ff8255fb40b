"""How reports are cut into sections, and the two official forms of a reference."""

import pytest

from lingshu.evalkit.reports.evaluate import prepare
from lingshu.evalkit.reports.files import Pairs
from lingshu.evalkit.reports.sections import Sections, official_reference, split_sections, wanted_text, without_thinking

MIMIC = """ FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)

 COMPARISON:  None.

 FINDINGS:

 The heart is normal.  No effusion.

 IMPRESSION:

 No acute process.
 RECOMMENDATION(S): none
"""


@pytest.mark.parametrize(
    ("report", "findings", "impression"),
    [
        ("Findings: a b. Impression: c.", "a b.", "c."),
        ("findings: a\nimpression: b", "a", "b"),
        ("**Findings:** a **Impression:** b", "a", "b"),
        ("**Findings**: a\n**Impression**: b", "a", "b"),
        ("## Findings\na\n\n## Impression\n\nb", "a", "b"),
        ("IMPRESSION: b FINDINGS: a", "a", "b"),
        ("Findings: a Findings: b", "a b", None),
        ("Findings: Impression: b", "", "b"),
        ("影像所见：心影增大。诊断意见：心脏增大。", "心影增大。", "心脏增大。"),
        ("【影像所见】心影增大。【诊断意见】：心脏增大。", "心影增大。", "心脏增大。"),
        ("检查所见：肺野清晰\n检查结论：未见异常", "肺野清晰", "未见异常"),
        ("超声所见：肝大。\n超声提示：脂肪肝。", "肝大。", "脂肪肝。"),
        ("【影像学表现】肺野清晰【影像学诊断】正常", "肺野清晰", "正常"),
    ],
)
def test_sections(report, findings, impression):
    assert split_sections(report) == Sections(findings, impression, "", None)


def test_text_under_no_head_or_another_one_is_neither():
    sections = split_sections(MIMIC)
    assert sections.findings == "The heart is normal.  No effusion."
    assert sections.impression is not None
    assert sections.impression.startswith("No acute process.")
    assert sections.rest == "FINAL REPORT CHEST (PA AND LAT) None."
    assert split_sections("Sure! Findings: a").rest == "Sure!"


@pytest.mark.parametrize(
    "report", ["The heart is normal.", "There are no acute findings: all is stable.", "Comparison: None. Clear.", ""]
)
def test_text_without_heads_stands_for_every_section(report):
    sections = split_sections(report)
    assert sections == Sections(None, None, "", report)
    assert {wanted_text(sections, section) for section in ("findings", "impression", "both")} == {report}


def test_one_head_for_both():
    sections = split_sections("Dear colleague, Findings and Impression: all clear")
    assert sections == Sections(None, None, "Dear colleague,", "all clear")


def test_wanted_text():
    sections = split_sections("Findings: a Impression: b")
    assert [wanted_text(sections, s) for s in ("findings", "impression", "both")] == ["a", "b", "a b"]
    assert wanted_text(split_sections("Findings: a"), "impression") == ""


@pytest.mark.parametrize(
    ("report", "medevalkit", "rexrank"),
    [
        ("Findings: a. Impression: b", "Findings: a. Impression: b.", "Findings: a. Impression: b"),
        ("Findings: a.", "Findings: a. Impression: .", "Findings: a. Impression: None"),
        ("Impression: b", "Findings:  Impression: b.", "Findings: None Impression: b"),
        ("a", "Findings: a Impression: .", "Findings: a Impression: None"),
    ],
)
def test_official_references(report, medevalkit, rexrank):
    assert official_reference(split_sections(report), "medevalkit") == medevalkit
    assert official_reference(split_sections(report), "rexrank") == rexrank


@pytest.mark.parametrize(
    ("response", "left"),
    [
        ("<think>a</think>b", "b"),
        ("a</think> b", "b"),
        ("<think>a", ""),
        ("<think>a</think><answer>b</answer>", "b"),
        ("size < 3 cm", "size < 3 cm"),
    ],
)
def test_thinking(response, left):
    assert without_thinking(response) == left


def test_official_forms_leave_candidates_as_they_are():
    pairs = Pairs(["1", "2"], ["Findings: a Impression: b", ""], ["Findings: c Impression: d", "e"])
    prepared = prepare(pairs, "rexrank", "both")
    assert prepared.references == ["Findings: a Impression: b", ""]
    assert prepared.candidates == ["Findings: c Impression: d", "e"]
    assert prepared.counts["references"].empty == 1
    assert prepared.counts["candidates"].without_heads == 1
    assert prepare(pairs, "plain", "both").candidates == ["c d", "e"]
