"""Findings and impression of an imaging study, asked as MedEvalKit asks; without a picture, the impression of findings.

A section that the report has not is left out, so that no model learns to write an empty one.
"""

from __future__ import annotations

from lingshu.core.prompts import REPORT
from lingshu.intake.errors import Reason, RowError
from lingshu.intake.values import Row
from lingshu.sources.adapters.sections import sections_of
from lingshu.sources.adapters.spoken import Spoken, chosen, reply, request, said, said_or_empty
from lingshu.sources.forms import SourceForm

IMPRESSION = ("Write the impression of these radiology findings.",)


def report(form: SourceForm, row: Row, identity: str, num_pictures: int) -> Spoken:
    """Return the request and the report.

    Raises:
        RowError: both sections are empty; without a picture, one of them is.
    """
    if form.sections:
        findings, impression = sections_of(said(row, form.answer))
    else:
        findings, impression = said_or_empty(row, form.answer), said_or_empty(row, form.impression)
    if num_pictures == 0:
        return _impression(form, findings, impression, identity)
    parts = [f"{head}: {text}" for head, text in (("Findings", findings), ("Impression", impression)) if text]
    if not parts:
        raise RowError(Reason.NO_REPORT, "nothing was reported")
    prompt = chosen(form.prompts or (REPORT,), identity)
    return Spoken(form.task or "report", "report", (*request(form, prompt, num_pictures), reply(" ".join(parts))))


def _impression(form: SourceForm, findings: str, impression: str, identity: str) -> Spoken:
    if not findings or not impression:
        raise RowError(Reason.NO_REPORT, f"no {'impression' if findings else 'findings'}, and no picture")
    prompt = f"{chosen(form.prompts or IMPRESSION, identity)}\n{findings}"
    return Spoken(form.task or "text_qa", "impression", (*request(form, prompt, 0), reply(impression)))
