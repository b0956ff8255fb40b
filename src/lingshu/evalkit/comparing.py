"""Two runs over the same items: which differences are real, on each benchmark and on average."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingshu.core.errors import UserError
from lingshu.evalkit.paired import (
    bootstrap_means,
    bootstrap_p,
    cluster_sums,
    holm,
    interval,
    least_p,
    minimum_detectable,
)
from lingshu.evalkit.runfiles import Answer, Key, RunVerdicts
from lingshu.evalkit.scored import VERSION
from lingshu.evalkit.statistics import Estimate, estimate, mcnemar

BETTER, WORSE, NO_EVIDENCE = "better", "worse", "no evidence"
SHOWN_IDS = 3
DECIMALS = 6


@dataclass(frozen=True, slots=True)
class ComparisonSettings:
    """`common`: leave out items that only one run has, instead of refusing."""

    confidence: float = 0.95
    power: float = 0.8
    seed: int = 0
    resamples: int = 10_000
    common: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """Both runs' verdicts on one item."""

    id: str
    a: Answer
    b: Answer

    @property
    def scored(self) -> bool:
        """Whether both runs have a verdict."""
        return self.a.correct is not None and self.b.correct is not None


@dataclass(frozen=True, slots=True)
class BenchmarkComparison:
    """B minus A on the items of one benchmark that both runs have a verdict on.

    Attributes:
        differing_clusters: those in which one run has more right than the other.
        low, high: clustered paired bootstrap interval of the difference; [-1, 1] for a single cluster.
        gained, lost: items right only in B, and only in A.
        mcnemar_p: McNemar's exact test, which takes items for independent.
        bootstrap_p: of the clustered bootstrap.
        p_value: the largest of both and of the least that the number of clusters allows.
        p_holm: p_value after Holm's correction over the benchmarks.
        odds_ratio: of gains to losses, (gained + 0.5) / (lost + 0.5).
        cohens_g: share of gains among gains and losses, less 0.5; None without any.
        minimum_detectable: true difference that would be found at the corrected level with the wanted power.
        unscored_a, unscored_b: items left out because a run has no verdict.
        verdict: `better` or `worse` if p_holm is at most 1 - confidence and the interval agrees, else `no evidence`.
    """

    benchmark: str
    n: int
    clusters: int
    differing_clusters: int
    a: Estimate
    b: Estimate
    difference: float
    low: float
    high: float
    gained: int
    lost: int
    mcnemar_p: float
    bootstrap_p: float
    p_value: float
    p_holm: float
    odds_ratio: float
    cohens_g: float | None
    minimum_detectable: float
    unscored_a: int
    unscored_b: int
    verdict: str


@dataclass(frozen=True, slots=True)
class Average:
    """Mean over benchmarks, or over all items: A, B, B minus A, its bootstrap interval and uncorrected p-value.

    The p-value is the bootstrap's, or the least that the number of clusters allows if that is larger. Interval and
    p-value are None where a benchmark has one cluster only, so that nothing is known of its spread.
    """

    a: float
    b: float
    difference: float
    low: float | None
    high: float | None
    p_value: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class RunComparison:
    """The whole comparison.

    Attributes:
        unscored: benchmarks without an item that both runs have a verdict on.
        only_a, only_b: items left out because one run lacks them.
    """

    run_a: str
    run_b: str
    settings: ComparisonSettings
    benchmarks: list[BenchmarkComparison]
    unscored: list[str]
    only_a: int
    only_b: int
    mean_over_benchmarks: Average
    mean_over_items: Average

    def as_json(self) -> dict[str, Any]:
        """Return the comparison as JSON values, numbers rounded to 6 decimals."""
        rounded: dict[str, Any] = _rounded({"version": VERSION, **asdict(self)})
        return rounded


def compare_runs(run_a: RunVerdicts, run_b: RunVerdicts, settings: ComparisonSettings) -> RunComparison:
    """Return the comparison of B with A.

    Raises:
        UserError: the runs do not have the same items (unless `common`), or no item has a verdict in both.
    """
    only_a, only_b = _checked_ids(run_a, run_b, settings.common)
    keys: dict[str, list[Key]] = {}
    for key in sorted(run_a.answers.keys() & run_b.answers.keys()):
        keys.setdefault(key[0], []).append(key)
    pairs = {
        name: [Pair(key[1], run_a.answers[key], run_b.answers[key]) for key in of_benchmark]
        for name, of_benchmark in keys.items()
    }
    scored = {name: found for name, found in pairs.items() if any(pair.scored for pair in found)}
    if not scored:
        raise UserError(f"{run_a.name}, {run_b.name}: no item has a verdict in both runs", "judge open answers first")
    both = [_benchmark(name, of_benchmark, settings, len(scored)) for name, of_benchmark in scored.items()]
    found, draws = [one for one, _ in both], [means for _, means in both]
    corrected = _corrected(found, settings)
    even, sizes = [1.0] * len(found), [float(one.n) for one in found]
    return RunComparison(
        run_a.name,
        run_b.name,
        settings,
        corrected,
        sorted(pairs.keys() - scored.keys()),
        only_a,
        only_b,
        mean_over_benchmarks=_average(corrected, draws, even, settings),
        mean_over_items=_average(corrected, draws, sizes, settings),
    )


