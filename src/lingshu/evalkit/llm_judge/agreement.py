"""How far raters agree beyond chance: Cohen's kappa (Cohen 1960) of yes/no verdicts, with the n it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from lingshu.evalkit.llm_judge.rulings import MAJORITY, Grades, Judged, Ruling

DECIMALS = 6
RULES = "rules"  # the name of the rules among the raters


def cohens_kappa(pairs: Counter[tuple[bool, bool]]) -> float | None:
    """Return kappa of counted (verdict of one, verdict of the other); None without pairs or without variation.

    Where both always give one and the same verdict, chance alone would agree fully, and kappa is 0/0.
    """
    n = pairs.total()
    if not n:
        return None
    first = sum(count for (left, _), count in pairs.items() if left) / n
    second = sum(count for (_, right), count in pairs.items() if right) / n
    expected = first * second + (1 - first) * (1 - second)
    if expected >= 1:
        return None
    return (_agreeing(pairs) / n - expected) / (1 - expected)


def _agreeing(pairs: Counter[tuple[bool, bool]]) -> int:
    return pairs[True, True] + pairs[False, False]


class Agreement:
    """Counts verdicts by pairs of raters: rules, judges, and their majority, on open answers and criteria apart."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[str, str, str], Counter[tuple[bool, bool]]] = {}

    def add(self, judged: Judged, rule: bool | None = None) -> None:
        """Count one item; `rule` is the verdict of rules on the same answer, None if they have none."""
        if isinstance(judged, Grades):
            for ruling in judged.rulings:
                self._add("criteria", _verdicts(ruling), compare_majority=False)
        else:
            self._add("open", [(RULES, rule), *_verdicts(judged)], compare_majority=True)

    def _add(self, on: str, verdicts: Sequence[tuple[str, bool | None]], *, compare_majority: bool) -> None:
        for (left, one), (right, other) in combinations(verdicts, 2):
            # The majority is made of the judges: it is set beside the rules only.
            if right == MAJORITY and not (compare_majority and left == RULES):
                continue
            counts = self._pairs.setdefault((on, left, right), Counter())
            if one is not None and other is not None:
                counts[one, other] += 1

    def summary(self) -> list[dict[str, Any]]:
        """Return n, share of equal verdicts and kappa of each pair; both null where n is 0."""
        return [
            {
                "on": on,
                "between": [left, right],
                "n": counts.total(),
                "agree": round(_agreeing(counts) / counts.total(), DECIMALS) if counts else None,
                "kappa": None if (kappa := cohens_kappa(counts)) is None else round(kappa, DECIMALS),
                "counts": {f"{_word(a)}/{_word(b)}": counts[a, b] for a in (True, False) for b in (True, False)},
            }
            for (on, left, right), counts in sorted(self._pairs.items())
        ]


def _verdicts(ruling: Ruling) -> list[tuple[str, bool | None]]:
    votes = [(vote.judge, vote.verdict) for vote in ruling.votes]
    return [*votes, (MAJORITY, ruling.verdict)] if len(votes) > 1 else votes


def _word(verdict: bool) -> str:
    return "yes" if verdict else "no"
