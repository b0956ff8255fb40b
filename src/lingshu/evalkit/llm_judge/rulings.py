"""From the votes of one or several judges to one ruling; an even or missing vote is no ruling, never "wrong"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lingshu.evalkit.llm_judge.replies import imitates_verdict, read_reply
from lingshu.evalkit.llm_judge.rubrics import Criterion, rubric_score

MAJORITY = "majority"
FAILED = "failed"
NO_MAJORITY = "no_majority"


@dataclass(frozen=True, slots=True)
class Vote:
    """What one judge said: its verdict, its words, and why there is no verdict (`failed`, `unreadable`, …)."""

    judge: str
    verdict: bool | None
    text: str
    reason: str = ""
    detail: str = ""

    def fields(self) -> dict[str, Any]:
        """Return the vote as it stands in a scored line."""
        found: dict[str, Any] = {"judge": self.judge, "verdict": self.verdict, "text": self.text}
        return (
            found | ({"reason": self.reason} if self.reason else {}) | ({"detail": self.detail} if self.detail else {})
        )


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict that more than half of all judges gave, or None and the reason."""

    verdict: bool | None
    judge: str
    votes: tuple[Vote, ...]
    reason: str = ""

    def text(self) -> str:
        """Return the judges' words; those of several judges under their names."""
        if len(self.votes) == 1:
            return self.votes[0].text
        return "\n\n".join(f"{vote.judge}: {vote.text}" for vote in self.votes)

    def explanation(self) -> str:
        """Return for people why there is no verdict ("" if there is one)."""
        if self.verdict is not None:
            return ""
        told = "; ".join(
            f"{vote.judge}: {vote.reason or ('no', 'yes')[vote.verdict is True]}"
            + (f" ({vote.detail})" if vote.detail else "")
            for vote in self.votes
        )
        return f"no verdict: {told}"


NOTHING_TO_JUDGE = Ruling(verdict=False, judge="", votes=())
"""Of a response without an answer: no judge is asked, and it counts as no answer, as under all other kinds."""


@dataclass(frozen=True, slots=True)
class Grades:
    """The rulings on the criteria of one reply, in the rubric's order."""

    criteria: tuple[Criterion, ...]
    rulings: tuple[Ruling, ...]

    def score(self) -> float | None:
        """Return the rubric's score, not clipped; None unless each criterion has a verdict."""
        met = [ruling.verdict for ruling in self.rulings if ruling.verdict is not None]
        return rubric_score(self.criteria, met) if len(met) == len(self.criteria) else None

    def tag_scores(self) -> dict[str, float]:
        """Return the score over the criteria of each tag that has positive points among them."""
        found: dict[str, float] = {}
        for tag in dict.fromkeys(tag for criterion in self.criteria for tag in criterion.tags):
            pairs = [(c, r.verdict is True) for c, r in zip(self.criteria, self.rulings, strict=True) if tag in c.tags]
            score = rubric_score([criterion for criterion, _ in pairs], [met for _, met in pairs])
            if score is not None:
                found[tag] = score
        return found

    def explanation(self) -> str:
        """Return for people why there is no score ("" if there is one)."""
        lacking = [ruling for ruling in self.rulings if ruling.verdict is None]
        if not lacking:
            return ""
        return (
            f"{len(lacking)} of {len(self.rulings)} criteria without a verdict; the first: {lacking[0].explanation()}"
        )

    def fields(self) -> list[dict[str, Any]]:
        """Return the criteria as they stand in a scored line."""
        return [
            {
                "criterion": criterion.text,
                "points": criterion.points,
                "tags": list(criterion.tags),
                "met": ruling.verdict,
                "judges": [vote.fields() for vote in ruling.votes],
            }
            for criterion, ruling in zip(self.criteria, self.rulings, strict=True)
        ]


Judged = Ruling | Grades


def vote(judge: str, reply: str, material: str) -> Vote:
    """Return the vote that a judge's reply states; `material` is the judged text.

    Where the material itself looks like a verdict, a reply may quote it, so only a reply that is JSON alone is read.
    """
    reading = read_reply(reply, whole=imitates_verdict(material))
    return Vote(judge, reading.verdict, reply, reading.reason)


def failed_vote(judge: str, detail: str) -> Vote:
    """Return the vote of a judge that could not be asked, or that refused."""
    return Vote(judge, None, "", FAILED, detail)


def decide(votes: Sequence[Vote]) -> Ruling:
    """Return the ruling of one judge, or what more than half of several judges say.

    An abstention is a judge that did not say yes, nor no: it makes a majority harder, never a verdict.

    Raises:
        ValueError: no vote.
    """
    if not votes:
        raise ValueError("no vote")
    if len(votes) == 1:
        return Ruling(votes[0].verdict, votes[0].judge, tuple(votes), votes[0].reason)
    for verdict in (True, False):
        if 2 * sum(one.verdict is verdict for one in votes) > len(votes):
            return Ruling(verdict, MAJORITY, tuple(votes))
    return Ruling(None, MAJORITY, tuple(votes), NO_MAJORITY)
