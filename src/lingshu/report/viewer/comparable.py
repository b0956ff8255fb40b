"""Where a strict and an official accuracy are of different answers or different measures, and so not comparable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from lingshu.evalkit.rules import UNJUDGED
from lingshu.report.viewer.rows import Row

OPEN = "open"


@dataclass(slots=True)
class Gap:
    """How the two verdicts of one run on one benchmark differ in kind.

    Attributes:
        answers: responses in all.
        unjudged: open answers that official scores, and that strict leaves to a judge that nobody asked.
        official_only, strict_only: other answers that one of them scores, by why the other does not.
    """

    answers: int = 0
    unjudged: int = 0
    official_only: Counter[str] = field(default_factory=Counter)
    strict_only: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row) -> None:
        """Count one row."""
        self.answers += 1
        if row.official is None:
            return
        first, official = row.first.score, row.official.score
        if official.correct is not None and first.correct is None:
            if row.item.kind == OPEN and first.rule == UNJUDGED:
                self.unjudged += 1
            else:
                self.official_only[first.rule] += 1
        elif official.correct is None and first.correct is not None:
            self.strict_only[official.rule] += 1

    def sentences(self) -> Iterator[str]:
        """Yield why the two numbers can't be compared; nothing if they can."""
        of = f"of {self.answers:,} answers"
        if self.unjudged:
            yield (
                f"{self.unjudged:,} {of} are open: official counts one as right only if it equals the reference "
                "(exact match), strict leaves it to a judge, and no judge was asked of these"
            )
        if self.official_only:
            count = self.official_only.total()
            yield f"{count:,} {of} are scored by official only (strict: {_told(self.official_only)})"
        if self.strict_only:
            count = self.strict_only.total()
            yield f"{count:,} {of} are scored by strict only (official: {_told(self.strict_only)})"


def _told(rules: Counter[str]) -> str:
    return ", ".join(f"{rule} {count:,}" for rule, count in sorted(rules.items()))
