"""The packing plan places every sample once, never overfills, and fills as well as the textbook algorithms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu.core.packing import plan_bins


@st.composite
def problems(draw):
    # 5,000 needs two words of the summary bitset; 63, 64 and 65 are the edges of one word.
    capacity = draw(st.one_of(st.integers(1, 130), st.sampled_from([63, 64, 65, 4095, 4096, 4097, 5000])))
    lengths = draw(st.lists(st.integers(1, capacity), max_size=200))
    return np.array(lengths, dtype=np.int64), capacity


def best_fit_loads(lengths, capacity):
    """Bin loads of best-fit-decreasing by plain search: which of two equally full bins is taken does not matter."""
    loads: list[int] = []
    for length in sorted(lengths, reverse=True):
        fitting = [i for i, load in enumerate(loads) if load + length <= capacity]
        if fitting:
            loads[max(fitting, key=lambda i: loads[i])] += length
        else:
            loads.append(length)
    return sorted(loads)


def first_fit_count(lengths, capacity):
    loads: list[int] = []
    for length in sorted(lengths, reverse=True):
        place = next((i for i, load in enumerate(loads) if load + length <= capacity), None)
        if place is None:
            loads.append(length)
        else:
            loads[place] += length
    return len(loads)


@given(problems())
@settings(deadline=None, max_examples=300)
def test_every_sample_lies_in_one_bin_without_gap_or_overlap(problem):
    lengths, capacity = problem
    bins, positions = plan_bins(lengths, capacity)
    assert sorted(set(bins.tolist())) == list(range(len(set(bins.tolist()))))
    for number in set(bins.tolist()):
        members = np.flatnonzero(bins == number)
        members = members[np.argsort(positions[members])]
        ends = positions[members] + lengths[members]
        assert positions[members[0]] == 0
        assert (positions[members][1:] == ends[:-1]).all()
        assert ends[-1] <= capacity


@given(problems())
@settings(deadline=None, max_examples=300)
def test_bins_are_as_full_as_those_of_plain_best_fit(problem):
    lengths, capacity = problem
    bins, _ = plan_bins(lengths, capacity)
    assert sorted(np.bincount(bins, weights=lengths).astype(int).tolist()) == best_fit_loads(lengths.tolist(), capacity)


@pytest.mark.parametrize("seed", range(5))
def test_fill_is_not_below_first_fit_decreasing(seed):
    lengths = np.clip(np.random.default_rng(seed).lognormal(5, 1, 2000).astype(np.int64), 1, 1024)
    bins, _ = plan_bins(lengths, 1024)
    assert bins.max() + 1 <= first_fit_count(lengths.tolist(), 1024)


def test_the_plan_repeats():
    lengths = np.random.default_rng(0).integers(1, 500, 1000)
    first, second = plan_bins(lengths, 700), plan_bins(lengths.copy(), 700)
    assert (first[0] == second[0]).all()
    assert (first[1] == second[1]).all()


def test_no_samples_need_no_bins():
    bins, positions = plan_bins(np.zeros(0, dtype=np.int64), 10)
    assert bins.size == positions.size == 0


@pytest.mark.parametrize(("lengths", "index"), [([3, 11, 12], 1), ([3, 4, 0], 2), ([-1], 0)])
def test_a_length_outside_the_capacity_is_named(lengths, index):
    with pytest.raises(ValueError, match=rf"lengths\[{index}\] is {lengths[index]}, outside 1\.\.10"):
        plan_bins(np.array(lengths, dtype=np.int64), 10)


def test_wrong_capacity_and_wrong_type_are_refused():
    with pytest.raises(ValueError, match="capacity must be at least 1"):
        plan_bins(np.array([1], dtype=np.int64), 0)
    with pytest.raises(ValueError, match="one-dimensional int64, got float64"):
        plan_bins(np.array([1.5]), 10)
