"""Intervals cover the truth as often as they say, also with clusters; paired tests are the textbook's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from lingshu.evalkit.statistics import compare, estimate, estimate_mean, freedom, mcnemar, wilson

VALUES = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=60)


def test_wilson_is_the_published_interval():
    low, high = wilson(0.0, 20, 1.959964)  # Newcombe 1998: 0/20
    assert (round(low, 4), round(high, 4)) == (0.0, 0.1611)
    low, high = wilson(1 / 29, 29, 1.959964)  # Newcombe 1998: 1/29
    assert (round(low, 4), round(high, 4)) == (0.0061, 0.1718)
    low, high = wilson(15 / 148, 148, 1.959964)  # Newcombe 1998: 15/148
    assert (round(low, 4), round(high, 4)) == (0.0624, 0.1605)
    low, high = wilson(81 / 263, 263, 1.959964)  # Newcombe 1998: 81/263
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


@given(VALUES)
def test_an_interval_holds_its_mean_and_does_not_depend_on_order(rows):
    values, clusters = [float(v) for v, _ in rows], [str(c) for _, c in rows]
    found = estimate(values, clusters, 0.95)
    assert 0 <= found.low <= found.mean <= found.high <= 1
    assert found.clusters == len(set(clusters))
    again = estimate(values[::-1], clusters[::-1], 0.95)
    assert (again.low, again.high) == (pytest.approx(found.low), pytest.approx(found.high))


def test_clusters_that_agree_within_widen_the_interval_and_one_says_nothing():
    values = [1.0] * 20 + [0.0] * 20
    alone = estimate(values, [str(i) for i in range(40)], 0.95)
    pairs = estimate(values, [str(i // 4) for i in range(40)], 0.95)
    assert pairs.high - pairs.low > 1.5 * (alone.high - alone.low)
    one = estimate(values, ["same"] * 40, 0.95)
    assert (one.low, one.high) == (0.0, 1.0)
    certain = estimate([1.0] * 40, [str(i // 10) for i in range(40)], 0.95)
    assert certain.low < estimate([1.0] * 40, [str(i) for i in range(40)], 0.95).low


@pytest.mark.parametrize(("groups", "size", "mean"), [(8, 10, 0.5), (12, 6, 0.8), (30, 4, 0.9), (60, 1, 0.7)])
def test_intervals_cover_the_truth(groups, size, mean):
    random = np.random.default_rng(groups)
    clusters = [str(i // size) for i in range(groups * size)]
    hits = 0
    for _ in range(800):
        # Beta-binomial: items of a cluster share a rate (intraclass correlation 0.2).
        rates = random.beta(4 * mean, 4 * (1 - mean), size=groups)
        values = (random.random((groups, size)) < rates[:, None]).astype(float).ravel().tolist()
        found = estimate(values, clusters, 0.95)
        hits += found.low <= mean <= found.high
    assert hits / 800 > 0.925


@pytest.mark.parametrize("sizes", [(1, 1, 2, 3, 20) * 4, (2,) * 12 + (30, 30), (1,) * 10 + (10,)])
@pytest.mark.parametrize("mean", [0.5, 0.8])
def test_intervals_cover_the_truth_where_a_few_clusters_hold_most_items(sizes, mean):
    random = np.random.default_rng(len(sizes))
    clusters = [str(i) for i, size in enumerate(sizes) for _ in range(size)]
    hits = 0
    for _ in range(800):
        rates = np.repeat(random.beta(4 * mean, 4 * (1 - mean), size=len(sizes)), sizes)
        found = estimate((random.random(len(rates)) < rates).astype(float).tolist(), clusters, 0.95)
        hits += found.low <= mean <= found.high
    assert hits / 800 > 0.925


def test_clusters_of_equal_sizes_count_as_they_are_many_and_others_as_fewer():
    assert freedom(np.array([3, 3, 3, 3])) == pytest.approx(3)
    assert freedom(np.array([1, 1, 2, 3, 20])) == 1  # 27² / 415 = 1.8
    assert freedom(np.array([1, 1, 2, 3, 20] * 4)) == pytest.approx(108**2 / 1660 - 1)


def test_the_variance_is_the_jackknife_of_whole_clusters():
    random = np.random.default_rng(4)
    sizes, values = [1, 4, 9, 2], random.random(16)
    index = np.repeat(np.arange(4), sizes)
    left = [values[index != group].mean() for group in range(4)]
    spread = 3 / 4 * sum((mean - values.mean()) ** 2 for mean in left)
    found = estimate_mean([*values], [str(group) for group in index], 0.95)
    half = stdtrit(freedom(np.array(sizes)), 0.975) * spread**0.5
    assert (found.high - found.low) / 2 == pytest.approx(half)


def test_mcnemar_is_the_binomial_test():
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(10, 0) == pytest.approx(2 / 1024)
    assert mcnemar(3, 1) == pytest.approx(0.625)
    assert mcnemar(1, 3) == mcnemar(3, 1)


@pytest.mark.parametrize(
    ("gained", "lost", "verdict"), [(30, 2, "better"), (2, 30, "worse"), (5, 5, "no evidence"), (2, 0, "no evidence")]
)
def test_a_difference_is_better_worse_or_no_evidence(gained, lost, verdict):
    before = [0] * gained + [1] * lost + [1] * 60
    after = [1] * gained + [0] * lost + [1] * 60
    clusters = [str(i) for i in range(len(before))]
    settings = {"confidence": 0.95, "seed": 3, "resamples": 500}
    found = compare(before, after, clusters, **settings)
    assert (found.verdict, found.gained, found.lost) == (verdict, gained, lost)
    assert found == compare(before, after, clusters, **settings)
    assert found.low <= found.difference <= found.high
    flipped = compare(after, before, clusters, **settings)
    assert flipped.difference == -found.difference


def test_a_difference_in_one_cluster_is_no_evidence():
    found = compare([0] * 50, [1] * 50, ["same"] * 50, confidence=0.95, seed=3, resamples=500)
    assert (found.verdict, found.low, found.high) == ("no evidence", -1.0, 1.0)


def test_graded_values_have_no_mcnemar():
    found = compare([0.2] * 30, [0.6] * 30, [str(i) for i in range(30)], confidence=0.95, seed=3, resamples=500)
    assert (found.p_value, found.verdict) == (None, "better")


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="1 values and 2 clusters"):
        estimate([1.0], ["a", "b"], 0.95)
    with pytest.raises(ValueError, match="2 values before"):
        compare([1, 0], [1], ["a", "b"], confidence=0.95, seed=1, resamples=100)
