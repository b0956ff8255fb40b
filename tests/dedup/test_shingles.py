"""One pass over the bytes finds the runs that normal form, words and runs find one after another."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu.core.text import normalised
from lingshu.core.words import HashLists, ngram_hashes, word_hashes
from lingshu.dedup.shingles import shingle_hashes

TEXTS = st.lists(st.text(alphabet="abZ éß左ﬁ .,x%-+\t\0(", max_size=40) | st.text(max_size=20), max_size=8)


def step_by_step(texts: pl.Series, size: int) -> HashLists:
    plain = texts.to_frame("text").select(normalised(pl.col("text")))["text"]
    return ngram_hashes(word_hashes(plain), size)


@settings(deadline=None, max_examples=200)
@given(TEXTS, st.integers(1, 4))
def test_runs_are_those_of_the_normal_form(texts: list[str], size: int) -> None:
    column = pl.Series(texts, dtype=pl.String)
    mine, expected = shingle_hashes(column, size), step_by_step(column, size)
    assert mine.offsets.tolist() == expected.offsets.tolist()
    assert len(set(zip(mine.values.tolist(), expected.values.tolist(), strict=True))) == len(set(mine.values.tolist()))
    assert len(set(mine.values.tolist())) == len(set(expected.values.tolist()))


def test_slices_of_a_column_are_read_in_place() -> None:
    texts = pl.Series(["a b c", "d é f", "", "g h i j"])
    whole, part = shingle_hashes(texts, 2), shingle_hashes(texts.slice(1, 3), 2)
    assert [part.row(i).tolist() for i in range(3)] == [whole.row(i + 1).tolist() for i in range(3)]
