"""A comparison as lines of text, one benchmark a line."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lingshu.evalkit.comparing import Average, BenchmarkComparison, Measure, RunComparison

_HEAD = ("benchmark", "items", "A", "B", "B-A", "interval", "gained/lost", "p (Holm)", "detectable", "verdict")
_NAMES: dict[Measure, str] = {"accuracy": "verdict", "rubric": "score"}
RUBRIC_MARK = " [rubric]"
_LEFT = (0, len(_HEAD) - 1)  # columns of words


def table(found: RunComparison) -> list[str]:
    """Return the lines: a row for each benchmark and average, then what was left out and how to read it."""
    percent = f"{found.settings.confidence:.0%}"
    rows = [_HEAD, *map(_row, found.benchmarks)]
    averages = ("mean over benchmarks", found.mean_over_benchmarks), ("mean over items", found.mean_over_items)
    rows += [_average_row(name, one) for name, one in averages if one is not None]
    return [f"A: {found.run_a}", f"B: {found.run_b}", "", *_aligned(rows), "", *_notes(found, percent)]


def _row(one: BenchmarkComparison) -> tuple[str, ...]:
    return (
        one.benchmark + (RUBRIC_MARK if one.measure == "rubric" else ""),
        str(one.n),
        f"{one.a.mean:.4f}",
        f"{one.b.mean:.4f}",
        f"{one.difference:+.4f}",
        _spread(one.low, one.high),
        f"{one.gained}/{one.lost}",
        _p(one.p_holm),
        f"{one.minimum_detectable:.4f}",
        one.verdict,
    )


def _average_row(name: str, one: Average) -> tuple[str, ...]:
    spread = _spread(one.low, one.high)
    p_value = "–" if one.p_value is None else _p(one.p_value)
    means = (f"{one.a:.4f}", f"{one.b:.4f}", f"{one.difference:+.4f}")
    return (name, "", *means, spread, "", p_value, "", one.verdict)


def _spread(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None or math.isinf(high - low) else f"{low:+.4f} … {high:+.4f}"


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if column in _LEFT else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _notes(found: RunComparison, percent: str) -> list[str]:
    notes = [
        f"{one.benchmark}: left out {one.unscored_a} items without a {_NAMES[one.measure]} in A, {one.unscored_b} in B"
        for one in found.benchmarks
        if one.unscored_a or one.unscored_b
    ]
    notes += [f"{name}: no item has a verdict in both runs" for name in found.unscored]
    if found.only_a or found.only_b:
        notes.append(f"left out: {found.only_a} items that only A has, {found.only_b} that only B has")
    if any(one.measure == "rubric" for one in found.benchmarks):
        notes.append(
            "[rubric]: mean score of rubric items, not clipped; gained/lost: items with a higher and a lower score;"
            " tested by the bootstrap alone. The averages are of accuracies."
        )
    settings = found.settings
    return [
        *notes,
        f"Verdicts at {percent}: McNemar's exact test and a clustered paired bootstrap (seed {settings.seed}) must"
        " agree, after Holm's correction over the benchmarks; averages are not corrected.",
        f"Detectable: the true difference that the benchmark would show at the corrected level, with a power of"
        f" {settings.power:.0%}.",
    ]
