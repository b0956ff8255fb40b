"""Short reasoning traces from known facts: what each side of the chest shows, then what follows from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lingshu.facts.vocabulary import NONE

Facts = Mapping[str, Any]
SIDES = ("Left", "Right")
PLACES: dict[str, str] = {"nodule": "lung", "effusion": "side", "opacity": "lung"}
SIDE_KEYS: dict[str, str] = {"nodule": "nodule_side", "effusion": "effusion_side", "opacity": "opacity"}
ARTICLES: dict[str, str] = {"nodule": "a", "effusion": "an", "opacity": "an"}


def finding_in(question: str) -> str | None:
    """Return the finding that a question asks about (nodule, effusion, opacity), or None."""
    match = re.search(r"nodule|effusion|opacity", question)
    return match[0] if match else None


def trace(topic: str, finding: str, facts: Facts) -> str:
    """Return a trace for a question of topic presence, side, count or count_hard.

    Raises:
        KeyError: the facts do not hold the finding.
    """
    place, side = PLACES[finding], facts[SIDE_KEYS[finding]]
    seen = [
        f"{name} {place}: {_amount(finding, facts) if side == name.lower() else f'no {finding}'}." for name in SIDES
    ]
    return " ".join([*seen, _conclusion(topic, finding, side, facts)])


def _amount(finding: str, facts: Facts) -> str:
    if finding == "nodule":
        count = facts["nodule_count"]
        return f"{count} nodule" if count == 1 else f"{count} nodules"
    return f"{facts['effusion_level']} effusion" if finding == "effusion" else "opacity"


def _conclusion(topic: str, finding: str, side: str, facts: Facts) -> str:
    if topic == "side":
        return f"So the {finding} is on the {side}."
    if topic == "presence":
        return f"So no {finding} is seen." if side == NONE else f"So {ARTICLES[finding]} {finding} is seen."
    return f"So the number of nodules is {facts['nodule_count']}."
