"""Text overlap: equal question and answer, and shared runs of words (13-grams) by coverage of the benchmark's text.

Only texts without pictures are compared: a templated question about a picture is not the benchmark's item, its picture
is. Importing this module imports numba.
"""

from __future__ import annotations

import polars as pl

from lingshu.core.folding import folded
from lingshu.decontam.ngrams import ngram_hits, ngram_index
from lingshu.decontam.overlap import overlaps


class ItemTexts:
    """The texts of benchmark items, ready to be looked for in any number of training texts.

    Args:
        items: columns benchmark, item_id, text (raw).
        words: length of a run; items with fewer words have none.
    """

    def __init__(self, items: pl.DataFrame, words: int) -> None:
        texts = folded(items["text"])
        self._items = items.select("benchmark", "item_id", text=texts.series())
        self._index = ngram_index(texts, words)

    def overlaps(self, train: pl.DataFrame, coverage: float) -> pl.DataFrame:
        """Return the training samples whose text is an item's, or holds at least `coverage` of its distinct runs.

        Args:
            train: columns train_id, source, text (raw).
            coverage: least share, in (0, 1].
        """
        texts = folded(train["text"])
        own = train.select("train_id", "source", text=texts.series())
        equal = own.join(self._items, on="text").with_columns(coverage=1.0)
        hits = ngram_hits(texts, self._index, coverage)
        held = pl.DataFrame(
            {
                "train_id": train["train_id"].gather(hits.train),
                "source": train["source"].gather(hits.train),
                "benchmark": self._items["benchmark"].gather(hits.item),
                "item_id": self._items["item_id"].gather(hits.item),
                "coverage": hits.coverage,
            }
        )
        columns = ("train_id", "source", "benchmark", "item_id", "coverage")
        return pl.concat([overlaps(equal.select(columns), "text", "exact"), overlaps(held, "text", "ngram")])
