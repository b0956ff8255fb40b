"""The hash of a column is the hash of each id, whatever it is and however long."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lingshu.core import id_hashes
from lingshu.core.id_hashes import BLOCK, stable_hashes
from lingshu.core.ids import stable_hash

KEYS = st.lists(st.text(max_size=12), max_size=3).map(tuple)


@pytest.fixture(autouse=True, params=["hashlib", "machine code"])
def way(request, monkeypatch):
    """Few ids are hashed by hashlib, millions by machine code: here all by the one, or all by the other."""
    monkeypatch.setattr(id_hashes, "ROWS_FOR_MACHINE_CODE", 1 << 40 if request.param == "hashlib" else 0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it is the same for all examples
@given(
    ids=st.lists(st.text(max_size=300), max_size=6), seed=st.integers(0) | st.text(max_size=5), before=KEYS, after=KEYS
)
def test_it_is_the_stable_hash_of_each_id(ids, seed, before, after):
    found = stable_hashes(seed, pl.Series(ids, dtype=pl.String), before=before, after=after)
    assert found.to_list() == [stable_hash(seed, *before, one, *after) for one in ids]


@pytest.mark.parametrize("longest", [BLOCK - len("1\x1f"), BLOCK - len("1\x1f") + 1, 300])
def test_blocks_end_where_the_standard_says(longest):
    ids = pl.Series(["x" * length for length in range(longest + 1)])
    assert stable_hashes(1, ids, before=()).to_list() == [stable_hash(1, one) for one in ids]


@pytest.mark.parametrize("rows", [1, 15, 16, 17, 33])
def test_nothing_is_left_from_the_row_before_or_beside(rows):
    texts = ["ab" * 55, "", "\u4e00" * 30, "x", "radiology:0123456789abcdef0123"]
    ids = pl.Series([texts[number % len(texts)] for number in range(rows)])
    assert stable_hashes(7, ids, before=("order", "deep"), after=("0",)).to_list() == [
        stable_hash(7, "order", "deep", one, "0") for one in ids
    ]


def test_a_slice_is_hashed_from_its_own_first_row():
    ids = pl.Series([f"films:{number:020x}" for number in range(50)])
    assert stable_hashes(1, ids.slice(7, 9), before=("draw",)).to_list() == [
        stable_hash(1, "draw", one) for one in ids.to_list()[7:16]
    ]
