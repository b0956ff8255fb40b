"""How the rows of a source's files become samples, as its record writes it: a form of tables and an adapter.

A path names a value inside a row: keys with dots between them (`data.Question`), list positions as numbers.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lingshu.core.sample import Task
from lingshu.intake.shapes import Choices, Gold, TableForm

AdapterName = Literal["caption", "question", "conversation", "reasoning", "report", "labels"]


class SourceForm(TableForm):
    """One on-disk form of a source, and what its rows say.

    Attributes:
        adapter: row shape. `caption` (pictures and a text), `question` (pictures or none, a question, options or none,
            a gold answer), `conversation` (a list of turns, of LLaVA's or the chat form), `reasoning` (question, trace,
            answer), `report` (pictures, findings and impression), `labels` (pictures with class labels or masks, for
            synthesis).
        task: of the samples; by the answer's kind where it is null.
        id: path of the row's own id; without one the id is the file's name and the row's number.
        group: path of what is never cut by a split (patient, study, article, picture); the picture or the row without.
        split: path of the split, or the split of every row (`train`, `validation`, `test`).
        question: path of the question; of the turns for `conversation`.
        answer: path of a caption, a reply or an answer's text, where `gold` is not given.
        trace: path of the reasoning.
        impression: path of a report's impression.
        choices: where the options are.
        gold: where the gold answer is.
        prompts: requests that a caption or report replies to, chosen by the row's id; our own where empty.
        language: path of the language, or the language of every row.
        modality: path of the imaging kind.
        modality_names: of what the path gives, to our word.
        labels: fact to path, for `labels`.
        licence: path of a row's own licence.
    """

    adapter: AdapterName
    task: Task | None = None
    id: str = ""
    group: str = ""
    split: str = "train"
    question: str = ""
    answer: str = ""
    trace: str = ""
    impression: str = ""
    choices: Choices | None = None
    gold: Gold | None = None
    prompts: list[str] = Field(default_factory=list)
    language: str = "en"
    modality: str = ""
    modality_names: dict[str, str] = Field(default_factory=dict)
    labels: dict[str, str] = Field(default_factory=dict)
    licence: str = ""
