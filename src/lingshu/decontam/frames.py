"""Sentences around the questions of many items: instructions, a prompt's form. What is left is an item's own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from lingshu.decontam.records import Record

OFTEN = 20  # items that share a text: more than a case or an article has questions
OFTEN_SHARE = 0.01  # of a benchmark's items, where that is more
EVERY = 5  # items from which on a sentence before the question of every one is no case that few ask about
FIRST, LAST = 12, 4  # sentences of a text that may stand around what is its own
_ENDS = re.compile(r"(?<=[.!?:])\s+|(?<=[。！？：])|\n+")
_ASKING = ("?", "？")


class Frames:
    """The sentences with which questions and passages of more than `OFTEN` items of a benchmark begin or end.

    Args:
        items: records of benchmarks, each once.
        benchmarks: that each is of.
    """

    def __init__(self, items: Sequence[Record], benchmarks: Sequence[str]) -> None:
        held: Counter[tuple[str, str]] = Counter()
        for item, benchmark in zip(items, benchmarks, strict=True):
            said = (item.question, *(question for question, _ in item.exchanges), *item.texts)
            held.update({(benchmark, part) for text in said for part in _around(text)})
        sizes = Counter(benchmarks)
        found = [pair for pair, count in held.items() if is_often(count, sizes[pair[0]]) or _every(count, sizes, pair)]
        self._of: dict[str, set[str]] = {}
        for benchmark, part in found:
            self._of.setdefault(benchmark, set()).add(part)
        self._any: set[str] = set().union(*self._of.values())

    def own(self, text: str, benchmark: str) -> str:
        """Return a benchmark's text without the sentences around it; all of it where there is nothing else."""
        return _within(text, self._of.get(benchmark, set()))

    def own_of(self, item: Record, benchmark: str) -> Record:
        """Return an item with its own texts; the same object where nothing is left out."""
        shared = self._of.get(benchmark, set())
        return _reduced(item, lambda text: _within(text, shared)) if shared else item

    def asked_by(self, row: Record) -> Record:
        """Return a training row with what it asks within any benchmark's frame; the same object where there is none."""
        shared = self._any
        return _reduced(replace(row, texts=()), lambda text: _within(text, shared), row) if shared else row


def is_often(count: int, different: int) -> bool:
    """Tell whether more of a benchmark's items have a text than one case or article has questions."""
    return count > max(OFTEN, OFTEN_SHARE * different)


def key(text: str) -> str:
    """Return a text without its letters' case and what space it has."""
    return " ".join(text.lower().split())


def _every(count: int, sizes: Counter[str], pair: tuple[str, str]) -> bool:
    return count == sizes[pair[0]] >= EVERY


def _parts(text: str) -> list[str]:
    return [part for part in _ENDS.split(text) if part and not part.isspace()]


def _around(text: str) -> list[str]:
    parts = _parts(text)
    return [key(part) for part in (*parts[:FIRST], *parts[FIRST:][-LAST:])]


def _within(text: str, shared: set[str]) -> str:
    """Return a text without what is shared at its begin, and at its end but for what asks something."""
    parts = _parts(text)
    first, end = 0, len(parts)
    while first < end and key(parts[first]) in shared:
        first += 1
    if first == end:
        return text
    while not parts[end - 1].rstrip().endswith(_ASKING) and key(parts[end - 1]) in shared:
        end -= 1
    return "\n".join(parts[first:end]) if end - first < len(parts) else text


def _reduced(record: Record, own: Callable[[str], str], whole: Record | None = None) -> Record:
    """Return a record with its own texts; `whole` (itself by default) where its questions and texts stay the same."""
    question, texts = own(record.question), tuple(map(own, record.texts))
    exchanges = tuple((own(asked), answer) for asked, answer in record.exchanges)
    if (question, texts, exchanges) == (record.question, record.texts, record.exchanges):
        return whole or record
    return replace(record, question=question, texts=texts, exchanges=exchanges)
