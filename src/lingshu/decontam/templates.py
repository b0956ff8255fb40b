"""Texts that items of a benchmark share: questions of one form, and what every row says. They are no item's own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from lingshu.decontam.records import Record

OFTEN = 20  # items that share a text: more than a case or an article has questions
OFTEN_SHARE = 0.01  # of a benchmark's items, where that is more
CHOICES_ASKED = 3  # sets of options or passages that a short question goes with ("Which statement is true?")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


class Templates:
    """Which texts of items are not looked for by themselves.

    They are texts that more than `OFTEN` different items of a benchmark have (`OFTEN_SHARE` of a large one's): a
    licence, a task's description; questions of fewer than `words` words with `CHOICES_ASKED` sets of options or
    passages; and questions about pictures that are asked of two.

    Args:
        items: records of benchmarks.
        benchmarks: that each is of.
        words: from how many on a question is a long one.
    """

    def __init__(self, items: Sequence[Record], benchmarks: Sequence[str], words: int) -> None:
        self._shared = _held_often(items, benchmarks) | _asked_of_choices(items, benchmarks, words)
        self._of_pictures = _asked_of_pictures(items)

    def has(self, item: Record, benchmark: str, text: str) -> bool:
        """Tell whether the question or a passage of an item is shared."""
        same = _key(text)
        return (benchmark, same) in self._shared or (bool(item.pictures) and same in self._of_pictures)


def word_count(text: str) -> int:
    """Return about how many words a text has; Chinese, which has no spaces, has one for two characters."""
    return len(_HAN.sub(" ", text).split()) + len(_HAN.findall(text)) // 2


def _key(text: str) -> str:
    return " ".join(text.lower().split())


def _held_often(items: Sequence[Record], benchmarks: Sequence[str]) -> set[tuple[str, str]]:
    held: Counter[tuple[str, str]] = Counter()
    different: Counter[str] = Counter()
    seen: set[tuple[str, str, str]] = set()
    for item, benchmark in zip(items, benchmarks, strict=True):
        identity = benchmark, item.whole, item.pictures[0][1].name if item.pictures else ""
        if identity in seen:
            continue
        seen.add(identity)
        different[benchmark] += 1
        asked = (question for question, _ in item.exchanges)
        held.update({(benchmark, _key(text)) for text in (item.question, *asked, *item.texts) if text})
    return {pair for pair, count in held.items() if count > max(OFTEN, OFTEN_SHARE * different[pair[0]])}


def _asked_of_choices(items: Sequence[Record], benchmarks: Sequence[str], words: int) -> set[tuple[str, str]]:
    goes_with: dict[tuple[str, str], set[frozenset[str]]] = {}
    for item, benchmark in zip(items, benchmarks, strict=True):
        if item.question and not item.pictures and word_count(item.question) < words:
            given = frozenset((*item.choices, *item.texts))
            goes_with.setdefault((benchmark, _key(item.question)), set()).add(given)
    return {pair for pair, given in goes_with.items() if len(given - {frozenset()}) >= CHOICES_ASKED}


def _asked_of_pictures(items: Sequence[Record]) -> set[str]:
    asked = Counter(
        question for question, _ in {(_key(item.question), item.pictures[0][1].name) for item in items if item.pictures}
    )
    return {question for question, count in asked.items() if count > 1}
