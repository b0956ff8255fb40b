"""From scored runs to the metrics file: accuracy cells by topic and attribute, text metrics, paired comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lingshu.core.errors import UserError
from lingshu.evalkit.attributes import chance_by_attribute
from lingshu.evalkit.items import RUBRIC
from lingshu.evalkit.judging import OPEN
from lingshu.evalkit.llm_judge.grading import Marks
from lingshu.evalkit.params import Comparison, ScoreParams
from lingshu.evalkit.scoring import Row, ScoredRun
from lingshu.evalkit.statistics import compare, estimate

ALL = "all"
DECIMALS = 4
Cell = dict[str, Any]


def cells(scored: ScoredRun, params: ScoreParams) -> dict[str, Cell]:
    """Return the run's metrics by topic (or caption attribute) and over `all`.

    A cell of accuracies: `accuracy` over the `n` scored items, `low` and `high` of its interval, `clusters`, `chance`,
    `above_chance` (the interval excludes it), the shares decided `by_rule` and `by_judge` and of `no_answer`, and the
    number `unscored`. Open answers, which only a judge can decide, have a cell of their own, and so have rubrics: mean
    `score` (clipped to [0, 1]; `mean` is not), its interval, `n` and the number `unscored`.
    """
    if scored.texts is not None:
        return {ALL: _text_cell(scored, params)}
    if scored.run.benchmark.scorer == "attributes":
        return _attribute_cells(scored, params)
    decided = [row for row in scored.rows if row.item.kind not in (OPEN, RUBRIC)]
    topics = sorted({str(row.item.meta["topic"]) for row in decided})
    result = {
        topic: _cell([r for r in decided if r.item.meta["topic"] == topic], _chance(scored, [topic]), params)
        for topic in topics
    }
    if decided:
        result[ALL] = _cell(decided, _chance(scored, topics), params)
    if judged := [row for row in scored.rows if row.item.kind == OPEN]:
        result[OPEN] = _cell(judged, None, params) | {"token_f1": _mean([row.score.score or 0.0 for row in judged])}
    if graded := [row for row in scored.rows if row.item.kind == RUBRIC]:
        result[RUBRIC] = _rubric_cell(graded, params)
    return result


def _rubric_cell(rows: Sequence[Row], params: ScoreParams) -> Cell:
    marks = Marks()
    for row in rows:
        if row.score.score is not None:
            marks.add(row.score.score, row.item.cluster or row.item.id)
    found = marks.cell(params.confidence) if marks.scores else {"score": None, "n": 0, "clusters": 0}
    return found | {"unscored": len(rows) - len(marks.scores)}


def _chance(scored: ScoredRun, topics: Sequence[str]) -> float | None:
    """Return the items' chance accuracy; None if a topic's is not known."""
    records = [scored.run.benchmark.topics[topic] for topic in topics]
    if not records or any(record.chance is None for record in records):
        return None
    return sum(r.rows * r.chance for r in records if r.chance is not None) / sum(r.rows for r in records)


def _cell(rows: Sequence[Row], chance: float | None, params: ScoreParams) -> Cell:
    scored = [row for row in rows if row.score.correct is not None]
    values = [float(row.score.correct is True) for row in scored]
    shares = {
        "by_judge": sum(row.score.rule.startswith("judge:") for row in scored),
        "no_answer": sum(row.score.no_answer and not row.score.rule.startswith("judge:") for row in scored),
    }
    shares["by_rule"] = len(scored) - sum(shares.values())
    counted = {name: _round(count / len(scored)) if scored else None for name, count in shares.items()}
    clusters = [row.item.cluster or row.item.id for row in scored]
    return _interval(values, clusters, chance, params) | counted | {"unscored": len(rows) - len(scored)}


def _interval(values: Sequence[float], clusters: Sequence[str], chance: float | None, params: ScoreParams) -> Cell:
    if not values:
        return {"accuracy": None, "low": None, "high": None, "n": 0, "clusters": 0, "chance": _round(chance)}
    found = estimate(values, clusters, params.confidence)
    cell = {
        "accuracy": _round(found.mean),
        "low": _round(found.low),
        "high": _round(found.high),
        "n": found.n,
        "clusters": found.clusters,
    }
    return cell if chance is None else cell | {"chance": _round(chance), "above_chance": found.low > chance}


def _attribute_cells(scored: ScoredRun, params: ScoreParams) -> dict[str, Cell]:
    """Accuracy of each attribute; over `all`, the mean over captions of the share stated right.

    Chance is always stating an attribute's most frequent gold value.
    """
    rows = [row for row in scored.rows if row.attributes]
    chance = chance_by_attribute(a for row in rows for a in row.attributes)
    result: dict[str, Cell] = {}
    for name, (_, level) in chance.items():
        found = [(row, a) for row in rows for a in row.attributes if a.name == name]
        values = [float(a.correct) for _, a in found]
        result[name] = _interval(values, [row.item.cluster or row.item.id for row, _ in found], level, params)
        result[name]["no_answer"] = _mean([float(a.stated is None) for _, a in found])
    constant = [sum(a.value == chance[a.name][0] for a in row.attributes) / len(row.attributes) for row in rows]
    overall = sum(constant) / len(constant) if constant else None
    shares = [row.score.score or 0.0 for row in rows]
    result[ALL] = _interval(shares, [row.item.cluster or row.item.id for row in rows], overall, params)
    result[ALL]["no_answer"] = _mean([float(row.score.no_answer) for row in rows])
    result[ALL]["unscored"] = len(scored.rows) - len(rows)
    return result


def _text_cell(scored: ScoredRun, params: ScoreParams) -> Cell:
    texts = scored.texts
    assert texts is not None
    found = estimate(
        [float(value) for value in texts.rouge_l_each],
        [row.item.cluster or row.item.id for row in scored.rows],
        params.confidence,
    )
    return {
        "rouge_l": _round(texts.rouge_l),
        "rouge_l_low": _round(found.low),
        "rouge_l_high": _round(found.high),
        "cider_d": _round(texts.cider_d),
        **{f"bleu_{order}": _round(value) for order, value in enumerate(texts.bleu, start=1)},
        "n": found.n,
        "clusters": found.clusters,
        "no_answer": _mean([float(row.score.no_answer) for row in scored.rows]),
    }


def comparisons(runs: Sequence[ScoredRun], params: ScoreParams) -> dict[str, dict[str, Cell]]:
    """Return `{after_vs_before: {benchmark: cell}}` for the benchmarks that both checkpoints were asked.

    Compared are verdicts, for captions the share of attributes stated right, for reports ROUGE-L.

    Raises:
        UserError: a named checkpoint has no responses.
    """
    by_key = {(s.run.checkpoint, s.run.benchmark.name): s for s in runs}
    known = {s.run.checkpoint for s in runs}
    result: dict[str, dict[str, Cell]] = {}
    for pair in params.comparisons:
        if unknown := sorted({pair.before, pair.after} - known):
            raise UserError(
                f"params.yaml: evalkit.score.comparisons: {unknown[0]!r} has no responses",
                f"name two of {', '.join(sorted(known))}",
            )
        names = sorted(name for checkpoint, name in by_key if checkpoint == pair.before)
        result[f"{pair.after}_vs_{pair.before}"] = {
            name: _compared(pair, name, by_key, params) for name in names if (pair.after, name) in by_key
        }
    return result


def _compared(pair: Comparison, name: str, runs: dict[tuple[str, str], ScoredRun], params: ScoreParams) -> Cell:
    before, after = (_values(runs[checkpoint, name]) for checkpoint in (pair.before, pair.after))
    both = sorted(before.keys() & after.keys())
    if not both:
        return {"n": 0, "verdict": "no evidence"}
    found = compare(
        [before[key][0] for key in both],
        [after[key][0] for key in both],
        [before[key][1] for key in both],
        confidence=params.confidence,
        seed=params.seed,
        resamples=params.resamples,
    )
    return {
        "difference": _round(found.difference),
        "low": _round(found.low),
        "high": _round(found.high),
        "p_value": _round(found.p_value),
        "gained": found.gained,
        "lost": found.lost,
        "n": found.n,
        "clusters": found.clusters,
        "verdict": found.verdict,
    }


def _values(scored: ScoredRun) -> dict[str, tuple[float, str]]:
    """Return `{sample_id: (value, cluster)}` of the scored items."""
    graded = scored.run.benchmark.scorer != "strict"
    result: dict[str, tuple[float, str]] = {}
    for row in scored.rows:
        value = row.score.score if graded else row.score.correct
        if value is not None:
            result[row.item.id] = float(value), row.item.cluster or row.item.id
    return result


def _mean(values: Sequence[float]) -> float | None:
    return _round(sum(values) / len(values)) if values else None


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)
