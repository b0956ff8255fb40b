"""A scored line: what `lingshu score` writes for each response, and what `lingshu compare` reads."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lingshu.evalkit.items import RUBRIC, Item
from lingshu.evalkit.judge import RulesJudge
from lingshu.evalkit.llm_judge.rulings import Grades, Judged, Ruling
from lingshu.evalkit.official.mmmu import RANDOM_CHOICE
from lingshu.evalkit.official.scorers import score_official
from lingshu.evalkit.params import Rules
from lingshu.evalkit.rules import GOLD_ERROR, UNJUDGED, Score, score_strict

VERSION = 1  # of the two line formats and of the summary
ELSEWHERE = {
    "report": "`lingshu report-metrics` scores reports",
    "caption": "the pipeline's score stage scores captions",
}
NO_RESPONSE = "no_response"
JUDGE_PREFIX = "judge:"  # of the rule where a judge has decided
UNDECIDED_PREFIX = "judge_"  # of the rule where one was asked in vain
RUBRIC_ERROR = "rubric_error"


@dataclass(frozen=True, slots=True)
class Scored:
    """One scored response.

    Attributes:
        score: the verdict; `correct` None is unscored.
        reason: why it is unscored, for people ("" if it is scored).
        seed: of the random fall-back, where one decided.
        metrics: MedEvalKit's text metrics of an open answer, under its rules.
        judged: by the judges, if some were asked.
        rule_verdict: what rules say of an open answer that judges were asked about (None: they can't tell).
    """

    id: str
    kind: str
    score: Score
    cluster: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    seed: int | None = None
    metrics: Mapping[str, float] | None = None
    judged: Judged | None = None
    rule_verdict: bool | None = None

    def line(self, rules: Rules) -> str:
        """Return the line as JSON, without a line feed; `rules` are those that it was scored by."""
        score = self.score
        fields: dict[str, Any] = {
            "id": self.id,
            "kind": self.kind,
            "correct": score.correct,
            "score": score.score,
            "parsed": score.parsed,
            "rule": score.rule,
            "no_answer": score.no_answer,
            "rules": rules,
        }
        if self.reason:
            fields["reason"] = self.reason
        if self.seed is not None:
            fields["seed"] = self.seed
        if self.metrics is not None:
            fields["metrics"] = self.metrics
        if self.judged is not None:
            fields |= _judge_fields(self.judged)
        return json.dumps(fields | {"cluster": self.cluster, "meta": plain_meta(self.meta)}, ensure_ascii=False)


class ScoredLine(BaseModel):
    """The JSON form of a scored line as far as comparing needs it; other keys are for people."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    id: str = Field(min_length=1)
    kind: str = ""
    correct: bool | None
    score: float | None = Field(default=None, allow_inf_nan=False)
    rule: str
    judge: str | None = None
    rules: Rules | None = None
    cluster: str = ""
    meta: dict[str, Any] = {}


def _judge_fields(judged: Judged) -> dict[str, Any]:
    if isinstance(judged, Grades):
        return {"judge": _judge_name(judged), "verdict": None, "criteria": judged.fields()}
    fields: dict[str, Any] = {"judge": judged.judge, "verdict": judged.verdict, "judge_text": judged.text()}
    return fields | ({"judges": [vote.fields() for vote in judged.votes]} if len(judged.votes) > 1 else {})


def _judge_name(judged: Judged) -> str:
    return judged.rulings[0].judge if isinstance(judged, Grades) else judged.judge


def score_item(item: Item, rules: Rules, seed: int, judged: Judged | None = None) -> Scored:
    """Return the verdict on one item by `rules`, or by judges where its kind is for them and they were asked."""
    if item.error:
        return _unscored(item, NO_RESPONSE, f"no response: {item.error}")
    if item.kind in ELSEWHERE:
        return _unscored(item, item.kind, ELSEWHERE[item.kind])
    if item.kind == RUBRIC:
        return _graded(item, judged) if isinstance(judged, Grades) else _ungraded(item)
    scored = _by_rules(item, rules, seed)
    return _ruled(item, scored, judged, rules) if item.kind == "open" and isinstance(judged, Ruling) else scored


def _by_rules(item: Item, rules: Rules, seed: int) -> Scored:
    if rules == "official":
        outcome = score_official(item, seed)
        drawn = seed if outcome.score.rule == RANDOM_CHOICE else None
        reason = f"MedEvalKit stops with an error: {outcome.reason}" if outcome.reason else ""
        return Scored(
            item.id, item.kind, outcome.score, item.cluster, item.meta, reason, seed=drawn, metrics=outcome.metrics
        )
    score = score_strict(item)
    return Scored(item.id, item.kind, score, item.cluster, item.meta, _reason(item, score))


def _unscored(item: Item, rule: str, reason: str) -> Scored:
    return Scored(item.id, item.kind, Score(None, None, "", rule, no_answer=False), item.cluster, item.meta, reason)


def _ungraded(item: Item) -> Scored:
    return _unscored(item, UNJUDGED, "rubrics need a judge")


def rubric_error(item: Item, what: str) -> Scored:
    """Return a rubric item that no judge can grade, because its criteria are missing or broken."""
    return _unscored(item, RUBRIC_ERROR, what)


def _graded(item: Item, grades: Grades) -> Scored:
    found = grades.score()
    rule = f"{JUDGE_PREFIX}{_judge_name(grades)}" if found is not None else f"{UNDECIDED_PREFIX}incomplete"
    score = Score(None, found, "", rule, no_answer=False)
    return Scored(item.id, item.kind, score, item.cluster, item.meta, grades.explanation(), judged=grades)


def _ruled(item: Item, scored: Scored, ruling: Ruling, rules: Rules) -> Scored:
    """Put the ruling in place of what rules say; their verdict is kept beside it, to see how far the two agree."""
    verdict = ruling.verdict
    if not ruling.votes:
        # The official rules know no "no answer".
        return replace(scored, score=Score(False, 0.0, "", "no_answer", no_answer=rules == "strict"), reason="")
    rule = f"{UNDECIDED_PREFIX}{ruling.reason}" if verdict is None else f"{JUDGE_PREFIX}{ruling.judge}"
    by_rules = scored.score.correct if rules == "official" else next(RulesJudge().judge([item])).verdict
    score = replace(
        scored.score, correct=verdict, score=None if verdict is None else float(verdict), rule=rule, no_answer=False
    )
    return replace(scored, score=score, reason=ruling.explanation(), judged=ruling, rule_verdict=by_rules)


def _reason(item: Item, score: Score) -> str:
    if score.rule == GOLD_ERROR:
        allowed = f"among the {len(item.choices)} options" if item.choices else "a possible answer"
        return f"gold answer {item.answer!r} is not {allowed}"
    return "open answers need a judge" if score.rule == UNJUDGED else ""


def plain_meta(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries that scores can be broken down by: plain values and lists of them."""
    return {
        key: value
        for key, value in meta.items()
        if _is_plain(value) or (isinstance(value, list) and all(map(_is_plain, value)))
    }


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
