"""The rubric part of a summary: the score of each benchmark alone, with break-downs; sets are never joined (D33)."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lingshu.evalkit.statistics import estimate_mean

DECIMALS = 6
UNNAMED = "all"  # the benchmark of items that name none


@dataclass(slots=True)
class Marks:
    """The scores of one group of graded replies, and the cluster of each."""

    scores: list[float] = field(default_factory=list)
    clusters: list[str] = field(default_factory=list)

    def add(self, score: float, cluster: str) -> None:
        """Count one reply."""
        self.scores.append(score)
        self.clusters.append(cluster)

    def cell(self, confidence: float) -> dict[str, Any]:
        """Return the mean clipped to [0, 1], as simple-evals reports it, its interval, the mean itself, and more.

        The interval is clustered and clipped like the score; [0, 1] for a single cluster. The standard error is that of
        the mean before clipping with replies taken for independent, sd/√n (None for one score).
        """
        n, mean = len(self.scores), statistics.fmean(self.scores)
        found = estimate_mean(self.scores, self.clusters, confidence)
        error = statistics.stdev(self.scores) / math.sqrt(n) if n > 1 else None
        return {
            "score": _clipped(mean),
            "low": _clipped(found.low),
            "high": _clipped(found.high),
            "mean": round(mean, DECIMALS),
            "standard_error": None if error is None else round(error, DECIMALS),
            "n": n,
            "clusters": found.clusters,
        }


class RubricScores:
    """Collects the scores of graded replies by benchmark, `meta` value and criterion tag."""

    def __init__(self) -> None:
        self._scores: dict[str, Marks] = {}
        self._meta: dict[str, dict[str, dict[str, Marks]]] = {}
        self._tags: dict[str, dict[str, Marks]] = {}

    def add(
        self,
        benchmark: str,
        score: float,
        cluster: str,
        values: Iterator[tuple[str, str]],
        tags: Mapping[str, float],
    ) -> None:
        """Count one reply: its score, cluster, the `meta` values it belongs to, its scores over criteria of a tag."""
        name = benchmark or UNNAMED
        self._scores.setdefault(name, Marks()).add(score, cluster)
        for key, value in values:
            if key != "benchmark":
                self._meta.setdefault(name, {}).setdefault(key, {}).setdefault(value, Marks()).add(score, cluster)
        for tag, tag_score in tags.items():
            self._tags.setdefault(name, {}).setdefault(tag, Marks()).add(tag_score, cluster)

    def summary(self, most_values: int, confidence: float) -> dict[str, Any]:
        """Return the cells by benchmark; `meta` keys with more than `most_values` values are left out."""
        return {
            name: marks.cell(confidence)
            | {
                "by_meta": {
                    key: {value: found.cell(confidence) for value, found in sorted(values.items())}
                    for key, values in sorted(self._meta.get(name, {}).items())
                    if len(values) <= most_values
                },
                "by_criterion_tag": {
                    tag: found.cell(confidence) for tag, found in sorted(self._tags.get(name, {}).items())
                },
            }
            for name, marks in sorted(self._scores.items())
        }


def _clipped(value: float) -> float:
    return round(min(1.0, max(0.0, value)), DECIMALS)
