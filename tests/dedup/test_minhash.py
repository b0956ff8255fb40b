"""MinHash against exact Jaccard over all pairs."""

import random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu.core.errors import UserError
from lingshu.core.params import validate
from lingshu.core.words import HashLists, ngram_hashes, word_hashes
from lingshu.dedup.minhash import band_keys, distinct, text_copies
from lingshu.dedup.params import TextParams

PARAMS = TextParams(shingle_words=3, permutations=128, bands=32, threshold=0.8, seed=1)


def shingles(text: str, size: int = 3) -> frozenset[tuple[str, ...]]:
    words = text.split()
    return frozenset(tuple(words[i : i + size]) for i in range(len(words) - size + 1))


def jaccard(left: str, right: str) -> float:
    a, b = shingles(left), shingles(right)
    return len(a & b) / len(a | b) if a or b else 0.0


def corpus(seed: int, documents: int = 300) -> list[str]:
    """Random texts, a third of them edited copies of an earlier one (one word in about 20 replaced)."""
    rng = random.Random(seed)
    vocabulary = [f"w{i}" for i in range(400)]
    texts: list[str] = []
    for _ in range(documents):
        if texts and rng.random() < 0.35:
            words = rng.choice(texts).split()
            words = [rng.choice(vocabulary) if rng.random() < 0.04 else word for word in words]
        else:
            words = rng.choices(vocabulary, k=rng.randint(1, 60))
        texts.append(" ".join(words))
    return texts


def frame(texts: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"sample_id": [f"{i:05d}" for i in range(len(texts))], "text": texts})


def greedy(texts: list[str], threshold: float) -> set[int]:
    """Every pair compared exactly: drop a text that is near an earlier text which was kept."""
    sets = [shingles(text) for text in texts]
    kept: list[int] = []
    dropped: set[int] = set()
    for number, mine in enumerate(sets):
        near = mine and any(len(mine & sets[k]) >= threshold * len(mine | sets[k]) for k in kept)
        if near:
            dropped.add(number)
        else:
            kept.append(number)
    return dropped


def test_recall_against_exact_jaccard_and_no_false_drop() -> None:
    found = expected = agreed = 0
    for seed in range(4):
        texts = corpus(seed)
        oracle = greedy(texts, PARAMS.threshold)
        copies = text_copies(frame(texts), PARAMS)
        mine = {int(i) for i in copies["sample_id"]}
        found, expected, agreed = found + len(mine), expected + len(oracle), agreed + len(mine & oracle)
        for row in copies.iter_rows(named=True):
            left, right = texts[int(row["sample_id"])], texts[int(row["kept"])]
            assert row["similarity"] == pytest.approx(jaccard(left, right))
            assert row["similarity"] >= PARAMS.threshold
            assert int(row["kept"]) not in mine
    assert expected > 100
    assert agreed / expected >= 0.99
    assert agreed / found >= 0.99


@given(st.lists(st.sampled_from(["a b c d", "a b c d e f g h", "x y z", "a", "", "a b"]), max_size=12))
@settings(deadline=None, max_examples=40)
def test_equal_texts_keep_the_first_and_short_texts_are_left_alone(texts: list[str]) -> None:
    copies = text_copies(frame(texts), PARAMS)
    expected = [i for i, text in enumerate(texts) if shingles(text) and text in texts[:i]]
    assert [int(i) for i in copies["sample_id"]] == expected
    assert [int(i) for i in copies["kept"]] == [texts.index(texts[i]) for i in expected]


def test_equal_bands_happen_as_often_as_theory_says() -> None:
    rng = np.random.default_rng(0)
    equal = []
    for _ in range(200):
        shared, left, right = (rng.integers(0, 2**63, n).astype(np.uint64) for n in (60, 20, 20))
        values = np.concatenate([np.sort(np.concatenate([shared, own])) for own in (left, right)])
        keys = band_keys(
            HashLists(values, np.array([0, 80, 160])), PARAMS.model_copy(update={"permutations": 64, "bands": 64})
        )
        equal.append((keys[:, 0] == keys[:, 1]).mean())
    assert np.mean(equal) == pytest.approx(0.6, abs=0.02)


def test_a_seed_gives_the_same_keys_and_another_gives_others() -> None:
    lists = distinct(ngram_hashes(word_hashes(pl.Series(["a b c d e"])), 3))
    first, again = band_keys(lists, PARAMS), band_keys(lists, PARAMS)
    other = band_keys(lists, PARAMS.model_copy(update={"seed": 2}))
    assert (first == again).all()
    assert not (first == other).any()


def test_distinct_sorts_and_drops_repeats() -> None:
    lists = HashLists(np.array([5, 3, 5, 1, 1], dtype=np.uint64), np.array([0, 3, 3, 5]))
    packed = distinct(lists)
    assert [packed.row(i).tolist() for i in range(3)] == [[3, 5], [], [1]]
    assert lists.values.tolist() == [5, 3, 5, 1, 1]


def test_bands_must_divide_permutations() -> None:
    with pytest.raises(UserError, match=r"bands 7 does not divide permutations 128"):
        validate(TextParams, {**PARAMS.model_dump(), "bands": 7}, "p: dedup.text")
