"""Records of a public benchmark's questions, as its loader gives them."""

from __future__ import annotations

from lingshu.core.question import Question
from lingshu.decontam.records import Record


def question_record(question: Question) -> Record:
    """Return a question as what is compared: bare, without the official prompt, with the option that is right."""
    name = f"{question.benchmark}:{question.id}"
    choices = tuple(question.choices or ())
    given = (question.answer,) if isinstance(question.answer, str) else question.answer
    answers = tuple(_option(answer, choices) for answer in given if answer)
    pictures = tuple((name if n == 0 else f"{name}!{n}", file) for n, file in enumerate(question.pictures))
    if question.kind == "report":
        return Record(name, texts=answers, pictures=pictures)
    return Record(name, question.question, tuple(map(_bare, choices)), answers, (), pictures)


def _option(answer: str, choices: tuple[str, ...]) -> str:
    """Return the text of the option that a letter names, or the answer as it is."""
    place = ord(answer) - ord("A") if len(answer) == 1 else -1
    return _bare(choices[place]) if 0 <= place < len(choices) else answer


def _bare(option: str) -> str:
    """Return an option without its letter."""
    letter, dot, text = option.partition(". ")
    return text if dot and len(letter) == 1 and letter.isupper() else option
