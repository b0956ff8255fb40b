"""A scored line: what `lingshu score` writes for each response, and what `lingshu compare` reads."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lingshu.evalkit.items import Item
from lingshu.evalkit.judge import Judgement
from lingshu.evalkit.official.mmmu import RANDOM_CHOICE
from lingshu.evalkit.official.scorers import score_official
from lingshu.evalkit.params import Rules
from lingshu.evalkit.parsing.extraction import answer_text
from lingshu.evalkit.rules import GOLD_ERROR, UNJUDGED, Score, score_strict

VERSION = 1  # of the two line formats and of the summary
JUDGED = ("open", "rubric")  # kinds that a judge decides
ELSEWHERE = {
    "report": "`lingshu report-metrics` scores reports",
    "caption": "the pipeline's score stage scores captions",
}
NO_RESPONSE = "no_response"
JUDGE_PREFIX = "judge:"


@dataclass(frozen=True, slots=True)
class Scored:
    """One scored response.

    Attributes:
        score: the verdict; `correct` None is unscored.
        reason: why it is unscored, for people ("" if it is scored).
        seed: of the random fall-back, where one decided.
        metrics: MedEvalKit's text metrics of an open answer, under its rules.
        judgement: of the judge, if one was asked.
    """

    id: str
    kind: str
    score: Score
    cluster: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    seed: int | None = None
    metrics: Mapping[str, float] | None = None
    judgement: Judgement | None = None

    def line(self) -> str:
        """Return the line as JSON, without a line feed."""
        score = self.score
        fields: dict[str, Any] = {
            "id": self.id,
            "kind": self.kind,
            "correct": score.correct,
            "score": score.score,
            "parsed": score.parsed,
            "rule": score.rule,
            "no_answer": score.no_answer,
        }
        if self.reason:
            fields["reason"] = self.reason
        if self.seed is not None:
            fields["seed"] = self.seed
        if self.metrics is not None:
            fields["metrics"] = self.metrics
        if self.judgement is not None:
            judge = self.judgement
            fields |= {"judge": judge.judge, "verdict": judge.verdict, "judge_text": judge.text}
        return json.dumps(fields | {"cluster": self.cluster, "meta": plain_meta(self.meta)}, ensure_ascii=False)


class ScoredLine(BaseModel):
    """The JSON form of a scored line as far as comparing needs it; other keys are for people."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    id: str = Field(min_length=1)
    correct: bool | None
    rule: str
    cluster: str = ""
    meta: dict[str, Any] = {}


def score_item(item: Item, rules: Rules, seed: int, judgement: Judgement | None = None) -> Scored:
    """Return the verdict on one item by `rules`, or by the judge where its kind is for a judge and one was asked."""
    if item.error:
        return _unscored(item, NO_RESPONSE, f"no response: {item.error}")
    if item.kind in ELSEWHERE:
        return _unscored(item, item.kind, ELSEWHERE[item.kind])
    if judgement is not None and item.kind in JUDGED:
        return _judged(item, judgement)
    if item.kind == "rubric":
        return _unscored(item, UNJUDGED, "rubrics need a judge")
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


def _judged(item: Item, judgement: Judgement) -> Scored:
    found, rule = judgement.verdict, f"{JUDGE_PREFIX}{judgement.judge}"
    text = answer_text(item.response)
    score = Score(found, None if found is None else float(found), text, rule, no_answer=not text)
    reason = "the judge gave no verdict" if found is None else ""
    return Scored(item.id, item.kind, score, item.cluster, item.meta, reason, judgement=judgement)


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
