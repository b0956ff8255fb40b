"""Text comes back unchanged, digits stand alone, tags are one token that decoding keeps, prompts are short."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu.modeling.tokenizer import PROMPTS, SPECIAL, TAGS, train_tokenizer
from tests.tiny_model import CAPTIONS

TOKENIZER = train_tokenizer(CAPTIONS, 700)


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=60))
def test_text_comes_back(text):
    ids = TOKENIZER(text, add_special_tokens=False)["input_ids"]
    assert TOKENIZER.decode(ids) == unicodedata.normalize("NFC", text)


@given(st.integers(0, 10**12))
def test_every_digit_is_a_token(number):
    assert TOKENIZER.tokenize(str(number)) == list(str(number))


def test_tags_survive_decoding_and_special_tokens_do_not():
    text = "<think>two</think><answer>2</answer>"
    ids = TOKENIZER(text + SPECIAL[2], add_special_tokens=False)["input_ids"]
    assert [TOKENIZER.convert_ids_to_tokens(i) for i in ids if TOKENIZER.convert_ids_to_tokens(i) in TAGS] == list(TAGS)
    assert TOKENIZER.decode(ids, skip_special_tokens=True) == text


@pytest.mark.parametrize("token", [*SPECIAL, *TAGS])
def test_special_tokens_and_tags_are_one_token(token):
    assert len(TOKENIZER(token, add_special_tokens=False)["input_ids"]) == 1


@pytest.mark.parametrize("prompt", PROMPTS)
def test_prompts_cost_a_token_a_word(prompt):
    words = re.findall(r"\w+|[^\w\s]+|\n", prompt)
    assert len(TOKENIZER.tokenize(prompt)) <= len(words) + 1


def test_equal_texts_give_equal_tokenizers():
    assert train_tokenizer(CAPTIONS, 700).backend_tokenizer.to_str() == TOKENIZER.backend_tokenizer.to_str()
    assert len(TOKENIZER) <= 700
