"""Two runs over the same items: which differences are real, on each benchmark and on average."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lingshu.core.errors import UserError
from lingshu.evalkit.paired import (
    ClusterSums,
    bootstrap_means,
    bootstrap_p,
    cluster_sums,
    effective_groups,
    holm,
    interval,
    least_p,
    minimum_detectable,
)
from lingshu.evalkit.runfiles import Answer, Key, RunVerdicts
from lingshu.evalkit.scored import VERSION
from lingshu.evalkit.statistics import Estimate, estimate, estimate_mean, mcnemar

BETTER, WORSE, NO_EVIDENCE = "better", "worse", "no evidence"
SHOWN_IDS = 3
DECIMALS = 6
Measure = Literal["accuracy", "rubric"]


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
        """Whether both runs have a verdict, or a score of the same kind."""
        return self.a.graded == self.b.graded and self.a.value is not None and self.b.value is not None


@dataclass(frozen=True, slots=True)
class BenchmarkComparison:
    """B minus A on the items of one benchmark that both runs have a verdict on, or a rubric's score.

    Attributes:
        measure: `accuracy`, or `rubric`: the mean score of rubric items, not clipped, for which there is neither
            McNemar's test nor an odds ratio.
        differing_clusters: those in which one run has more right than the other.
        low, high: clustered paired bootstrap interval of the difference; for a single cluster [-1, 1], and for rubrics,
            whose scores have no lower bound, ±infinity.
        gained, lost: items right only in B, and only in A; of rubrics, items with a higher and a lower score in B.
        mcnemar_p: McNemar's exact test, which takes items for independent; None for rubrics.
        bootstrap_p: of the clustered bootstrap.
        p_value: the largest of both and of the least that the number of clusters allows.
        p_holm: p_value after Holm's correction over the benchmarks.
        odds_ratio: of gains to losses, (gained + 0.5) / (lost + 0.5); None for rubrics.
        cohens_g: share of gains among gains and losses, less 0.5; None without any, and for rubrics.
        cohens_dz: of rubrics, the mean difference over the standard deviation of the items' differences; None for
            verdicts, and where all items differ by the same.
        minimum_detectable: true difference that would be found at the corrected level with the wanted power.
        unscored_a, unscored_b: items left out because a run has no verdict.
        verdict: `better` or `worse` if p_holm is at most 1 - confidence and the interval agrees, else `no evidence`.
    """

    benchmark: str
    measure: Measure
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
    mcnemar_p: float | None
    bootstrap_p: float
    p_value: float
    p_holm: float
    odds_ratio: float | None
    cohens_g: float | None
    cohens_dz: float | None
    minimum_detectable: float
    unscored_a: int
    unscored_b: int
    verdict: str


Drawn = tuple[BenchmarkComparison, NDArray[np.float64]]
"""A comparison and its bootstrapped mean differences."""


@dataclass(frozen=True, slots=True)
class Average:
    """Accuracy over benchmarks, or over all items: A, B, B minus A, its bootstrap interval and uncorrected p-value.

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
class SuiteAverages:
    """The averages of one suite's accuracies."""

    suite: str
    benchmarks: int
    over_benchmarks: Average
    over_items: Average


@dataclass(frozen=True, slots=True)
class RunComparison:
    """The whole comparison.

    Attributes:
        unscored: benchmarks without an item that both runs have a verdict on.
        only_a, only_b: items left out because one run lacks them.
        mean_over_benchmarks, mean_over_items: of accuracies; None if there are none, but rubrics only.
        suites: averages of each suite, where the runs say of which suite benchmarks are and there are several.
    """

    run_a: str
    run_b: str
    settings: ComparisonSettings
    benchmarks: list[BenchmarkComparison]
    unscored: list[str]
    only_a: int
    only_b: int
    mean_over_benchmarks: Average | None
    mean_over_items: Average | None
    suites: list[SuiteAverages]

    def as_json(self) -> dict[str, Any]:
        """Return the comparison as JSON values, numbers rounded to 6 decimals, an infinite bound as null."""
        rounded: dict[str, Any] = _rounded({"version": VERSION, **asdict(self)})
        return rounded


