"""The summary of a scored file: accuracy with its interval, overall and for each value of each `meta` key."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lingshu.evalkit.items import RUBRIC
from lingshu.evalkit.llm_judge.agreement import Agreement
from lingshu.evalkit.llm_judge.grading import RubricScores
from lingshu.evalkit.llm_judge.rulings import Grades, Judged
from lingshu.evalkit.params import Rules
from lingshu.evalkit.scored import JUDGE_PREFIX, VERSION, Scored, plain_meta
from lingshu.evalkit.statistics import estimate

DECIMALS = 6
MOST_VALUES = 200  # of a `meta` key; more (an id, a file name) are no break-down
NAMED_PROBLEMS = 100  # items without a usable gold answer that the summary lists


@dataclass(slots=True)
class Tally:
    """Counts of one group of responses; holds a value and a cluster name for each scored one."""

    values: list[float] = field(default_factory=list)
    clusters: list[str] = field(default_factory=list)
    no_answer: int = 0
    by_judge: int = 0
    graded: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, scored: Scored) -> None:
        """Count one response."""
        score = scored.score
        if score.correct is None and scored.kind == RUBRIC and score.score is not None:
            self.graded += 1  # its score stands under `rubric`; there is no right or wrong
            return
        if score.correct is None:
            self.reasons[score.rule] += 1
            return
        self.values.append(float(score.correct))
        self.clusters.append(scored.cluster or scored.id)
        by_judge = score.rule.startswith(JUDGE_PREFIX)
        self.by_judge += by_judge
        self.no_answer += score.no_answer and not by_judge

    def cell(self, confidence: float) -> dict[str, Any]:
        """Return accuracy, interval, shares of the scored responses by who decided, and unscored ones by reason."""
        n = len(self.values)
        found = estimate(self.values, self.clusters, confidence) if n else None
        shares = {"by_rule": n - self.by_judge - self.no_answer, "by_judge": self.by_judge, "no_answer": self.no_answer}
        return {
            "accuracy": _rounded(found.mean) if found else None,
            "low": _rounded(found.low) if found else None,
            "high": _rounded(found.high) if found else None,
            "n": n,
            "right": int(sum(self.values)),
            "clusters": found.clusters if found else 0,
            **{name: _rounded(count / n) if n else None for name, count in shares.items()},
            **({"graded": self.graded} if self.graded else {}),
            "unscored": {"total": self.reasons.total(), "reasons": dict(sorted(self.reasons.items()))},
        }


class Breakdown:
    """Collects scored responses one by one; memory grows with their number, not with their length."""

    def __init__(self) -> None:
        self.total = Tally()
        self.rules: Counter[str] = Counter()
        self.problems: list[str] = []
        self._kinds: dict[str, Tally] = {}
        self._keys: dict[str, dict[str, Tally]] = {}
        self._crowded: set[str] = set()
        self._metrics: dict[str, list[float]] = {}
        self._f1: list[float] = []
        self._rubrics = RubricScores()
        self._agreement = Agreement()

    def add(self, scored: Scored) -> None:
        """Count one response."""
        self.total.add(scored)
        self.rules[scored.score.rule] += 1
        self._kinds.setdefault(scored.kind, Tally()).add(scored)
        for key, value in _values(scored.meta):
            self._add_value(key, value, scored)
        for name, number in (scored.metrics or {}).items():
            self._metrics.setdefault(name, []).append(number)
        if scored.judged is not None:
            self._add_judged(scored, scored.judged)
        elif scored.kind == "open" and scored.metrics is None and scored.score.score is not None:
            self._f1.append(scored.score.score)

    def _add_judged(self, scored: Scored, judged: Judged) -> None:
        self._agreement.add(judged, scored.rule_verdict)
        if isinstance(judged, Grades) and scored.score.score is not None:
            benchmark = str(scored.meta.get("benchmark") or "")
            cluster = scored.cluster or scored.id
            self._rubrics.add(benchmark, scored.score.score, cluster, _values(scored.meta), judged.tag_scores())

    def _add_value(self, key: str, value: str, scored: Scored) -> None:
        if key in self._crowded:
            return
        tallies = self._keys.setdefault(key, {})
        if value not in tallies and len(tallies) == MOST_VALUES:
            self._crowded.add(key)
            del self._keys[key]
            return
        tallies.setdefault(value, Tally()).add(scored)

    def summary(self, rules: Rules, seed: int, confidence: float) -> dict[str, Any]:
        """Return the whole summary; `not_broken_down` lists the meta keys with more than `MOST_VALUES` values."""
        openly = (
            {"open_metrics": {name: _mean(found) for name, found in self._metrics.items()}} if self._metrics else {}
        )
        overlap = {"open_token_f1": _mean(self._f1)} if self._f1 and rules == "strict" else {}
        return {
            "version": VERSION,
            "rules": rules,
            "seed": seed,
            "confidence": confidence,
            "responses": self.rules.total(),
            **self.total.cell(confidence),
            **openly,
            **overlap,
            **self._judges(confidence),
            "rule": dict(sorted(self.rules.items())),
            "by_kind": _cells(self._kinds, confidence),
            "by_meta": {key: _cells(tallies, confidence) for key, tallies in sorted(self._keys.items())},
            "not_broken_down": sorted(self._crowded),
            "gold_errors": self.problems[:NAMED_PROBLEMS],
        }

    def _judges(self, confidence: float) -> dict[str, Any]:
        rubrics, agreement = self._rubrics.summary(MOST_VALUES, confidence), self._agreement.summary()
        return ({"rubric": rubrics} if rubrics else {}) | ({"agreement": agreement} if agreement else {})


def _cells(tallies: Mapping[str, Tally], confidence: float) -> dict[str, Any]:
    return {name: tally.cell(confidence) for name, tally in sorted(tallies.items())}


def _values(meta: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (key, value) for each plain value; a list counts once under each of its members."""
    for key, value in plain_meta(meta).items():
        if isinstance(value, list):
            yield from ((key, text) for text in dict.fromkeys(map(_text, value)))
        elif value is not None:
            yield key, _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _mean(values: list[float]) -> float:
    return _rounded(sum(values) / len(values))


def _rounded(value: float) -> float:
    return round(value, DECIMALS)
