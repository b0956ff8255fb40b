"""A question with or without pictures and options, and its gold answer.

Turns hold the bare question: how it is put is decided where it is asked (`lingshu.modeling.template`). A
multiple-choice question is answered by its letter.
"""

from __future__ import annotations

from lingshu.core.sample import Answer, AnswerKind, Task
from lingshu.intake.answers import LETTERS, Options, gold_of, options_of
from lingshu.intake.errors import Reason, RowError
from lingshu.intake.shapes import Gold
from lingshu.intake.values import Row, value_at
from lingshu.sources.adapters.spoken import Spoken, checked_text, reply, request, said, said_or_empty
from lingshu.sources.forms import SourceForm

YES_NO = ("yes", "no")
TASKS: dict[AnswerKind, Task] = {"mcq": "mcq", "yesno": "vqa_closed", "closed": "vqa_closed", "open": "vqa_open"}


def question(form: SourceForm, row: Row, identity: str, num_pictures: int) -> Spoken:  # noqa: ARG001 - one signature
    """Return the question and its gold answer.

    A question without options is yes/no by its answer, closed where `answer_type` says so, else open.

    Raises:
        RowError: question, options or gold answer are missing or don't fit one another.
    """
    text, answer = asked(form, row)
    words = answer.label if answer.kind == "mcq" else answer.text
    task = form.task or ("text_qa" if num_pictures == 0 and answer.kind != "mcq" else TASKS[answer.kind])
    return Spoken(task, answer.kind, (*request(form, text, num_pictures), reply(words)), answer)


def asked(form: SourceForm, row: Row) -> tuple[str, Answer]:
    """Return the bare question and its gold answer; errors as `question`."""
    text = said(row, form.question)
    options = options_of(form.choices, row, text)
    if options is not None:
        return checked_text(options.question, form.question), _choice(form, row, options)
    words = _gold_text(form, row)
    if words.lower().rstrip(".") in YES_NO:
        return text, Answer("yesno", words.lower().rstrip("."))
    closed = said_or_empty(row, form.answer_type).upper().startswith("CLOSED")
    return text, Answer("closed" if closed else "open", words)


def _gold_text(form: SourceForm, row: Row) -> str:
    if form.gold is None:
        value = value_at(row, form.answer)
        if isinstance(value, list):
            return checked_text(", ".join(map(str, value)), form.answer)
        words = said(row, form.answer)
        return checked_text(words.split(form.several)[0], form.answer) if form.several else words
    gold = gold_of(form.gold, row, None)
    return checked_text(gold if isinstance(gold, str) else gold[0], form.gold.field)


def _choice(form: SourceForm, row: Row, options: Options) -> Answer:
    gold = gold_of(form.gold or Gold(shape="letters", field=form.answer), row, options)
    if not isinstance(gold, str):
        raise RowError(Reason.AMBIGUOUS_GOLD, f"options {', '.join(gold)} are all right")
    texts = tuple(checked_text(text, f"option {letter}") for letter, text in zip(LETTERS, options.texts, strict=False))
    return Answer("mcq", texts[LETTERS.index(gold)], texts, gold)
