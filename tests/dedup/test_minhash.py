"""Band keys of MinHash signatures."""

import numpy as np
import polars as pl
import pytest

from lingshu.core.errors import UserError
from lingshu.core.params import validate
from lingshu.core.words import HashLists, ngram_hashes, word_hashes
from lingshu.dedup.minhash import band_keys, distinct
from lingshu.dedup.params import TextParams

PARAMS = TextParams(shingle_words=3, permutations=128, bands=32, threshold=0.8, within_groups=True, seed=1)


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


def test_order_and_repeats_of_shingles_do_not_matter() -> None:
    plain = HashLists(np.array([3, 5, 9], dtype=np.uint64), np.array([0, 3]))
    repeated = HashLists(np.array([9, 3, 9, 5, 3], dtype=np.uint64), np.array([0, 5]))
    assert (band_keys(plain, PARAMS) == band_keys(repeated, PARAMS)).all()
