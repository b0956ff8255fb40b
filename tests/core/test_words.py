"""Normal form, word hashes and n-gram hashes against plain Python."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu.core.text import digests, normalised
from lingshu.core.words import ngram_hashes, word_hashes

TEXTS = st.lists(st.text(alphabet="ab é左 .,x", max_size=40), max_size=8)


def normal(texts: list[str]) -> pl.Series:
    return pl.Series("text", texts, dtype=pl.String).to_frame().select(normalised(pl.col("text")))["text"]


def ngrams(text: str, size: int) -> list[tuple[str, ...]]:
    words = text.split()
    return [tuple(words[i : i + size]) for i in range(len(words) - size + 1)]


@settings(deadline=None)
@given(TEXTS, st.integers(1, 4))
def test_equal_ngrams_have_equal_hashes_and_only_they(texts: list[str], size: int) -> None:
    plain = normal(texts)
    hashed = ngram_hashes(word_hashes(plain), size)
    assert len(hashed) == len(texts)
    known: dict[tuple[str, ...], int] = {}
    for row, text in enumerate(plain):
        expected = ngrams(text, size)
        values = hashed.row(row).tolist()
        assert len(values) == len(expected)
        for ngram, value in zip(expected, values, strict=True):
            assert known.setdefault(ngram, value) == value
    assert len(set(known.values())) == len(known)


def test_slices_of_a_column_hash_like_the_column() -> None:
    texts = pl.Series(["a b", "c", "", "d e f"])
    whole, part = word_hashes(texts), word_hashes(texts.slice(1, 3))
    assert [part.row(i).tolist() for i in range(3)] == [whole.row(i).tolist() for i in range(1, 4)]


def test_normal_form_drops_case_spaces_and_punctuation_but_keeps_what_changes_meaning() -> None:
    texts = ["  Is the  HEART enlarged?", "is the heart enlarged", "pH < 7.35", "pH > 7.35", "左肺，结节", "5 % mg/ml"]
    assert normal(texts).to_list() == [
        "is the heart enlarged",
        "is the heart enlarged",
        "ph < 7 35",
        "ph > 7 35",
        "左 肺 结 节",
        "5 % mg/ml",
    ]


@settings(deadline=None)
@given(TEXTS)
def test_normal_form_is_stable(texts: list[str]) -> None:
    once = normal(texts)
    assert normal(once.to_list()).to_list() == once.to_list()


def test_digests_are_pinned() -> None:
    assert digests(pl.Series("text", ["", "heart"])).to_list() == [
        "cae66941d9efbd404e4d88758ea67670",
        "72257c99a60a5d92476c4a42b84f9674",
    ]
