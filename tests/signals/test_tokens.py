"""Token counts: a tokenizer's where there is one, else the estimate; a wrong path is said."""

from pathlib import Path

import polars as pl
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from lingshu.core.errors import UserError
from lingshu.signals.tokens import estimated, token_counter


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = Tokenizer(models.WordLevel({"a": 0, "b": 1, "?": 2}, unk_token="?"))
    made.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    made.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


@pytest.mark.parametrize("name", ["", "tokenizer.json"])
def test_a_tokenizer_counts(folder: Path, name: str) -> None:
    count = token_counter(str(folder / name))
    texts = pl.Series("t", ["ab", "abba!", ""])
    assert count(texts).to_list() == [2, 5, 0]
    assert count(texts).dtype == pl.UInt32


def test_a_relative_path_starts_at_the_root(folder: Path) -> None:
    assert token_counter("tokenizer.json", folder)(pl.Series(["aa"])).to_list() == [2]


def test_many_texts_keep_their_order(folder: Path) -> None:
    texts = pl.Series("t", ["a" * (number % 7) for number in range(9000)])
    assert token_counter(str(folder))(texts).to_list() == texts.str.len_chars().to_list()


def test_the_estimate() -> None:
    assert token_counter("estimate")(pl.Series(["左肺 CT 5 mm."])).to_list() == [6]
    assert token_counter("estimate") is estimated


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"signals.tokenizer: .*nowhere: no such file"):
        token_counter("nowhere", tmp_path)


def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match=r"signals.tokenizer: .*tokenizer.json"):
        token_counter(str(tmp_path))
