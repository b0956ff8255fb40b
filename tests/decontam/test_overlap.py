"""Text and picture overlap against plain Python."""

import random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu.core.words import ngram_hashes, word_hashes
from lingshu.decontam.pictures import near_hashes
from lingshu.decontam.texts import covered, exact_overlaps, ngram_overlaps

WORDS = st.lists(st.sampled_from("abc"), max_size=12).map(" ".join)


def runs(text: str, size: int) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def oracle(train: list[str], items: list[str], size: int, coverage: float) -> dict[tuple[int, int], float]:
    """A Python set an item: the share of its runs that a training text holds."""
    found = {}
    for i, text in enumerate(train):
        for j, item in enumerate(items):
            if wanted := runs(item, size):
                share = len(runs(text, size) & wanted) / len(wanted)
                if share >= coverage:
                    found[i, j] = share
    return found


def kernel(train: list[str], items: list[str], size: int, coverage: float) -> dict[tuple[int, int], float]:
    lists = [ngram_hashes(word_hashes(pl.Series("text", texts, dtype=pl.String)), size) for texts in (train, items)]
    pairs, shares = covered(*lists, coverage)
    return {(int(i), int(j)): share for (i, j), share in zip(pairs, shares, strict=True)}


@given(st.lists(WORDS, max_size=6), st.lists(WORDS, max_size=6), st.integers(1, 4), st.sampled_from([0.01, 0.5, 1.0]))
@settings(deadline=None)
def test_hits_equal_the_oracle_on_small_alphabets(train, items, size, coverage) -> None:
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


def texts(rows: list[str], **columns: str) -> pl.DataFrame:
    number = [f"{i}" for i in range(len(rows))]
    if columns:
        return pl.DataFrame({"item_id": number, "text": rows}).with_columns(
            **{k: pl.lit(v) for k, v in columns.items()}
        )
    return pl.DataFrame({"train_id": number, "source": ["s"] * len(rows), "text": rows})


def test_short_texts_overlap_only_when_equal() -> None:
    train = texts(["is gastritis an inflammation yes", "is gastritis an inflammation yes it is in every case known"])
    items = texts(["is gastritis an inflammation yes"], benchmark="b")
    assert exact_overlaps(train, items)["train_id"].to_list() == ["0"]
    assert len(ngram_overlaps(train, items, 13, 0.5)) == 0


def test_the_closest_item_of_a_benchmark_is_the_evidence() -> None:
    long = " ".join(f"x{i}" for i in range(40))
    items = pl.concat(
        [
            texts(["a " * 15 + long, long], benchmark="one"),
            texts([long[: len(long) // 2]], benchmark="two"),
        ]
    )
    found = ngram_overlaps(texts([long]), items, 13, 0.1)
    assert found.select("benchmark", "item_id", "coverage").rows() == [("one", "1", 1.0), ("two", "0", 1.0)]


@given(
    st.lists(st.integers(0, 255), unique=True, max_size=30),
    st.lists(st.integers(0, 255), unique=True, max_size=30),
    st.integers(0, 4),
)
def test_near_hashes_are_all_pairs_within_the_radius(left: list[int], right: list[int], radius: int) -> None:
    lefts, rights, distances = near_hashes(np.array(left, np.uint64), np.array(right, np.uint64), radius)
    found = set(zip(lefts.tolist(), rights.tolist(), distances.tolist(), strict=True))
    assert found == {(a, b, (a ^ b).bit_count()) for a in left for b in right if (a ^ b).bit_count() <= radius}


def test_chunks_of_hashes_give_what_one_piece_gives(monkeypatch) -> None:
    rng = np.random.default_rng(0)
    left, right = (rng.integers(0, 2**10, n).astype(np.uint64) for n in (200, 50))
    whole = near_hashes(left, right, 2)
    monkeypatch.setattr("lingshu.decontam.pictures.CELLS_A_CHUNK", 500)
    for one, other in zip(whole, near_hashes(left, right, 2), strict=True):
        assert (one == other).all()
