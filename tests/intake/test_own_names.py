"""Names of a user's files are found by pattern, capitals or not, as looking at every name would find them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from lingshu.intake.places import OwnNames, pattern_of

part = st.text("aB1_.é图", min_size=1, max_size=3)
path = st.lists(part, min_size=1, max_size=3).map("/".join)
glob = st.lists(st.one_of(part, st.sampled_from(["*", "?", "/", "**/"])), min_size=1, max_size=5).map("".join)


@given(st.lists(path, unique=True, max_size=12), st.one_of(glob, path))
def test_a_pattern_finds_what_it_matches_among_all_names(names: list[str], pattern: str) -> None:
    whole = re.compile(pattern_of(pattern).pattern, re.IGNORECASE)
    expected = [pattern] if pattern in names else sorted(filter(whole.fullmatch, names))
    assert OwnNames(names).match(pattern) == expected


def test_an_exact_name_goes_before_the_same_in_other_capitals() -> None:
    names = OwnNames(["Mask/a.MAT", "mask/A.mat", "mask/a.mat", "mask/b.mat"])
    assert names.match("mask/a.mat") == ["mask/a.mat"]
    assert names.match("MASK/a.mat") == ["Mask/a.MAT", "mask/A.mat", "mask/a.mat"]
    assert names.match("mask/c.mat") == []
    assert names.match("mask/a*") == ["Mask/a.MAT", "mask/A.mat", "mask/a.mat"]


def test_many_names_and_a_pattern_for_each() -> None:
    """20,000 pictures whose masks are absent, or named in capitals: each question looks at its own name only."""
    names = OwnNames([f"Image/seed{n}.png" for n in range(20_000)] + [f"Mask/SEED{n}.MAT" for n in range(10_000)])
    found = [names.match(f"Mask/seed{n}.mat") for n in range(20_000)]
    assert found == [[f"Mask/SEED{n}.MAT"] if n < 10_000 else [] for n in range(20_000)]
