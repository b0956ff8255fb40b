"""Rubrics as HealthBench has them: criteria with points, and the score of a reply that meets some of them.

Source of the arithmetic: `calculate_score` and `_compute_clipped_stats` of healthbench_eval.py in openai/simple-evals
(commit 9e2fafd): points of the criteria met over the sum of the positive points, negative points included above only;
a sample's score may be below 0, the mean over samples is clipped to [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from lingshu.core.errors import UserError
from lingshu.core.params import validate

RUBRICS = "rubrics"  # the `meta` key
CONVERSATION = "conversation"  # the `meta` key of the turns before the reply
_FIX = "give meta.rubrics: a list of {criterion, points, tags}, one of them with positive points"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that a reply should (or, with negative points, should not) do."""

    text: str
    points: float
    tags: tuple[str, ...] = ()


class _CriterionForm(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    criterion: str = Field(min_length=1)
    points: FiniteFloat
    tags: list[str] = []


class _TurnForm(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    role: str = Field(min_length=1)
    content: str


def criteria_of(meta: Mapping[str, Any]) -> tuple[Criterion, ...]:
    """Return the criteria of `meta.rubrics`.

    Raises:
        UserError: there are none, one is malformed, or none has positive points, which leaves no score (D34).
    """
    given = meta.get(RUBRICS)
    if not isinstance(given, list) or not given:
        raise UserError("meta.rubrics: no list of criteria", _FIX)
    forms = [validate(_CriterionForm, one, f"meta.rubrics[{number}]") for number, one in enumerate(given)]
    if not any(form.points > 0 for form in forms):
        raise UserError("meta.rubrics: no criterion with positive points", _FIX)
    return tuple(Criterion(form.criterion, form.points, tuple(form.tags)) for form in forms)


def conversation_of(meta: Mapping[str, Any], question: str) -> list[tuple[str, str]]:
    """Return (role, text) of the turns before the reply: `meta.conversation`, or the question as the only turn.

    Raises:
        UserError: `meta.conversation` is no list of {role, content}.
    """
    given = meta.get(CONVERSATION)
    if given is None:
        return [("user", question)]
    if not isinstance(given, list) or not given:
        raise UserError("meta.conversation: no list of turns", "give {role, content} for each turn, or leave it out")
    turns = [validate(_TurnForm, one, f"meta.conversation[{number}]") for number, one in enumerate(given)]
    return [(turn.role, turn.content) for turn in turns]


def rubric_score(criteria: Sequence[Criterion], met: Sequence[bool]) -> float | None:
    """Return the points met over the positive points, or None if no criterion has positive ones (of a tag, say)."""
    possible = sum(criterion.points for criterion in criteria if criterion.points > 0)
    if not possible:
        return None
    return sum(criterion.points for criterion, is_met in zip(criteria, met, strict=True) if is_met) / possible
