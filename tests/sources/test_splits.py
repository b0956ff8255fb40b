"""Held-out groups: whole, never the last of a kind or plane, the same for the same seed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lingshu.sources.splits import Group, gather, held_out

PLANES = st.sets(st.sampled_from(["axial", "coronal", "sagittal"]))
GROUPS = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=4),
    st.tuples(st.sampled_from(["ct", "mri", "x-ray", ""]), st.integers(1, 60), PLANES),
    max_size=12,
).map(lambda found: [Group(name, *rest) for name, rest in sorted(found.items())])
SHARES = st.floats(0.05, 0.6)


@given(GROUPS, SHARES, st.integers(0, 9))
def test_every_kind_and_plane_is_still_trained_on(groups: list[Group], share: float, seed: int) -> None:
    test = held_out(groups, share, seed)
    trained = [g for g in groups if g.name not in test]
    assert {g.kind for g in groups} == {g.kind for g in trained}
    assert {(g.kind, p) for g in groups for p in g.planes} == {(g.kind, p) for g in trained for p in g.planes}
    assert all(g.kind for g in groups if g.name in test)


@given(GROUPS, SHARES, st.integers(0, 9))
def test_the_largest_group_of_a_kind_trains(groups: list[Group], share: float, seed: int) -> None:
    test = held_out(groups, share, seed)
    for kind in {g.kind for g in groups}:
        largest = max(g.size for g in groups if g.kind == kind)
        assert any(g.size == largest and g.name not in test for g in groups if g.kind == kind)


@given(GROUPS, SHARES, st.integers(0, 9))
def test_order_does_not_matter(groups: list[Group], share: float, seed: int) -> None:
    assert held_out(groups, share, seed) == held_out(groups[::-1], share, seed)


@given(st.integers(2, 30), SHARES, st.integers(0, 9))
def test_a_kind_with_two_groups_or_more_is_held_out(number: int, share: float, seed: int) -> None:
    groups = [Group(f"g{i:02d}", "ct", 1 + i % 5, {"axial"}) for i in range(number)]
    test = held_out(groups, share, seed)
    assert 1 <= len(test) <= max(1, int(share * number) + 1)


def test_one_group_is_training_only() -> None:
    assert held_out([Group("g", "ct", 9, {"axial"})], 0.5, 1) == set()


def test_a_plane_that_several_groups_show_is_held_out_too() -> None:
    volumes = [Group(f"v{i}", "mri", 100 + i, {"axial", "coronal", "sagittal"}) for i in range(3)]
    films = [Group(f"a{i}", "mri", 1, {"axial"}) for i in range(20)]
    for seed in range(20):
        test = held_out([*volumes, *films], 0.1, seed)
        assert {p for g in (*volumes, *films) if g.name in test for p in g.planes} == {"axial", "coronal", "sagittal"}


def test_copies_count_once() -> None:
    shown = [("i1", "a", "ct", "axial"), ("i1", "a", "ct", "axial"), ("i2", "a", "ct", ""), ("i3", "b", "", "")]
    rows = [(*row, False) for row in shown]
    assert gather(rows) == [Group("a", "ct", 2, {"axial"}), Group("b", "", 1, set())]


def test_one_picture_that_is_never_held_out_keeps_its_group_in_training() -> None:
    rows = [("i1", "a", "ct", "", False), ("i2", "a", "ct", "", True), ("i3", "b", "ct", "", False)]
    assert [(group.name, group.train_only) for group in gather(rows)] == [("a", True), ("b", False)]


@given(GROUPS, SHARES, st.integers(0, 9), st.sets(st.text("abcdef", min_size=1, max_size=2)))
def test_what_is_never_held_out_trains(groups: list[Group], share: float, seed: int, names: set[str]) -> None:
    marked = [replace(group, train_only=group.name in names) for group in groups]
    assert not held_out(marked, share, seed) & names
