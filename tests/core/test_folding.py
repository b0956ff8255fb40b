"""The normal form by bytes is the normal form by expressions."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from lingshu.core.folding import folded
from lingshu.core.text import normalised

ANY = st.text(max_size=30) | st.text(st.characters(max_codepoint=127), max_size=30)


def expected(texts: list[str]) -> list[str]:
    frame = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)})
    return frame.select(normalised(pl.col("text")))["text"].to_list()


@given(st.lists(ANY, max_size=8))
def test_equals_the_expression(texts: list[str]) -> None:
    found = folded(pl.Series("text", texts, dtype=pl.String))
    assert found.series().to_list() == expected(texts)
    assert [found.text(i) for i in range(len(found))] == expected(texts)


def test_every_ascii_character() -> None:
    texts = [f"a{chr(i)}B{chr(i)}" for i in range(128)] + [chr(i) for i in range(128)]
    assert folded(pl.Series("text", texts)).series().to_list() == expected(texts)


def test_a_slice_of_a_longer_series() -> None:
    texts = pl.Series("text", ["one", "Two, three", "µ FOUR", "five"])
    assert folded(texts[1:3]).series().to_list() == ["two three", "μ four"]


def test_what_nobody_sees_parts_no_word() -> None:
    texts = ["\ufeffpneu\u00admo\u200bthorax of\u200d the \u2060left\u00a0lung", "肺\u200b炎"]
    assert folded(pl.Series(texts)).series().to_list() == ["pneumothorax of the left lung", "肺 炎"]
