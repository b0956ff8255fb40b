"""Statistics of paired verdicts: a clustered bootstrap that is cheap for any number of items, Holm's correction, and
the smallest difference that a benchmark could have shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

DRAWS_AT_ONCE = 2_000_000  # counts held in memory at a time


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


def interval(means: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """Return the percentile interval."""
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def bootstrap_p(means: NDArray[np.float64]) -> float:
    """Return the two-sided p-value that the difference is 0: twice the smaller tail, never 0."""
    tail = min(int((means <= 0).sum()), int((means >= 0).sum()))
    return min(1.0, 2 * (tail + 1) / (len(means) + 1))


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

    It is (z of alpha + z of power) times the standard error of the paired difference: that of the clusters, or, if
    larger, McNemar's, with `discordant` items right in one run only (0 of scores that are no verdicts). Where nothing
    differs, which tells nothing of the spread, it is that of one item that differs by 1.
    """
    n, groups = data.items, len(data.sums)
    residual = data.sums - data.sums.sum() / n * data.sizes
    variance = float((residual**2).sum()) * groups / max(groups - 1, 1)
    error = float(np.sqrt(max(variance, discordant) or 1.0)) / n
    normal = NormalDist()
    return min(1.0, (normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)) * error)