def compare_runs(run_a: RunVerdicts, run_b: RunVerdicts, settings: ComparisonSettings) -> RunComparison:
    """Return the comparison of B with A.

    Raises:
        UserError: the runs were not scored by the same rules, do not have the same items (unless `common`), or no item
            has a verdict in both.
    """
    _check_rules(run_a, run_b)
    only_a, only_b = _checked_ids(run_a, run_b, settings.common)
    pairs: dict[tuple[str, Measure], list[Pair]] = {}
    for key in sorted(run_a.answers.keys() & run_b.answers.keys()):
        pair = Pair(key[1], run_a.answers[key], run_b.answers[key])
        measure: Measure = "rubric" if pair.a.graded or pair.b.graded else "accuracy"
        pairs.setdefault((key[0], measure), []).append(pair)
    scored = {name: found for name, found in pairs.items() if any(pair.scored for pair in found)}
    if not scored:
        what = f"{run_a.name}, {run_b.name}: no item has a verdict in both runs"
        raise UserError(what, "judge open answers, and ask failed calls again")
    both = [_benchmark(*name, of_benchmark, settings, len(scored)) for name, of_benchmark in scored.items()]
    corrected = _corrected([one for one, _ in both], settings)
    averaged = [(one, means) for one, (_, means) in zip(corrected, both, strict=True) if one.measure == "accuracy"]
    over_benchmarks, over_items = _averages(averaged, settings)
    return RunComparison(
        run_a.name,
        run_b.name,
        settings,
        corrected,
        sorted({name for name, _ in pairs.keys() - scored.keys()}),
        only_a,
        only_b,
        mean_over_benchmarks=over_benchmarks,
        mean_over_items=over_items,
        suites=_by_suite(averaged, run_a.suites | run_b.suites, settings),
    )


def _check_rules(run_a: RunVerdicts, run_b: RunVerdicts) -> None:
    if len(run_a.rules | run_b.rules) > 1:
        by = ", ".join(f"{run.name} by {' and '.join(sorted(run.rules)) or 'rules unknown'}" for run in (run_a, run_b))
        raise UserError(
            f"the runs were not scored by the same rules: {by}",
            "score both by the same (`lingshu score --rules`), or give responses: --rules of `compare` is for them",
        )


def _averages(averaged: Sequence[Drawn], settings: ComparisonSettings) -> tuple[Average | None, Average | None]:
    even, sizes = [1.0] * len(averaged), [float(one.n) for one, _ in averaged]
    return _average(averaged, even, settings), _average(averaged, sizes, settings)


