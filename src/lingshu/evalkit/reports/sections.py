"""Findings and Impression: how a report is cut into sections, and which text of it is compared.

A section begins at its head: the word and a colon, in capitals or with a capital anywhere, in any case at the start of
a line, or alone on a line without a colon; mark-up around it (`**Findings:**`, `## Findings`) is part of it. In 【】 it
needs no colon. Once a
report has a head of Findings or Impression, what stands under no head or under another one (Technique, Comparison, …)
is neither. A report without such a head, or with one head for both, stands for whatever section is asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lingshu.evalkit.parsing.extraction import in_answer_tag, outside_think

Form = Literal["plain", "medevalkit", "rexrank"]
Section = Literal["findings", "impression", "both"]
Tokens = Literal["rouge-score", "unicode"]

_HEADS = {
    "whole": ("findings and impression", "findings and impressions", "findings/impression"),
    "findings": (
        *("findings", "finding"),
        *("影像所见", "影像学所见", "影像表现", "影像学表现", "检查所见", "检查表现", "超声所见", "所见"),
    ),
    "impression": (
        *("impression", "impressions", "conclusion", "conclusions"),
        *("诊断意见", "诊断印象", "诊断结论", "检查结论", "影像诊断", "影像学诊断", "超声提示", "印象", "结论"),
    ),
    "other": (
        "examination",
        "exam",
        "indication",
        "history",
        "clinical history",
        "clinical information",
        "technique",
        "procedure",
        "comparison",
        "recommendation",
        "recommendations",
        "notification",
        "addendum",
    ),
}
_NAMES = {name: section for section, names in _HEADS.items() for name in names}
_LONGEST_FIRST = sorted(_NAMES, key=len, reverse=True)
_ANY_CASE = "|".join(map(re.escape, _LONGEST_FIRST))


def _capitalised(name: str) -> tuple[str, ...]:
    return (name.upper(), name.title(), name.title().replace(" And ", " and "), name.capitalize())


_CAPITAL = "|".join(dict.fromkeys(re.escape(form) for name in _LONGEST_FIRST for form in _capitalised(name)))
_BLANK = " \t\r\n*_"  # around a section: mark-up of the next head stands at its end
_END = r"[*_]*[ \t]*[:：][*_]*"
_HEAD = re.compile(
    rf"^[ \t]*(?:\#+[ \t]*)?[*_]*(?i:(?P<line>{_ANY_CASE}))(?:{_END}|[*_]*[ \t]*$)"
    rf"|(?<![^\W_])(?P<inline>{_CAPITAL}){_END}"
    rf"|【[ \t]*(?i:(?P<boxed>{_ANY_CASE}))[ \t]*】(?:[ \t]*[:：])?",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Sections:
    """A report in parts, each stripped; None where the report has no such head.

    `rest` is what belongs to neither; `whole` is the text of a report without these heads, or with one head for both.
    """

    findings: str | None
    impression: str | None
    rest: str
    whole: str | None


def split_sections(report: str) -> Sections:
    """Return the sections of a report; several under one head are joined by a space."""
    parts: dict[str, list[str]] = {name: [] for name in _HEADS}
    section, start = "other", 0
    for head in _HEAD.finditer(report):
        parts[section].append(report[start : head.start()].strip(_BLANK))
        section, start = _NAMES[(head["line"] or head["inline"] or head["boxed"]).lower()], head.end()
        parts[section].append("")  # the head is there even if no text follows
    parts[section].append(report[start:].strip())
    texts = {name: " ".join(filter(None, found)) if found else None for name, found in parts.items()}
    if texts["whole"] is not None:
        whole = " ".join(filter(None, (texts["whole"], texts["findings"], texts["impression"])))
        return Sections(None, None, texts["other"] or "", whole)
    if texts["findings"] is None and texts["impression"] is None:
        return Sections(None, None, "", report.strip())
    return Sections(texts["findings"], texts["impression"], texts["other"] or "", None)


def wanted_text(sections: Sections, section: Section) -> str:
    """Return the text of the section, without heads; "" if the report has heads, but not that one."""
    if sections.whole is not None:
        return sections.whole
    if section == "both":
        return " ".join(filter(None, (sections.findings, sections.impression)))
    return (sections.findings if section == "findings" else sections.impression) or ""


def official_reference(sections: Sections, form: Literal["medevalkit", "rexrank"]) -> str:
    """Return a reference as that project writes it; a report without heads is taken as Findings.

    MedEvalKit: `Findings: {f} Impression: {i}.`, an absent section is an empty text. ReXrank: the same without the
    last full stop, an absent section is the word None.
    """
    findings = (sections.findings if sections.whole is None else sections.whole) or ""
    impression = sections.impression or ""
    if form == "medevalkit":
        return f"Findings: {findings} Impression: {impression}."
    return f"Findings: {findings or None} Impression: {impression or None}"


def without_thinking(response: str) -> str:
    """Return a model's response without think blocks and outside of answer tags, stripped; "" if nothing is left.

    An unclosed think block reaches to the end or to an answer tag; a lone closing tag ends one that began before.
    """
    return in_answer_tag(outside_think(response)).strip() if "<" in response else response.strip()
