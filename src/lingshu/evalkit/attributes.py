"""Captions judged by the facts they state: each fact of the gold caption is an attribute, stated right or not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lingshu.evalkit.items import Item
from lingshu.evalkit.parsing.extraction import answer_text
from lingshu.evalkit.rules import GOLD_ERROR, Score
from lingshu.facts.reading import facts_from_text

RULE = "attributes"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One fact of a gold caption: `value` as JSON, and what the response states (None: nothing)."""

    name: str
    value: str
    stated: str | None

    @property
    def correct(self) -> bool:
        """Whether the response states the gold value."""
        return self.stated == self.value


def attributes(item: Item) -> list[Attribute]:
    """Return the attributes of a caption item, sorted by name; none if its gold states no known fact."""
    gold = facts_from_text(_gold(item))
    stated = facts_from_text(answer_text(item.response))
    return [Attribute(key, _json(gold[key]), _json(stated[key]) if key in stated else None) for key in sorted(gold)]


def score_caption(found: list[Attribute]) -> Score:
    """Return the share of attributes stated right; `correct` if all are; no answer if none is stated at all.

    A gold caption that states no known fact is an error of the data: unscored.
    """
    if not found:
        return Score(correct=None, score=None, parsed="", rule=GOLD_ERROR, no_answer=False)
    share = sum(a.correct for a in found) / len(found)
    parsed = _json({a.name: json.loads(a.stated) for a in found if a.stated is not None})
    return Score(share == 1.0, share, parsed, RULE, no_answer=all(a.stated is None for a in found))


def chance_by_attribute(found: Iterable[Attribute]) -> dict[str, tuple[str, float]]:
    """Return for each attribute its most frequent gold value and the share of items that have it, among `found`."""
    values: dict[str, Counter[str]] = {}
    for attribute in found:
        values.setdefault(attribute.name, Counter())[attribute.value] += 1
    result: dict[str, tuple[str, float]] = {}
    for name, counter in sorted(values.items()):
        value, count = min(counter.items(), key=lambda item: (-item[1], item[0]))
        result[name] = value, count / counter.total()
    return result


def _gold(item: Item) -> str:
    return item.answer if isinstance(item.answer, str) else " ".join(item.answer)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
