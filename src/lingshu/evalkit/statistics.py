"""Accuracies and differences with intervals that know that items of one cluster (image, patient) are not independent.

Interval: Wilson's, on the effective sample size that the clusters leave (n divided by the design effect, as Korn and
Graubard 1998 do for survey proportions) and with Student's t for few clusters. Without clusters it is Wilson's own. The
variance is the jackknife's, one cluster left out at a time, since a cluster that holds much of the items draws the mean
to itself; and clusters of unlike sizes count as fewer (Kish 1965: n² over the sum of their squared sizes).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, stdtrit

from lingshu.evalkit.paired import bootstrap_means, cluster_sums, interval
from lingshu.evalkit.power import can_show, multiple


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and its interval; `clusters` is how many independent units it rests on."""

    mean: float
    low: float
    high: float
    n: int
    clusters: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of after minus before on the same items.

    Attributes:
        low, high: clustered paired bootstrap interval, expanded for few clusters; [-1, 1] for a single one.
        p_value: McNemar's exact test (two-sided) on items right in one only; None for values other than 0 and 1.
        gained, lost: items that got better, and worse.
        verdict: `better` or `worse` if the interval excludes 0 and McNemar's test (where it applies) agrees at the
            same level; else `no evidence`.
    """

    difference: float
    low: float
    high: float
    p_value: float | None
    gained: int
    lost: int
    n: int
    clusters: int
    verdict: str


def wilson(mean: float, n: float, quantile: float) -> tuple[float, float]:
    """Return Wilson's score interval of a proportion `mean` of `n` items for a two-sided `quantile` (1.96 for 95 %)."""
    square = quantile**2
    centre = (mean + square / (2 * n)) / (1 + square / n)
    half = quantile / (1 + square / n) * float(np.sqrt(mean * (1 - mean) / n + square / (4 * n * n)))
    return max(0.0, centre - half), min(1.0, centre + half)


def estimate(values: Sequence[float], clusters: Sequence[str], confidence: float) -> Estimate:
    """Return the mean of values in [0, 1] with its interval, clustered where a cluster holds several items.

    One cluster alone says nothing about others: its interval is [0, 1].

    Raises:
        ValueError: no value, or not one cluster a value.
    """
    data, index, groups = _clustered(values, clusters)
    mean, n = float(data.mean()), len(data)
    if groups == n and set(values) <= {0, 1}:
        return Estimate(mean, *wilson(mean, n, NormalDist().inv_cdf((1 + confidence) / 2)), n, groups)
    if groups == 1:
        return Estimate(mean, 0.0, 1.0, n, 1)
    quantile = float(stdtrit(freedom(np.bincount(index)), (1 + confidence) / 2))
    return Estimate(mean, *wilson(mean, _effective_size(data, index, groups), quantile), n, groups)


def estimate_mean(values: Sequence[float], clusters: Sequence[str], confidence: float) -> Estimate:
    """Return the mean of values of any range with Student's interval on the spread between clusters.

    The standard error and the degrees of freedom are those of `estimate`. One cluster alone says nothing about others:
    ±infinity.

    Raises:
        ValueError: no value, or not one cluster a value.
    """
    data, index, groups = _clustered(values, clusters)
    mean, n = float(data.mean()), len(data)
    if groups == 1:
        return Estimate(mean, -math.inf, math.inf, n, 1)
    quantile = float(stdtrit(freedom(np.bincount(index)), (1 + confidence) / 2))
    half = quantile * math.sqrt(_mean_variance(data, index, groups))
    return Estimate(mean, mean - half, mean + half, n, groups)


