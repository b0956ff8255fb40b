"""A question, a reasoning trace and the answer: the reply thinks in tags, as the paper's fourth stage rewards."""

from __future__ import annotations

from lingshu.intake.values import Row
from lingshu.sources.adapters.question import asked
from lingshu.sources.adapters.spoken import Spoken, reply, request, said
from lingshu.sources.forms import SourceForm


def reasoning(form: SourceForm, row: Row, identity: str, num_pictures: int) -> Spoken:  # noqa: ARG001 - one signature
    """Return the question and `<think>…</think><answer>…</answer>`.

    Raises:
        RowError: question, trace or answer is missing or empty.
    """
    text, answer = asked(form, row)
    trace = said(row, form.trace)
    words = answer.label if answer.kind == "mcq" else answer.text
    turns = (*request(form, text, num_pictures), reply(f"<think>{trace}</think><answer>{words}</answer>"))
    return Spoken(form.task or "reasoning", "reasoning", turns, answer, trace)
