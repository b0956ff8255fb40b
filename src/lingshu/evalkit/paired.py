"""Statistics of paired verdicts: a clustered bootstrap that is cheap for any number of items, Holm's correction, and
the smallest difference that a benchmark could have shown.

The bootstrap of few clusters is too narrow: by the root of (G - 1) / G for G of them, and because it takes their spread
for known. Its intervals and p-values are therefore read at the levels of Student's t with G - 1 degrees of freedom (the
expanded percentile interval of Hesterberg, The American Statistician 69(4), 2015, section 5.3). Beyond some hundred
clusters that changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from lingshu.evalkit.power import can_show, multiple

DRAWS_AT_ONCE = 2_000_000  # counts held in memory at a time
NO_VARIANCE = 1e-24  # of equal means, beyond rounding


@dataclass(frozen=True, slots=True)
class ClusterSums:
    """For each cluster the sum of its items' differences and their number; both of shape (clusters,)."""

    sums: NDArray[np.float64]
    sizes: NDArray[np.int64]

    @property
    def items(self) -> int:
        """The number of items."""
        return int(self.sizes.sum())

    @property
    def differing(self) -> int:
        """The number of clusters with a difference."""
        return int((self.sums != 0).sum())


def cluster_sums(delta: Sequence[float], clusters: Sequence[str]) -> ClusterSums:
    """Return the sums of `delta` by cluster.

    Raises:
        ValueError: no item, or not one cluster an item.
    """
    if not delta or len(delta) != len(clusters):
        raise ValueError(f"{len(delta)} differences and {len(clusters)} clusters")
    numbers = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
    index = np.array([numbers[cluster] for cluster in clusters], dtype=np.int64)
    sums = np.bincount(index, weights=np.asarray(delta, dtype=np.float64)).astype(np.float64)
    return ClusterSums(sums, np.bincount(index).astype(np.int64))


def bootstrap_means(data: ClusterSums, resamples: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Return the mean difference of `resamples` samples of whole clusters, drawn with replacement; (resamples,).

    Clusters with the same sum and size are drawn as one kind, which is the same distribution at a cost that does not
    grow with the number of items.
    """
    kinds, counts = np.unique(np.stack([data.sums, data.sizes.astype(np.float64)]), axis=1, return_counts=True)
    groups = len(data.sums)
    step = max(1, DRAWS_AT_ONCE // len(counts))
    means = np.empty(resamples)
    for start in range(0, resamples, step):
        draws = random.multinomial(groups, counts / groups, size=min(step, resamples - start))
        means[start : start + len(draws)] = (draws @ kinds[0]) / (draws @ kinds[1])
    return means


def effective_groups(variances: Sequence[float], groups: Sequence[int]) -> float:
    """Return the number of clusters that a sum of independent means counts as (Satterthwaite's degrees of freedom + 1).

    Args:
        variances: of each term of the sum; where all are 0, the most cautious number is returned.
        groups: clusters of each, at least two.
    """
    if max(variances) < NO_VARIANCE:
        return float(min(groups))
    parts = [variance**2 / (count - 1) for variance, count in zip(variances, groups, strict=True)]
    return sum(variances) ** 2 / sum(parts) + 1


def interval(means: NDArray[np.float64], confidence: float, groups: float) -> tuple[float, float]:
    """Return the expanded percentile interval of means bootstrapped over `groups` (two or more) clusters."""
    tail = ndtr(-_widened(groups) * stdtrit(groups - 1, (1 + confidence) / 2))
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def bootstrap_p(means: NDArray[np.float64], groups: float) -> float:
    """Return the two-sided p-value that the difference is 0: twice the smaller tail, read by Student's t.

    Where no resample reaches 0, the distance of 0 in standard errors says how far beyond the tail it lies, so that p
    does not end at the number of resamples. It is 0 where all clusters differ alike: `least_p` is for those.
    """
    tail = min(int((means <= 0).sum()), int((means >= 0).sum()))
    normal = float(ndtri(min(0.5, (tail + 1) / (len(means) + 1))))
    if not tail:
        spread = float(means.std())
        normal = min(normal, -abs(float(means.mean())) / spread) if spread else -math.inf
    return float(2 * stdtr(groups - 1, normal / _widened(groups)))


def _widened(groups: float) -> float:
    return math.sqrt(groups / (groups - 1))


def least_p(differing: int) -> float:
    """Return the smallest p-value that so many differing clusters allow: all of them differing the same way.

    It keeps a few large clusters from passing for many items.
    """
    return min(1.0, 2.0 ** (1 - differing))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values adjusted for their number by Holm's step-down method (1979), in the given order."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def minimum_detectable(data: ClusterSums, discordant: int, alpha: float, power: float) -> float:
    """Return the true difference that a two-sided test at `alpha` finds with probability `power`, in [0, 1].

    It is `power.multiple` times the standard error of the paired difference; 1 where so few clusters can't show
    any. The error is that of the clusters, or, if larger, McNemar's, with `discordant` items right in one run only
    (0 of scores that are no verdicts); then one item is added, as his exact test is more cautious. Where nothing
    differs, which tells nothing of the spread, the error is that of one item that differs by 1.
    """
    n, groups = data.items, len(data.sums)
    if not can_show(groups, alpha):
        return 1.0
    residual = data.sums - data.sums.sum() / n * data.sizes
    variance = float((residual**2).sum()) * groups / max(groups - 1, 1)
    error = float(np.sqrt(max(variance, discordant) or 1.0)) / n
    return min(1.0, multiple(float(groups), alpha, power) * error + bool(discordant) / n)