def _checked_ids(run_a: RunVerdicts, run_b: RunVerdicts, common: bool) -> tuple[int, int]:
    only_a = sorted(run_a.answers.keys() - run_b.answers.keys())
    only_b = sorted(run_b.answers.keys() - run_a.answers.keys())
    both = len(run_a.answers) - len(only_a)
    if (only_a or only_b) and not (common and both):
        parts = [
            f"{len(only)} items are in {run.name} only, among them {', '.join(map(_shown, only[:SHOWN_IDS]))}"
            for run, only in ((run_a, only_a), (run_b, only_b))
            if only
        ]
        fix = "compare runs over the same items" + (", or give --common to compare those in both" if both else "")
        raise UserError("\n  ".join([f"the runs do not have the same items ({both} in both):", *parts]), fix)
    return len(only_a), len(only_b)


def _shown(key: Key) -> str:
    return f"{key[1]!r} of {key[0]}"


def _benchmark(
    name: str, pairs: Sequence[Pair], settings: ComparisonSettings, family: int
) -> tuple[BenchmarkComparison, NDArray[np.float64]]:
    """Return the comparison, not yet corrected, and the bootstrapped mean differences (empty for one cluster)."""
    both = [pair for pair in pairs if pair.scored]
    before = [float(bool(pair.a.correct)) for pair in both]
    after = [float(bool(pair.b.correct)) for pair in both]
    clusters = [pair.a.cluster or pair.b.cluster or f"item {pair.id}" for pair in both]
    delta = [right - wrong for wrong, right in zip(before, after, strict=True)]
    sums = cluster_sums(delta, clusters)
    random = np.random.default_rng([settings.seed, zlib.crc32(name.encode(errors="replace"))])
    single = len(sums.sums) == 1
    means = np.empty(0) if single else bootstrap_means(sums, settings.resamples, random)
    low, high = (-1.0, 1.0) if single else interval(means, settings.confidence)
    gained, lost = delta.count(1.0), delta.count(-1.0)
    exact, resampled = mcnemar(gained, lost), 1.0 if single else bootstrap_p(means)
    compared = BenchmarkComparison(
        benchmark=name,
        n=len(both),
        clusters=len(sums.sums),
        differing_clusters=sums.differing,
        a=estimate(before, clusters, settings.confidence),
        b=estimate(after, clusters, settings.confidence),
        difference=sum(delta) / len(delta),
        low=low,
        high=high,
        gained=gained,
        lost=lost,
        mcnemar_p=exact,
        bootstrap_p=resampled,
        p_value=max(exact, resampled, least_p(sums.differing)),
        p_holm=1.0,
        odds_ratio=(gained + 0.5) / (lost + 0.5),
        cohens_g=gained / (gained + lost) - 0.5 if gained + lost else None,
        minimum_detectable=minimum_detectable(sums, gained + lost, (1 - settings.confidence) / family, settings.power),
        unscored_a=sum(pair.a.correct is None for pair in pairs),
        unscored_b=sum(pair.b.correct is None for pair in pairs),
        verdict=NO_EVIDENCE,
    )
    return compared, means


def _corrected(found: list[BenchmarkComparison], settings: ComparisonSettings) -> list[BenchmarkComparison]:
    adjusted = holm([one.p_value for one in found])
    return [
        replace(one, p_holm=p, verdict=_verdict(one.low, one.high, p, settings.confidence))
        for one, p in zip(found, adjusted, strict=True)
    ]


def _verdict(low: float, high: float, p_value: float, confidence: float) -> str:
    if p_value > 1 - confidence:
        return NO_EVIDENCE
    return BETTER if low > 0 else WORSE if high < 0 else NO_EVIDENCE


def _average(
    found: Sequence[BenchmarkComparison],
    draws: Sequence[NDArray[np.float64]],
    weights: Sequence[float],
    settings: ComparisonSettings,
) -> Average:
    total = sum(weights)
    a, b = (
        sum(w * value for w, value in zip(weights, values, strict=True)) / total
        for values in ([one.a.mean for one in found], [one.b.mean for one in found])
    )
    if any(len(means) == 0 for means in draws):
        return Average(a, b, b - a, None, None, None, NO_EVIDENCE)
    means = np.asarray(weights) @ np.stack(draws) / total
    low, high = interval(means, settings.confidence)
    p_value = max(bootstrap_p(means), least_p(sum(one.differing_clusters for one in found)))
    return Average(a, b, b - a, low, high, p_value, _verdict(low, high, p_value, settings.confidence))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return round(value, DECIMALS) if isinstance(value, float) else value
