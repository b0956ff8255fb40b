"""Findings and impression of a whole radiology report: a section begins at a head in capitals with a colon.

That is the layout of MIMIC-CXR and CheXpert reports, and the rule of MIMIC-CXR's own `section_parser.py` (repository
MIT-LCP/mimic-cxr, folder txt): a line starts with a head of capitals. A text in front of the first head, under
any other head, or of a report without heads, is neither section.
"""

from __future__ import annotations

import re

_HEAD = re.compile(r"^[ \t]*(?P<name>[A-Z][A-Z ()/,&-]+?)[ \t]*:", re.MULTILINE)
FINDINGS = ("FINDINGS", "FINDING")
IMPRESSION = ("IMPRESSION", "IMPRESSIONS", "CONCLUSION", "CONCLUSIONS")


def sections_of(report: str) -> tuple[str, str]:
    """Return findings and impression, each "" where the report has no such head; blanks and line ends become one blank.

    Several sections under one head are joined. "FINDINGS AND IMPRESSION" is findings.
    """
    heads = list(_HEAD.finditer(report))
    ends = [head.start() for head in heads[1:]] + [len(report)]
    found: dict[str, list[str]] = {"findings": [], "impression": []}
    for head, end in zip(heads, ends, strict=True):
        name = " ".join(head["name"].split())
        if name in FINDINGS or (name.startswith(FINDINGS) and name.endswith(IMPRESSION)):
            found["findings"].append(report[head.end() : end])
        elif name in IMPRESSION:
            found["impression"].append(report[head.end() : end])
    findings, impression = (" ".join(" ".join(texts).split()) for texts in found.values())
    return findings, impression
