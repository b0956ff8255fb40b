"""Options and golds by shape, over many texts: what was written is what is read."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu.intake.answers import LETTERS, gold_of, literal_list, options_of
from lingshu.intake.errors import RowError
from lingshu.intake.places import matching
from lingshu.intake.shapes import Choices, Gold
from lingshu.intake.values import value_at

# Option texts without the marks that separate options in a question.
TEXT = st.text(string.ascii_letters + " .,;-%肺心'\"", min_size=1, max_size=12).map(str.strip).filter(bool)
TEXTS = st.lists(TEXT, min_size=2, max_size=10)


@given(TEXTS, TEXT)
def test_options_written_into_the_question(texts, question):
    written = " ".join(f"({letter}) {text}" for letter, text in zip(LETTERS, texts, strict=False))
    spec = Choices(shape="in_question", field="q")
    found = options_of(spec, {}, f"{question}\nAnswer Choices: {written}")
    assert (list(found.texts), found.question) == (texts, question)


@given(TEXTS)
def test_every_shape_gives_the_same_options(texts):
    lettered = dict(zip(LETTERS, texts, strict=False))
    row = {
        "map": lettered,
        "list": texts,
        "pairs": [{"key": letter, "value": text} for letter, text in reversed(lettered.items())],
        "literal": repr(texts),
        **{f"op{letter}": text for letter, text in lettered.items()},
    }
    specs = [
        Choices(shape="mapping", field="map"),
        Choices(shape="list", field="list"),
        Choices(shape="pairs", field="pairs"),
        Choices(shape="literal", field="literal"),
        Choices(shape="columns", columns=[f"op{letter}" for letter in LETTERS]),
        Choices(shape="fixed", texts=texts),
    ]
    assert {options_of(spec, row, "?").texts for spec in specs} == {tuple(texts)}


@given(
    st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=5, unique=True), st.sampled_from(["", ",", "、", " ", "; "])
)
def test_letters_in_any_form(letters, separator):
    options = options_of(Choices(shape="fixed", texts=list("vwxyz")), {}, "?")
    gold = gold_of(Gold(shape="letters", field="a"), {"a": separator.join(letters)}, options)
    assert gold == (letters[0] if len(letters) == 1 else tuple(letters))


@given(st.text(max_size=40))
def test_a_text_is_never_executed_and_never_fails(text):
    assert literal_list(text) is None or text.lstrip().startswith("[")
    assert literal_list(repr([text])) == [text]


def test_a_path():
    row = {"a": {"b": [{"c": 1}]}, "a.b": "whole"}
    assert value_at(row, "a.b") == "whole"
    assert value_at({"a": row["a"]}, "a.b.0.c") == 1
    assert value_at(row, "a.x", None) is None
    with pytest.raises(RowError, match=r"no field 'a\.x'; there are a, a\.b"):
        value_at(row, "a.x")


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("*.json", ["a.json"]),
        ("**/*.json", ["a.json", "x/a.json", "x/y/b.json"]),
        ("x/*.json", ["x/a.json"]),
        ("*/?.json", ["x/a.json"]),
        ("a.json", ["a.json"]),
        ("VQA (1).json", ["VQA (1).json"]),
    ],
)
def test_a_pattern(glob, found):
    of_a_mac = ["._a.json", "x/._a.json", "__MACOSX/x/a.json", "__MACOSX/x/._a.json"]
    names = ["x/y/b.json", "a.json", "x/a.json", "a_json", *of_a_mac] + (["VQA (1).json"] if "(" in glob else [])
    assert matching(names, glob) == found
