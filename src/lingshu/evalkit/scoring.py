"""One row a response: the verdict, what decided it, and what it can be broken down by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lingshu.core.errors import UserError
from lingshu.evalkit.attributes import Attribute, attributes, score_caption
from lingshu.evalkit.items import RUBRIC, Item
from lingshu.evalkit.judge import Judgement
from lingshu.evalkit.judging import OPEN, Key
from lingshu.evalkit.parsing.extraction import answer_text
from lingshu.evalkit.report_metrics import TextScores, text_scores
from lingshu.evalkit.responses import Run
from lingshu.evalkit.rules import Score, score_strict
from lingshu.evalkit.scored import JUDGE_PREFIX, RUBRIC_ERROR, UNDECIDED_PREFIX, score_item

_SECTION_HEAD = re.compile(r"\b(?:findings|impression)\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """A scored response of one run."""

    item: Item
    score: Score
    attributes: list[Attribute]


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """A run with a row for each item; `texts` holds corpus metrics where the scorer is `report`."""

    run: Run
    rows: list[Row]
    texts: TextScores | None = None


def score_run(run: Run, judgements: Mapping[Key, Judgement]) -> ScoredRun:
    """Return the scored run, by the scorer that the benchmark's record names.

    Raises:
        UserError: the record names an unknown scorer.
    """
    scorer = run.benchmark.scorer
    if scorer == "strict":
        return ScoredRun(run, [_strict(run, item, judgements) for item in run.items])
    if scorer == "attributes":
        found = [attributes(item) for item in run.items]
        return ScoredRun(run, [Row(i, score_caption(a), a) for i, a in zip(run.items, found, strict=True)])
    if scorer == "report":
        return _reports(run)
    raise UserError(
        f"catalog/benchmarks.yaml: {run.benchmark.name}: unknown scorer {scorer!r}", "use strict, attributes or report"
    )


def _strict(run: Run, item: Item, judgements: Mapping[Key, Judgement]) -> Row:
    found = judgements.get((run.checkpoint, run.benchmark.name, item.id))
    if item.error or item.kind == RUBRIC:
        score = score_item(item, "strict", 0).score
        return Row(item, _graded(score, found) if found and not item.error else score, [])
    score = score_strict(item)
    if item.kind == OPEN and found:
        score = _judged(score, found)
    return Row(item, score, [])


def _graded(score: Score, found: Judgement) -> Score:
    if found.reason == RUBRIC_ERROR:
        return replace(score, rule=RUBRIC_ERROR)
    rule = f"{UNDECIDED_PREFIX}{found.reason}" if found.reason else f"{JUDGE_PREFIX}{found.judge}"
    return replace(score, score=found.score, rule=rule)


def _judged(score: Score, found: Judgement) -> Score:
    if not found.judge:
        return replace(score, correct=found.verdict, score=0.0, rule="no_answer", no_answer=True)
    rule = f"{UNDECIDED_PREFIX}{found.reason}" if found.reason else f"{JUDGE_PREFIX}{found.judge}"
    return replace(score, correct=found.verdict, rule=rule)


def report_text(text: str) -> str:
    """Return a report as it is compared: without think blocks and without section heads, which are free n-grams."""
    return _SECTION_HEAD.sub(" ", answer_text(text)).strip()


def _reports(run: Run) -> ScoredRun:
    """Score reports by text metrics; an empty one counts in all of them, as 0."""
    given = [report_text(item.response) for item in run.items]
    golds = [report_text(item.answer if isinstance(item.answer, str) else " ".join(item.answer)) for item in run.items]
    texts = text_scores(golds, given)
    rows = [
        Row(item, Score(None, float(value), text, "rouge_l", no_answer=not text), [])
        for item, value, text in zip(run.items, texts.rouge_l_each, given, strict=True)
    ]
    return ScoredRun(run, rows, texts)
