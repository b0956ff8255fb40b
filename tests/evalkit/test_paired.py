"""Paired statistics against textbook values, brute force and simulation."""

from itertools import product

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import t

from lingshu.evalkit.paired import (
    bootstrap_means,
    bootstrap_p,
    cluster_sums,
    effective_groups,
    holm,
    interval,
    least_p,
    minimum_detectable,
)
from lingshu.evalkit.power import can_show, multiple
from lingshu.evalkit.statistics import mcnemar


def test_cluster_sums():
    data = cluster_sums([1, -1, 1, 0], ["a", "b", "a", "b"])
    assert (data.sums.tolist(), data.sizes.tolist(), data.items) == ([2, -1], [2, 2], 4)
    with pytest.raises(ValueError, match="0 differences"):
        cluster_sums([], [])


def test_the_bootstrap_draws_whole_clusters():
    data = cluster_sums([1, 1, 1, 0, -1], ["a", "a", "b", "c", "c"])
    means = bootstrap_means(data, 60_000, np.random.default_rng(1))
    sums, sizes = (2, 1, -1), (2, 1, 2)
    exact = [sum(sums[c] for c in draw) / sum(sizes[c] for c in draw) for draw in product(range(3), repeat=3)]
    for value in set(exact):
        share = np.isclose(means, value).mean()
        assert share == pytest.approx(exact.count(value) / 27, abs=0.01)
    again = bootstrap_means(data, 60_000, np.random.default_rng(1))
    assert np.array_equal(means, again)


def test_the_bootstrap_has_the_textbook_spread():
    random = np.random.default_rng(3)
    delta = random.choice([-1.0, 0.0, 1.0], p=[0.1, 0.7, 0.2], size=90_000)
    means = bootstrap_means(cluster_sums(delta.tolist(), [str(i) for i in range(90_000)]), 4000, random)
    assert means.std() == pytest.approx(delta.std() / 300, rel=0.05)
    low, high = interval(means, 0.95, 90_000)
    assert (high - low) / 2 == pytest.approx(1.96 * delta.std() / 300, rel=0.07)
    nearer = means - np.sort(means)[2]  # three resamples do not pass 0
    assert bootstrap_p(nearer, 90_000) == pytest.approx(2 * 4 / 4001, rel=0.01)
    assert bootstrap_p(-nearer, 90_000) == bootstrap_p(nearer, 90_000)
    away = means - means.mean() + 6 * means.std()
    assert bootstrap_p(away, 90_000) == pytest.approx(2 * ndtr(-6), rel=0.02)
    assert bootstrap_p(-away, 90_000) == pytest.approx(bootstrap_p(away, 90_000))
    assert bootstrap_p(np.ones(99), 90_000) == 0.0
    assert bootstrap_p(np.zeros(99), 5) == 1.0


def test_the_interval_of_few_clusters_holds_the_truth_as_often_as_it_says():
    random = np.random.default_rng(5)
    names = [str(n // 6) for n in range(48)]
    held, plain, rejected = 0, 0, 0
    for _ in range(400):
        gains = random.normal(0, 0.2, 8).repeat(6)
        delta = np.where(random.random(48) < 0.3, np.where(random.random(48) < 0.5 + gains, 1.0, -1.0), 0.0)
        means = bootstrap_means(cluster_sums(delta.tolist(), names), 1000, random)
        low, high = interval(means, 0.95, 8)
        held += low <= 0 <= high
        plain += np.quantile(means, 0.025) <= 0 <= np.quantile(means, 0.975)
        rejected += bootstrap_p(means, 8) <= 0.05
    assert plain / 400 < 0.9
    assert 0.925 < held / 400 < 0.985
    assert rejected == pytest.approx(400 - held, abs=3)


def test_the_clusters_of_an_average_are_those_of_its_widest_part():
    assert effective_groups([0.01], [8]) == pytest.approx(8)
    assert effective_groups([0.01, 0.01], [8, 8]) == pytest.approx(15)
    assert effective_groups([0.01, 1e-6], [8, 4000]) == pytest.approx(8, rel=0.01)
    assert effective_groups([0.0, 0.0], [8, 40]) == 8


def test_holm_is_the_published_procedure():
    # Holm 1979 with p = 0.01, 0.04, 0.03, 0.005: 4 x 0.005, 3 x 0.01, 2 x 0.03, then never less than before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def test_few_clusters_can_not_show_much():
    assert least_p(cluster_sums([1] * 50, ["same"] * 50).differing) == 1.0
    assert least_p(cluster_sums([1] * 50, [str(i % 3) for i in range(50)]).differing) == 0.25
    # With one item a cluster it is McNemar's test of as many gains.
    assert least_p(cluster_sums([1] * 10 + [0] * 5, [str(i) for i in range(15)]).differing) == mcnemar(10, 0)


@pytest.mark.parametrize(("items", "size"), [(400, 1), (800, 2)])
def test_the_minimum_detectable_difference_is_found_as_often_as_the_power_says(items, size):
    random = np.random.default_rng(items)
    discordant = 0.2

    def draw(difference):
        gain, loss = (discordant + difference) / 2, (discordant - difference) / 2
        groups = random.choice([1.0, -1.0, 0.0], p=[gain, loss, 1 - discordant], size=items // size)
        return cluster_sums(np.repeat(groups, size).tolist(), [str(i // size) for i in range(items)])

    claimed = minimum_detectable(draw(0.0), round(items * discordant), 0.05, 0.8)
    found = 0
    for _ in range(300):
        data = draw(claimed)
        resampled = bootstrap_p(bootstrap_means(data, 500, random), items // size)
        gained, lost = size * int((data.sums > 0).sum()), size * int((data.sums < 0).sum())
        found += data.sums.sum() > 0 and max(resampled, mcnemar(gained, lost)) <= 0.05
    assert 0.7 < found / 300 < 0.9


@pytest.mark.parametrize("groups", [6, 8, 12, 40])
def test_a_difference_is_found_as_often_as_wanted_though_both_errors_are_estimates(groups):
    random = np.random.default_rng(groups)
    first = random.normal(0, 1, (4000, groups)).std(axis=1, ddof=1) / groups**0.5
    data = random.normal(0, 1, (4000, groups)) + multiple(float(groups), 0.05, 0.8) * first[:, None]
    values = data.mean(axis=1) / (data.std(axis=1, ddof=1) / groups**0.5)
    assert (values > t.ppf(0.975, groups - 1)).mean() == pytest.approx(0.8, abs=0.025)


def test_too_few_clusters_show_no_difference():
    delta = [1.0, 0.0, -1.0, 1.0, 0.0] * 8
    for groups, shown in ((5, False), (6, True)):
        data = cluster_sums(delta, [str(i % groups) for i in range(40)])
        assert can_show(groups, 0.05) is shown
        assert (minimum_detectable(data, 24, 0.05, 0.8) < 1.0) is shown


def test_runs_that_agree_could_still_have_differed():
    same = cluster_sums([0.0] * 100, [str(i) for i in range(100)])
    assert minimum_detectable(same, 0, 0.05, 0.8) == pytest.approx(0.028, abs=0.001)
    assert minimum_detectable(cluster_sums([1.0], ["a"]), 1, 0.05, 0.8) == 1.0
