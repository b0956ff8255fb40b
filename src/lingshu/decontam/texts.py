"""Text overlap: equal question and answer, and shared runs of words (13-grams) by coverage of the benchmark's text.

Texts are in normal form (`core.text.normalised`). Only texts without pictures are compared: a templated question about
a picture is not the benchmark's item, its picture is. Importing this module imports numba.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lingshu.core.words import HashLists, ngram_hashes, word_hashes
from lingshu.decontam.overlap import overlaps


def exact_overlaps(train: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Return the training samples whose question and answer are a benchmark item's.

    Args:
        train: columns train_id, source, text.
        items: columns benchmark, item_id, text.
    """
    pairs = train.join(items, on="text").with_columns(coverage=1.0)
    return overlaps(pairs.select("train_id", "source", "benchmark", "item_id", "coverage"), "text", "exact")


def ngram_overlaps(train: pl.DataFrame, items: pl.DataFrame, words: int, coverage: float) -> pl.DataFrame:
    """Return the training samples that hold at least `coverage` of the distinct runs of `words` words of an item.

    Args:
        train: columns train_id, source, text.
        items: columns benchmark, item_id, text.
        words: length of a run; items with fewer words have none.
        coverage: least share, in (0, 1].
    """
    rows, shares = covered(_ngrams(train["text"], words), _ngrams(items["text"], words), coverage)
    hits = pl.DataFrame(
        {
            "train_id": train["train_id"].gather(rows[:, 0]),
            "source": train["source"].gather(rows[:, 0]),
            "benchmark": items["benchmark"].gather(rows[:, 1]),
            "item_id": items["item_id"].gather(rows[:, 1]),
            "coverage": shares,
        }
    )
    return overlaps(hits, "text", "ngram")


def _ngrams(texts: pl.Series, words: int) -> HashLists:
    return ngram_hashes(word_hashes(texts), words)


def covered(train: HashLists, items: HashLists, coverage: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the pairs of rows (train, item), shape (pairs, 2), whose coverage is reached, and their coverages.

    Only runs that some item has are looked at again, so memory is set by the items.
    """
    table = pl.DataFrame({"item": _row_numbers(items), "ngram": items.values}).unique()
    sizes = table.group_by("item").agg(pl.len().alias("size"))
    known = table["ngram"].unique().sort().to_numpy()
    place = np.searchsorted(known, train.values)
    seen = np.zeros(len(train.values), dtype=np.bool_)
    inside = place < len(known)
    seen[inside] = known[place[inside]] == train.values[inside]
    hits = pl.DataFrame({"train": _row_numbers(train)[seen], "ngram": train.values[seen]}).unique()
    shared = hits.join(table, on="ngram").group_by("train", "item").agg(pl.len().alias("shared"))
    pairs = shared.join(sizes, on="item").with_columns(share=pl.col("shared") / pl.col("size"))
    reached = pairs.filter(pl.col("share") >= coverage).sort("train", "item")
    return reached.select(pl.col("train", "item").cast(pl.Int64)).to_numpy(), reached["share"].to_numpy()


def _row_numbers(lists: HashLists) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(lists), dtype=np.int64), np.diff(lists.offsets))
