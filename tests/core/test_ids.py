"""Ids: equal content gives equal ids, whatever the order of keys; other content gives others."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lingshu.core.ids import (
    CHUNK_BYTES,
    canonical_json,
    content_id,
    sha256_bytes,
    sha256_file,
    stable_fraction,
    stable_hash,
)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(mapping=st.dictionaries(st.text(max_size=3), values, max_size=5), data=st.data())
def test_the_order_of_keys_does_not_matter(mapping: dict[str, object], data: st.DataObject) -> None:
    shuffled = dict(data.draw(st.permutations(list(mapping.items()))))
    assert content_id("x", shuffled) == content_id("x", mapping)


@given(left=values, right=values)
def test_ids_differ_exactly_when_content_does(left: object, right: object) -> None:
    same = canonical_json(left) == canonical_json(right)
    assert (content_id("x", left) == content_id("x", right)) is same


@given(seed=st.integers(), keys=st.lists(st.text(max_size=5), max_size=3))
def test_fractions_lie_in_the_unit_interval(seed: int, keys: list[str]) -> None:
    assert 0.0 <= stable_fraction(seed, *keys) < 1.0


def test_hashes_are_the_same_on_every_machine() -> None:
    """Golden values: a change of these changes every sample id and every draw."""
    assert content_id("films", {"b": [1, None], "a": "é"}) == "films:3d92f6368f93f3cb36a4"
    assert stable_hash(17, "mix", "a") == 14303885747152227296
    assert sha256_bytes(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_keys_are_kept_apart() -> None:
    assert stable_hash(1, "ab", "c") != stable_hash(1, "a", "bc")


def test_fractions_are_spread_evenly() -> None:
    tenths = [0] * 10
    for number in range(5000):
        tenths[int(10 * stable_fraction(17, str(number)))] += 1
    assert all(400 < count < 600 for count in tenths)


def test_a_file_is_digested_in_chunks(tmp_path: Path) -> None:
    data = bytes(range(256)) * (CHUNK_BYTES // 128)
    (tmp_path / "file").write_bytes(data)
    assert sha256_file(tmp_path / "file") == sha256_bytes(data)
