"""Reading JSON as a stream gives what reading it whole gives, wherever the chunks are cut, and in bounded memory."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu.intake import json_stream
from lingshu.intake.json_stream import JsonStream, JsonStreamError

LIMIT = 1 << 20
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
)


class Dripping(io.BytesIO):
    """A stream that gives `size` bytes at a time, whatever is asked for."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self.drop = size

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self.drop)


@settings(deadline=None)
@given(st.lists(VALUES, max_size=6), st.integers(1, 9), st.booleans(), st.sampled_from([None, 2]))
def test_an_array_is_the_same_list_however_it_drips(values, size: int, escaped: bool, indent) -> None:
    data = json.dumps(values, ensure_ascii=escaped, indent=indent).encode(errors="surrogatepass")
    try:
        data.decode()
    except UnicodeDecodeError:  # half a character, unescaped: not UTF-8
        with pytest.raises(UnicodeDecodeError):
            list(JsonStream(Dripping(data, size), LIMIT).array())
        return
    assert list(JsonStream(Dripping(data, size), LIMIT).array()) == values


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=6), st.integers(1, 9))
def test_an_object_is_the_same_pairs_however_it_drips(values, size: int) -> None:
    data = json.dumps(values).encode()
    assert dict(JsonStream(Dripping(data, size), LIMIT).pairs()) == values


@settings(deadline=None)
@given(st.lists(VALUES, max_size=4), st.data())
def test_what_is_cut_or_broken_is_an_error_where_json_says_so(values, data) -> None:
    text = json.dumps(values)
    place = data.draw(st.integers(0, len(text) - 1))
    broken = data.draw(st.sampled_from([text[:place], text[:place] + "%" + text[place + 1 :], text + "]"]))
    try:
        whole = json.loads(broken)
    except json.JSONDecodeError:
        with pytest.raises(JsonStreamError):
            list(JsonStream(Dripping(broken.encode(), 3), LIMIT).array())
    else:
        assert list(JsonStream(Dripping(broken.encode(), 3), LIMIT).array()) == whole


@pytest.mark.parametrize(("value", "problem"), [("9" * 5000, "more digits than"), ("[" * 100_000, "nested too deeply")])
def test_values_that_python_can_not_hold_are_errors(value: str, problem: str) -> None:
    with pytest.raises(JsonStreamError, match=problem):
        list(JsonStream(io.BytesIO(f"[1, {value}, 2]".encode()), LIMIT * 1000).array())


def test_the_line_of_an_error_is_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "CHUNK_BYTES", 16)
    data = b"[\n" + b'{"a": 1},\n' * 40 + b'{"a": oh},\n' + b'{"a": 1}]'
    with pytest.raises(JsonStreamError) as raised:
        list(JsonStream(io.BytesIO(data), LIMIT).array())
    assert raised.value.line == 42


def test_a_value_over_the_limit_and_one_nested_without_end() -> None:
    with pytest.raises(JsonStreamError, match="more than 1048576 characters"):
        list(JsonStream(io.BytesIO(b'["' + b"x" * (3 << 20)), LIMIT).array())
    with pytest.raises(JsonStreamError, match=r"nested too deeply|more than"):
        list(JsonStream(io.BytesIO(b"[" * 200_000), LIMIT).array())
