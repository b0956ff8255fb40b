"""N-gram hits against a Python set."""

import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu.core.folding import folded
from lingshu.decontam.ngrams import ngram_hits, ngram_index

WORDS = st.lists(st.sampled_from(["a", "b", "c", "é", "中"]), max_size=12).map(" ".join)


def grams(text: str, size: int) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def oracle(train: list[str], items: list[str], size: int, coverage: float) -> dict[tuple[int, int], float]:
    """A Python set an item: the share of its n-grams that a training text holds."""
    found = {}
    for i, text in enumerate(train):
        for j, item in enumerate(items):
            if wanted := grams(item, size):
                share = len(grams(text, size) & wanted) / len(wanted)
                if share >= coverage:
                    found[i, j] = share
    return found


def kernel(train: list[str], items: list[str], size: int, coverage: float) -> dict[tuple[int, int], float]:
    theirs, ours = (folded(pl.Series("text", texts, dtype=pl.String)) for texts in (items, train))
    hits = ngram_hits(ours, ngram_index(theirs, size), coverage)
    triples = zip(hits.train.tolist(), hits.item.tolist(), hits.coverage.tolist(), strict=True)
    return {(i, j): share for i, j, share in triples}


@given(st.lists(WORDS, max_size=6), st.lists(WORDS, max_size=6), st.integers(1, 4), st.sampled_from([0.01, 0.5, 1.0]))
@settings(deadline=None)
def test_hits_equal_the_oracle_on_small_alphabets(train, items, size, coverage) -> None:
    # Han characters are words by themselves; so are they between the spaces of these texts.
    assert kernel(train, items, size, coverage) == pytest.approx(oracle(train, items, size, coverage))


def test_hits_equal_the_oracle_on_planted_leaks() -> None:
    rng = random.Random(3)
    vocabulary = [f"w{i}" for i in range(300)]
    items = [" ".join(rng.choices(vocabulary, k=rng.randint(8, 60))) for _ in range(80)]
    train = [" ".join(rng.choices(vocabulary, k=rng.randint(5, 90))) for _ in range(400)]
    for number in range(0, 400, 20):
        words = rng.choice(items).split()
        start = rng.randint(0, len(words) // 2)
        train[number] += " " + " ".join(words[start : start + rng.randint(10, 60)])
    found = kernel(train, items, 13, 0.2)
    assert len(found) >= 5
    assert found == pytest.approx(oracle(train, items, 13, 0.2))


def test_the_words_decide_where_hashes_are_equal() -> None:
    text = folded(pl.Series("text", ["e f g h"]))
    index = ngram_index(text, 4)
    assert len(ngram_hits(text, index, 0.5).train) == 1
    letters = folded(pl.Series("text", ["x f g h"])).letters
    other = index._replace(letters=letters)  # the same hash now stands for other words
    assert len(ngram_hits(text, other, 0.5).train) == 0


def test_more_hits_than_rows() -> None:
    items = ["a b c"] * 3000
    assert len(kernel(["a b c", "x a b c y"], items, 3, 1.0)) == 6000