def detectable(values: Sequence[float], clusters: Sequence[str], confidence: float, power: float) -> float:
    """Return the true difference from another model on the same items that would be shown with probability `power`.

    For a two-sided test of two accuracies like this one whose errors are independent. Those of two models on the
    same items mostly go together, so that a paired comparison shows smaller ones. `power.multiple` · √(2 p (1 - p)
    / n), with the effective number n of items that clusters leave, and p drawn towards 1/2 by two items of each
    kind (Agresti and Coull 1998), so that no error at all does not show everything. At most 1; 1 where so few
    clusters can't show any.

    Raises:
        ValueError: no value, or not one cluster a value.
    """
    found = estimate(values, clusters, confidence)
    if not can_show(found.clusters, 1 - confidence):
        return 1.0
    index, groups = _numbers(clusters)
    n = float(found.n) if groups == found.n else _effective_size(np.asarray(values, dtype=np.float64), index, groups)
    share = (found.mean * n + 2) / (n + 4)
    # The error of items on their own follows from their share; that of clusters is an estimate.
    normal, alpha = NormalDist(), 1 - confidence
    alone = normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)
    errors = alone if groups == found.n else multiple(float(groups), alpha, power)
    return min(1.0, errors * math.sqrt(2 * share * (1 - share) / n))


def freedom(sizes: NDArray[np.int64]) -> float:
    """Return the degrees of freedom of clusters of these sizes: one less than the number they count as, at least 1.

    Equal ones count as they are many; four of each of the sizes 1, 1, 2, 3 and 20 as 7.
    """
    shares = sizes / sizes.sum()
    return max(float(1 / (shares**2).sum()) - 1, 1.0)


def _mean_variance(data: NDArray[np.float64], index: NDArray[np.int64], groups: int) -> float:
    residual = np.bincount(index, weights=data - data.mean(), minlength=groups)
    # Without a cluster the mean moves by its residual over the items that are left.
    moves = residual / (len(data) - np.bincount(index, minlength=groups))
    return float((moves**2).sum()) * (groups - 1) / groups


def _clustered(values: Sequence[float], clusters: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
    """Return the values, the number of each one's cluster, and how many clusters there are."""
    if not values or len(values) != len(clusters):
        raise ValueError(f"{len(values)} values and {len(clusters)} clusters")
    return np.asarray(values, dtype=np.float64), *_numbers(clusters)


def _numbers(clusters: Sequence[str]) -> tuple[NDArray[np.int64], int]:
    names = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
    return np.array([names[cluster] for cluster in clusters], dtype=np.int64), len(names)


def _effective_size(data: NDArray[np.float64], index: NDArray[np.int64], groups: int) -> float:
    """Return how many independent 0/1 items have the variance that the clusters show.

    Clusters without any spread show none; then each, as they count, is one item, the most cautious reading.
    """
    mean, n = data.mean(), len(data)
    variance = _mean_variance(data, index, groups)
    spread = float(mean * (1 - mean))
    if variance <= 0 or spread <= 0:
        return freedom(np.bincount(index)) + 1
    binary = bool(np.all((data == 0) | (data == 1)))
    return min(spread / variance, float(n)) if binary else spread / variance


def compare(
    before: Sequence[float],
    after: Sequence[float],
    clusters: Sequence[str],
    *,
    confidence: float,
    seed: int,
    resamples: int,
) -> Difference:
    """Return the paired difference of two runs over the same items, in the same order.

    Raises:
        ValueError: no item, or the lengths differ.
    """
    if not before or not len(before) == len(after) == len(clusters):
        raise ValueError(f"{len(before)} values before, {len(after)} after, {len(clusters)} clusters")
    delta = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    sums = cluster_sums([*delta], clusters)
    groups = len(sums.sums)
    low, high = -1.0, 1.0
    if groups > 1:
        low, high = interval(bootstrap_means(sums, resamples, np.random.default_rng(seed)), confidence, groups)
    gained, lost = int((delta > 0).sum()), int((delta < 0).sum())
    p_value = mcnemar(gained, lost) if {*before, *after} <= {0, 1} else None
    agrees = p_value is None or p_value <= 1 - confidence
    verdict = "better" if low > 0 and agrees else "worse" if high < 0 and agrees else "no evidence"
    return Difference(float(delta.mean()), low, high, p_value, gained, lost, len(delta), groups, verdict)


def mcnemar(gained: int, lost: int) -> float:
    """Return the two-sided exact p-value that gains and losses are equally likely (1 without any)."""
    return min(1.0, 2 * float(bdtr(min(gained, lost), gained + lost, 0.5))) if gained + lost else 1.0
