"""Verdicts on open answers. A judge may abstain (None): the item is then unscored, never silently wrong.

`RulesJudge` is deterministic and no language model: it compares normalised texts, and the facts both texts state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from lingshu.evalkit.items import Item
from lingshu.evalkit.parsing.closed import normalise, same, stated_answer
from lingshu.evalkit.parsing.extraction import answer_text
from lingshu.facts.reading import facts_from_text


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict on one response.

    Attributes:
        verdict: None if the judge can't tell.
        judge: which one; "" if none was asked, since there is no answer.
        text: the judge's words, or why there is no verdict.
        reason: the kind of failure that left no verdict (`failed`, `unreadable`, …), of language models only.
        score: of a rubric, not clipped; None if it has none, and for open answers, which have a verdict instead.
    """

    verdict: bool | None
    judge: str
    text: str
    reason: str = ""
    score: float | None = None


class Judge(Protocol):
    """Anything that gives verdicts on open answers."""

    def judge(self, items: Iterable[Item]) -> Iterator[Judgement]:
        """Yield one judgement an item, in their order."""
        ...


class RulesJudge:
    """Right if the texts agree after normalising, or if every fact the gold states is stated with the same value."""

    name = "rules"

    def judge(self, items: Iterable[Item]) -> Iterator[Judgement]:
        """Yield one judgement an item, in their order."""
        for item in items:
            verdict, reason = _verdict(item)
            yield Judgement(verdict, self.name, reason)


def _verdict(item: Item) -> tuple[bool | None, str]:
    text = answer_text(item.response)
    if not text:
        return False, "no answer"
    golds = (item.answer,) if isinstance(item.answer, str) else item.answer
    phrase = stated_answer(text, item.question)
    if any(same(normalise(given), normalise(gold)) for gold in golds for given in (phrase, text)):
        return True, "equal after normalising"
    stated = facts_from_text(text)
    for gold in golds:
        wanted = facts_from_text(gold)
        if wanted and all(stated.get(key) == value for key, value in wanted.items()):
            return True, f"states {', '.join(sorted(wanted))} as the gold answer does"
        if wrong := sorted(key for key in wanted if key in stated and stated[key] != wanted[key]):
            return False, f"contradicts the gold answer on {', '.join(wrong)}"
    return None, "neither equal nor comparable by facts"
