"""How the rows of a source's files become samples, as its record writes it: a form of tables and an adapter.

A path names a value inside a row: keys with dots between them (`data.Question`), list positions as numbers.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from lingshu.core.sample import SPLITS, Task
from lingshu.intake.shapes import Choices, Gold, Pattern, TableForm
from lingshu.sources.annotations import Annotations

AdapterName = Literal["caption", "question", "conversation", "reasoning", "report", "labels"]


class SourceForm(TableForm):
    """One on-disk form of a source, and what its rows say.

    Attributes:
        adapter: row shape. `caption` (pictures and a text), `question` (pictures or none, a question, options or none,
            a gold answer), `conversation` (a list of turns, of LLaVA's or the chat form), `reasoning` (question, trace,
            answer), `report` (pictures, findings and impression), `labels` (pictures with class labels or masks, for
            synthesis).
        task: of the samples; by the answer's kind where it is null.
        topic: path of the question type, that scores are broken down by; the adapter's own word where it is empty.
        group: path of what is never cut by a split (patient, study, article, picture); where it is empty the first
            picture (its bytes), or the row.
        group_pattern: what it finds in the group's value is the group; its first bracket if it has one.
        unit: word for what a group is.
        split: path of the split, or the split of every row (`train`, `validation`, `test`).
        split_names: of what the path gives, to our word; `train`, `val`, `valid`, `validate`, `dev`, `test` and the
            like are known, and what is said of `validation` holds for its other names.
        question: path of the question; of the turns for `conversation`.
        instruction: path of what is asked for, before the question (Alpaca's form, where the question may be empty).
        context: path of a text, or of a list of texts, that stands before the question.
        details: path of a text that stands after the question.
        rubrics: path of HealthBench's criteria, for `conversation`: those that earn points are the reply to turns that
            end with a request.
        answer: path of a caption, a reply or an answer's text, where `gold` is not given.
        several: what stands between several right answers in one text; the first is taught.
        answer_type: path of a field that starts with CLOSED where a short answer is one of few.
        trace: path of the reasoning.
        impression: path of a report's impression.
        sections: a report's text is one, with heads; findings and impression are cut out of it.
        choices: where the options are.
        gold: where the gold answer is.
        prompts: requests that a caption or report replies to, chosen by the row's id; our own where empty.
        system: first turn of every conversation.
        marker: of a picture's place inside a text.
        language: two letters, the language of every row; else the path of it.
        language_names: of what the path gives, to two letters.
        modality: path of the imaging kind.
        modality_names: of what the path gives (in lower case), to our word.
        body_part: path of the body part.
        annotations: labels, boxes and masks, for `labels`.
        licence: path of a row's own licence.
        expected_rows: where a form holds another number of rows than the record says.
    """

    adapter: AdapterName
    task: Task | None = None
    topic: str = ""
    group: str = ""
    group_pattern: Pattern = ""
    unit: str = Field(default="", pattern=r"^[a-z ]*$")
    split: str = "train"
    split_names: dict[str, Literal["train", "validation", "test"]] = Field(default_factory=dict)
    question: str = ""
    instruction: str = ""
    context: str = ""
    details: str = ""
    rubrics: str = ""
    answer: str = ""
    several: str = ""
    answer_type: str = ""
    trace: str = ""
    impression: str = ""
    sections: bool = False
    choices: Choices | None = None
    gold: Gold | None = None
    prompts: list[str] = Field(default_factory=list)
    system: str = ""
    marker: str = "<image>"
    language: str = "en"
    language_names: dict[str, str] = Field(default_factory=dict)
    modality: str = ""
    modality_names: dict[str, str] = Field(default_factory=dict)
    body_part: str = ""
    annotations: Annotations | None = None
    licence: str = ""
    expected_rows: int = Field(default=0, ge=0)

    @property
    def one_split(self) -> str:
        """The split of every row, or "" where a path gives it."""
        return self.split if self.split in SPLITS else ""

    @model_validator(mode="after")
    def _complete(self) -> SourceForm:
        needed = {
            "caption": bool(self.answer),
            "question": bool(self.question or self.instruction) and bool(self.answer or self.gold),
            "conversation": bool(self.question),
            "reasoning": bool(self.question and self.trace and (self.answer or self.gold)),
            "report": bool(self.answer or self.impression),
            "labels": self.annotations is not None and self.pictures is not None,
        }
        if not needed[self.adapter]:
            raise ValueError(f"adapter {self.adapter!r} needs {_NEEDS[self.adapter]}")
        return self


_NEEDS = {
    "caption": "answer",
    "question": "question, and answer or gold",
    "conversation": "question (the path of the turns)",
    "reasoning": "question, trace, and answer or gold",
    "report": "answer (findings) or impression",
    "labels": "annotations and pictures",
}
