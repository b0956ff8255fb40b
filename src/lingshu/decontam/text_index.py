"""The benchmarks' texts as an index, and which training texts are equal to one, hold one, or ask and answer the same.

A text equals an item's if all that one says, or its question, or one of its passages is the same in normal form; it
holds an item if it has most of its n-grams. A short question alone ("What is shown?") is no item's own: it counts only
together with its answer. Importing this module imports numba.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lingshu.core.folding import Texts, as_texts, folded
from lingshu.decontam.ngrams import ngram_hits, ngram_index
from lingshu.decontam.records import Record
from lingshu.decontam.templates import Templates, word_count

T = TypeVar("T")
Shared = Callable[[str], bool]
LISTED = 100  # equal items: 20,000 rows that all 20,000 of a benchmark equal would be 400 million pairs
SCHEMA = {"item": pl.Int64, "benchmark": pl.String}
JOINT = "\x1f"  # between question and answer; normal form has no control characters


@dataclass(frozen=True, slots=True)
class TextRule:
    """When two texts overlap.

    Attributes:
        ngram: words in an n-gram.
        coverage: least share of an item's distinct n-grams, in (0, 1].
        short_words: an item of fewer than `ngram` words, but at least so many, is held if all of it is; one with fewer
            is compared only as a whole.
        question_words: a question of so many words is compared without its answer; one about a picture, of
            `short_words`.
        listed: items of one benchmark that are looked for by a text that they share; of more, the first.
    """

    ngram: int = 13
    coverage: float = 0.5
    short_words: int = 8
    question_words: int = 5
    listed: int = LISTED


@dataclass(frozen=True, slots=True)
class TextHit:
    """A training record and an item that overlap, by their places; `distance` is 1 - coverage, or 0."""

    train: int
    item: int
    method: str
    distance: float


@dataclass(frozen=True, slots=True)
class _Views:
    """Texts of records in normal form, and the place of the record that each is of."""

    texts: Texts
    owner: NDArray[np.int64]

    def frame(self, name: str) -> pl.DataFrame:
        """Return columns `name` and text, without empty texts and repeats."""
        columns = {name: self.owner, "text": self.texts.series()}
        frame = pl.DataFrame(columns, schema={name: pl.Int64, "text": pl.String})
        return frame.filter(pl.col("text") != "").unique(maintain_order=True)


class TextIndex:
    """Texts to look for.

    Args:
        items: records of the benchmarks; of one with pictures whose question is a template nothing is looked for: its
            picture is what makes it an item.
        rule: when two overlap.
        benchmarks: that each item is of; without, all are of one.

    Attributes:
        templates: items whose question is not looked for by itself (see `Templates`).
        unlisted: items that are not looked for by a text, which the first `rule.listed` of their benchmark have too.
    """

    def __init__(self, items: Sequence[Record], rule: TextRule, benchmarks: Sequence[str] = ()) -> None:
        self._rule = rule
        self._benchmarks = pl.DataFrame(
            {"item": range(len(items)), "benchmark": benchmarks or [""] * len(items)}, SCHEMA
        )
        self._left_out: set[int] = set()
        shared = Templates(items, self._benchmarks["benchmark"].to_list(), rule.ngram)
        self._frames = shared.frames
        marked = [
            (item, partial(shared.has, item, of))
            for item, of in zip(shared.own, self._benchmarks["benchmark"], strict=True)
        ]
        self.templates = sum(bool(item.question) and has(item.question) for item, has in marked)
        own = [(n, item, has) for n, (item, has) in enumerate(marked) if not item.pictures or _own(item, rule, has)]
        said = [(n, item, has) for n, one, has in own for item in _once(one, items[n])]
        self._equal = self._first(_views((n, text) for n, item, has in said for text in _equal_texts(item, rule, has)))
        self._pairs = self._first(_pair_views((n, pair) for n, item, _ in said for pair in _asked(item)))
        held = self._first(_views((n, text) for n, item, has in own for text in _held_texts(item, rule, has)))
        held = held.group_by("text", maintain_order=True).agg("item")
        words = pl.col("text").str.count_matches(" ") + 1
        long = held.filter(words >= rule.ngram)
        short = held.filter((words >= rule.short_words) & (words < rule.ngram))
        self._long_owners, self._short_owners = long["item"].to_list(), short["item"].to_list()
        self._long = ngram_index(as_texts(long["text"]), rule.ngram)
        self._short_texts = short["text"].to_list()
        heads = [" ".join(text.split(" ")[: rule.short_words]) for text in self._short_texts]
        self._short = ngram_index(folded(pl.Series("text", heads, dtype=pl.String)), rule.short_words)
        self.unlisted = len(self._left_out)

    def _first(self, views: _Views) -> pl.DataFrame:
        """Return columns item and text: of those of one benchmark that share a text, the first `rule.listed`."""
        frame = views.frame("item").join(self._benchmarks, on="item", maintain_order="left")
        first = pl.int_range(pl.len()).over("text", "benchmark") < self._rule.listed
        self._left_out.update(frame.filter(~first)["item"].to_list())
        return frame.filter(first).select("item", "text")

    def hits(self, train: Sequence[Record]) -> list[TextHit]:
        """Return the overlaps of a batch, sorted: for each pair the surest of equal and held, and equal answers."""
        rows = [(n, row) for n, one in enumerate(train) for row in _once(one, self._frames.asked_by(one))]
        equal = _views((n, text) for n, row in rows for text in _equal_texts(row, self._rule))
        asked = _pair_views((n, pair) for n, row in rows for pair in _asked(row))
        same = equal.frame("train").join(self._equal, on="text")
        found = {(t, i, "exact_text"): 0.0 for t, i in same.select("train", "item").iter_rows()}
        answered = asked.frame("train").join(self._pairs, on="text")
        found |= {(t, i, "question_answer"): 0.0 for t, i in answered.select("train", "item").iter_rows()}
        said = (f"{one.setting}\n{one.whole}" if one.setting else one.whole for one in train)
        whole = folded(pl.Series("text", said, dtype=pl.String))
        method = f"ngram{self._rule.ngram}"
        for place, item, distance in (*self._covered(whole), *self._contained(whole)):
            if (place, item, "exact_text") not in found:
                key = (place, item, method)
                found[key] = min(distance, found.get(key, 1.0))
        return [TextHit(t, i, how, distance) for (t, i, how), distance in sorted(found.items())]

    def _covered(self, whole: Texts) -> Iterator[tuple[int, int, float]]:
        hits = ngram_hits(whole, self._long, self._rule.coverage)
        for place, view, share in zip(hits.train.tolist(), hits.item.tolist(), hits.coverage.tolist(), strict=True):
            for item in self._long_owners[view]:
                yield place, item, 1.0 - share

    def _contained(self, whole: Texts) -> Iterator[tuple[int, int, float]]:
        hits = ngram_hits(whole, self._short, 1.0)
        for place, view in zip(hits.train.tolist(), hits.item.tolist(), strict=True):
            if f" {self._short_texts[view]} " in f" {whole.text(place)} ":
                for item in self._short_owners[view]:
                    yield place, item, 0.0


def _views(texts: Iterator[tuple[int, str]]) -> _Views:
    owners, values = _columns(texts)
    return _Views(folded(pl.Series("text", values, dtype=pl.String)), np.array(owners, dtype=np.int64))


def _pair_views(pairs: Iterator[tuple[int, tuple[str, str]]]) -> _Views:
    """Return question and answer as one text, apart by `JOINT`; "" where one of them says nothing in normal form."""
    owners, values = _columns(pairs)
    question, answer = (
        folded(pl.Series(name, [pair[place] for pair in values], dtype=pl.String)).series(name)
        for place, name in enumerate(("question", "answer"))
    )
    both = pl.when((pl.col("question") != "") & (pl.col("answer") != ""))
    joint = both.then(pl.concat_str("question", "answer", separator=JOINT)).otherwise(pl.lit(""))
    texts = pl.DataFrame([question, answer]).select(joint.alias("text"))["text"]
    return _Views(as_texts(texts), np.array(owners, dtype=np.int64))


def _columns(rows: Iterator[tuple[int, T]]) -> tuple[list[int], list[T]]:
    both = list(rows)
    return [owner for owner, _ in both], [value for _, value in both]


def _once(record: Record, other: Record) -> tuple[Record, ...]:
    return (record,) if record is other else (record, other)


def _nothing(text: str) -> bool:  # noqa: ARG001 - a training row's texts are all its own
    return False


def _equal_texts(record: Record, rule: TextRule, shared: Shared = _nothing) -> Iterator[str]:
    """Yield what another text may equal: all, the question if it is no short one, and each passage."""
    lone = not record.pictures
    least = rule.question_words if lone else rule.short_words
    whole = record.whole
    if lone or word_count(whole) >= rule.short_words:
        yield whole
    for question in (record.question, *(question for question, _ in record.exchanges)):
        if word_count(question) >= least and not shared(question):
            yield question
    for text in record.texts:
        if (word_count(text) >= rule.short_words or (lone and not record.question)) and not shared(text):
            yield text


def _held_texts(record: Record, rule: TextRule, shared: Shared) -> Iterator[str]:
    """Yield what another text may hold: the question, or with its options and answer where it is short; passages."""
    if record.question and not shared(record.question):
        yield record.question
    if record.question and word_count(record.question) < rule.ngram:
        yield "\n".join((record.question, *record.choices, *record.answers))
    yield from (text for text in record.texts if not shared(text))


def _asked(record: Record) -> Iterator[tuple[str, str]]:
    if record.question:
        for answer in record.answers:
            yield record.question, answer
    yield from record.exchanges


def _own(item: Record, rule: TextRule, shared: Shared) -> bool:
    """Tell whether an item with pictures has a text of its own."""
    texts = (item.question,) if item.question else item.texts
    return any(word_count(text) >= rule.short_words and not shared(text) for text in texts)