def _by_suite(
    averaged: Sequence[Drawn], suites: Mapping[str, str], settings: ComparisonSettings
) -> list[SuiteAverages]:
    groups: dict[str, list[Drawn]] = {}
    for one, means in averaged:
        if suite := suites.get(one.benchmark):
            groups.setdefault(suite, []).append((one, means))
    if len(groups) < 2:
        return []
    found: list[SuiteAverages] = []
    for suite, members in sorted(groups.items()):
        over_benchmarks, over_items = _averages(members, settings)
        if over_benchmarks is not None and over_items is not None:
            found.append(SuiteAverages(suite, len(members), over_benchmarks, over_items))
    return found


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
    name: str, measure: Measure, pairs: Sequence[Pair], settings: ComparisonSettings, family: int
) -> tuple[BenchmarkComparison, NDArray[np.float64]]:
    """Return the comparison, not yet corrected, and the bootstrapped mean differences (empty for one cluster)."""
    before, after, clusters = _values(pairs)
    delta = [right - wrong for wrong, right in zip(before, after, strict=True)]
    sums = cluster_sums(delta, clusters)
    means = _resampled(sums, f"{name} rubric" if measure == "rubric" else name, settings)
    verdicts = measure == "accuracy"
    widest = 1.0 if verdicts else math.inf
    low, high = interval(means, settings.confidence, len(sums.sums)) if len(means) else (-widest, widest)
    gained, lost = sum(one > 0 for one in delta), sum(one < 0 for one in delta)
    exact = mcnemar(gained, lost) if verdicts else None
    resampled = bootstrap_p(means, len(sums.sums)) if len(means) else 1.0
    spread, alpha = estimate if verdicts else estimate_mean, (1 - settings.confidence) / family
    compared = BenchmarkComparison(
        benchmark=name,
        measure=measure,
        n=len(delta),
        clusters=len(sums.sums),
        differing_clusters=sums.differing,
        a=spread(before, clusters, settings.confidence),
        b=spread(after, clusters, settings.confidence),
        difference=sum(delta) / len(delta),
        low=low,
        high=high,
        gained=gained,
        lost=lost,
        mcnemar_p=exact,
        bootstrap_p=resampled,
        p_value=max(exact or 0.0, resampled, least_p(sums.differing)),
        p_holm=1.0,
        odds_ratio=(gained + 0.5) / (lost + 0.5) if verdicts else None,
        cohens_g=gained / (gained + lost) - 0.5 if verdicts and gained + lost else None,
        cohens_dz=None if verdicts else _standardised(delta),
        minimum_detectable=minimum_detectable(sums, (gained + lost) * verdicts, alpha, settings.power),
        unscored_a=sum(pair.a.value is None for pair in pairs),
        unscored_b=sum(pair.b.value is None for pair in pairs),
        verdict=NO_EVIDENCE,
    )
    return compared, means


def _values(pairs: Sequence[Pair]) -> tuple[list[float], list[float], list[str]]:
    """Return what A and B have on the items that both have, and the items' clusters."""
    before: list[float] = []
    after: list[float] = []
    clusters: list[str] = []
    for pair in pairs:
        a, b = pair.a.value, pair.b.value
        if a is not None and b is not None and pair.a.graded == pair.b.graded:
            before.append(a)
            after.append(b)
            clusters.append(pair.a.cluster or pair.b.cluster or f"item {pair.id}")
    return before, after, clusters


def _resampled(sums: ClusterSums, name: str, settings: ComparisonSettings) -> NDArray[np.float64]:
    if len(sums.sums) == 1:
        return np.empty(0)
    random = np.random.default_rng([settings.seed, zlib.crc32(name.encode(errors="replace"))])
    return bootstrap_means(sums, settings.resamples, random)


def _standardised(delta: Sequence[float]) -> float | None:
    spread = float(np.std(delta, ddof=1)) if len(delta) > 1 else 0.0
    return sum(delta) / len(delta) / spread if spread else None


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
    found: Sequence[Drawn],
    weights: Sequence[float],
    settings: ComparisonSettings,
) -> Average | None:
    if not found:
        return None
    total = sum(weights)
    compared, draws = [one for one, _ in found], [means for _, means in found]
    a, b = (
        sum(w * value for w, value in zip(weights, values, strict=True)) / total
        for values in ([one.a.mean for one in compared], [one.b.mean for one in compared])
    )
    if any(len(means) == 0 for means in draws):
        return Average(a, b, b - a, None, None, None, NO_EVIDENCE)
    terms = np.asarray(weights)[:, None] * np.stack(draws) / total
    means = terms.sum(axis=0)
    groups = effective_groups(terms.var(axis=1).tolist(), [one.clusters for one in compared])
    low, high = interval(means, settings.confidence, groups)
    p_value = max(bootstrap_p(means, groups), least_p(sum(one.differing_clusters for one in compared)))
    return Average(a, b, b - a, low, high, p_value, _verdict(low, high, p_value, settings.confidence))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    if not isinstance(value, float):
        return value
    return round(value, DECIMALS) if math.isfinite(value) else None
