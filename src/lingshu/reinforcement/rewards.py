"""The verifiable rewards: strict format, and accuracy by the evaluation's own strict scorer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lingshu.core.sample import Answer
from lingshu.evalkit.items import Item
from lingshu.evalkit.rules import score_strict
from lingshu.reinforcement.params import RewardParams

# One trace, one answer, neither empty, and nothing before, between or after them but blanks.
STRICT_FORMAT = re.compile(r"\s*<think>(?P<trace>.+?)</think>\s*<answer>(?P<answer>.+?)</answer>\s*", re.DOTALL)
TAGS = ("<think>", "</think>", "<answer>", "</answer>")


@dataclass(frozen=True, slots=True)
class Reward:
    """The two parts, each 0 or 1, before weighting."""

    format: float
    accuracy: float

    def total(self, params: RewardParams) -> float:
        """Return the weighted sum."""
        return params.format_weight * self.format + params.accuracy_weight * self.accuracy


def reward_of(response: str, question: str, answer: Answer) -> Reward:
    """Return the rewards of one response; an open answer has no verdict and earns no accuracy."""
    return Reward(format_reward(response), accuracy_reward(response, question, answer))


def format_reward(response: str) -> float:
    """Return 1.0 if the response is exactly one trace and one answer in their tags, each tag once, else 0.0."""
    match = STRICT_FORMAT.fullmatch(response)
    if match is None or any(response.count(tag) != 1 for tag in TAGS):
        return 0.0
    return float(bool(match["trace"].strip()) and bool(match["answer"].strip()))


def accuracy_reward(response: str, question: str, answer: Answer) -> float:
    """Return 1.0 if the evaluation's strict scorer calls the response correct, else 0.0."""
    gold = answer.label if answer.kind == "mcq" else answer.text
    item = Item("", answer.kind, question, answer.choices or None, gold, response)
    return float(score_strict(item).correct is True)
