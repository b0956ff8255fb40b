"""Texts that items of a benchmark share: questions of one form, and what every row says. They are no item's own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from lingshu.decontam.frames import Frames, is_often, key
from lingshu.decontam.records import Record

CHOICES_ASKED = 3  # sets of options or passages that a short question goes with ("Which statement is true?")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


class Templates:
    """Which texts of items are not looked for by themselves.

    They are texts that more than `frames.OFTEN` different items of a benchmark have (`OFTEN_SHARE` of a large one's): a
    licence, a task's description; questions of fewer than `words` words with `CHOICES_ASKED` sets of options or
    passages; and questions about pictures that are asked of two. What stands around all questions is left out before.

    Args:
        items: records of benchmarks.
        benchmarks: that each is of.
        words: from how many on a question is a long one.

    Attributes:
        frames: what stands around the items' own texts.
        own: the items without it.
    """

    def __init__(self, items: Sequence[Record], benchmarks: Sequence[str], words: int) -> None:
        different = _different(items, benchmarks)
        self.frames = Frames([item for item, _ in different], [benchmark for _, benchmark in different])
        self.own = [self.frames.own_of(item, benchmark) for item, benchmark in zip(items, benchmarks, strict=True)]
        counted = [(self.frames.own_of(item, benchmark), benchmark) for item, benchmark in different]
        self._shared = _held_often(counted) | _asked_of_choices(self.own, benchmarks, words)
        self._of_pictures = _asked_of_pictures(self.own)

    def has(self, item: Record, benchmark: str, text: str) -> bool:
        """Tell whether the question or a passage of an item is shared."""
        same = key(self.frames.own(text, benchmark))
        return (benchmark, same) in self._shared or (bool(item.pictures) and same in self._of_pictures)


def word_count(text: str) -> int:
    """Return about how many words a text has; Chinese, which has no spaces, has one for two characters."""
    return len(_HAN.sub(" ", text).split()) + len(_HAN.findall(text)) // 2


def _different(items: Sequence[Record], benchmarks: Sequence[str]) -> list[tuple[Record, str]]:
    """Return one of those items of a benchmark that say the same of the same picture, and the benchmark."""
    first: dict[tuple[str, str, str], tuple[Record, str]] = {}
    for item, benchmark in zip(items, benchmarks, strict=True):
        picture = item.pictures[0][1].name if item.pictures else ""
        first.setdefault((benchmark, item.whole, picture), (item, benchmark))
    return list(first.values())


def _held_often(different: Sequence[tuple[Record, str]]) -> set[tuple[str, str]]:
    held: Counter[tuple[str, str]] = Counter()
    for item, benchmark in different:
        asked = (question for question, _ in item.exchanges)
        held.update({(benchmark, key(text)) for text in (item.question, *asked, *item.texts) if text})
    sizes = Counter(benchmark for _, benchmark in different)
    return {pair for pair, count in held.items() if is_often(count, sizes[pair[0]])}


def _asked_of_choices(items: Sequence[Record], benchmarks: Sequence[str], words: int) -> set[tuple[str, str]]:
    goes_with: dict[tuple[str, str], set[frozenset[str]]] = {}
    for item, benchmark in zip(items, benchmarks, strict=True):
        if item.question and not item.pictures and word_count(item.question) < words:
            given = frozenset((*item.choices, *item.texts))
            goes_with.setdefault((benchmark, key(item.question)), set()).add(given)
    return {pair for pair, given in goes_with.items() if len(given - {frozenset()}) >= CHOICES_ASKED}


def _asked_of_pictures(items: Sequence[Record]) -> set[str]:
    asked = Counter(
        question for question, _ in {(key(item.question), item.pictures[0][1].name) for item in items if item.pictures}
    )
    return {question for question, count in asked.items() if count > 1}
