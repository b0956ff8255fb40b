"""The rubric part of a summary: the score of each benchmark alone, with break-downs; sets are never joined (D33)."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping
from typing import Any

DECIMALS = 6
UNNAMED = "all"  # the benchmark of items that name none


class RubricScores:
    """Collects the scores of graded replies by benchmark, `meta` value and criterion tag."""

    def __init__(self) -> None:
        self._scores: dict[str, list[float]] = {}
        self._meta: dict[str, dict[str, dict[str, list[float]]]] = {}
        self._tags: dict[str, dict[str, list[float]]] = {}

    def add(self, benchmark: str, score: float, values: Iterator[tuple[str, str]], tags: Mapping[str, float]) -> None:
        """Count one reply: its score, the `meta` values that it belongs to, and its scores over criteria of a tag."""
        name = benchmark or UNNAMED
        self._scores.setdefault(name, []).append(score)
        for key, value in values:
            if key != "benchmark":
                self._meta.setdefault(name, {}).setdefault(key, {}).setdefault(value, []).append(score)
        for tag, tag_score in tags.items():
            self._tags.setdefault(name, {}).setdefault(tag, []).append(tag_score)

    def summary(self, most_values: int) -> dict[str, Any]:
        """Return the cells by benchmark; `meta` keys with more than `most_values` values are left out."""
        return {
            name: cell(scores)
            | {
                "by_meta": {
                    key: {value: cell(found) for value, found in sorted(values.items())}
                    for key, values in sorted(self._meta.get(name, {}).items())
                    if len(values) <= most_values
                },
                "by_criterion_tag": {tag: cell(found) for tag, found in sorted(self._tags.get(name, {}).items())},
            }
            for name, scores in sorted(self._scores.items())
        }


def cell(scores: list[float]) -> dict[str, Any]:
    """Return the mean clipped to [0, 1], as simple-evals reports it, the mean itself, its standard error, and n.

    The standard error is that of the mean before clipping, sd/√n (None for one score).
    """
    mean = statistics.fmean(scores)
    error = statistics.stdev(scores) / math.sqrt(len(scores)) if len(scores) > 1 else None
    return {
        "score": round(min(1.0, max(0.0, mean)), DECIMALS),
        "mean": round(mean, DECIMALS),
        "standard_error": None if error is None else round(error, DECIMALS),
        "n": len(scores),
    }
