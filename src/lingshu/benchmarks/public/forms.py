"""How the rows of a benchmark's files become questions, as its record writes it.

A path names a value inside a row: keys with dots between them (`data.Question`), list positions as numbers.
"""

from __future__ import annotations

from lingshu.core.params import Strict
from lingshu.intake.shapes import Choices, Gold, Pattern, TableForm


class Cluster(Strict):
    """What questions share: the first picture (`picture`), or the value at a path; or what a pattern finds in it."""

    field: str = "picture"
    pattern: Pattern = ""


class Form(TableForm):
    """One on-disk form of a benchmark, and what its rows ask.

    Attributes:
        question: path of the question, or of the conversation for kind `rubric`; a report has none.
        context: path of the text that prompt `mcq_context` puts first (a list is joined by line feeds).
        history: path of earlier questions and answers, as `[[question, [answers]], …]`.
        choices: where the options are.
        gold: where the gold answer is.
        cluster: what several questions share.
        meta: break-down or other fact to path; an absent value is left out and counted.
    """

    question: str = ""
    context: str = ""
    history: str = ""
    choices: Choices | None = None
    gold: Gold
    cluster: Cluster | None = None
    meta: dict[str, str] = {}  # noqa: RUF012
