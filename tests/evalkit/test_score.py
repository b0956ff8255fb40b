"""The judge and score stages over whole runs: every response has a row, cells say what they rest on."""

import csv
import json
from pathlib import Path

import polars as pl
import pytest

from lingshu.core.errors import UserError
from lingshu.evalkit.judging import judge_responses, read_judgements
from lingshu.evalkit.params import NoJudging, RulesJudging, ScoreParams
from lingshu.evalkit.score import ACCURACY_PLOT, score_responses

RULES = RulesJudging(judge="rules")


def run(params, judging=RULES):
    judge_responses(judging)
    return score_responses(params)


def test_every_response_has_one_row(project, params):
    run(params)
    rows = pl.read_parquet("data/scores/scores.parquet")
    assert len(rows) == 2 * (40 + 4 + 4 + 4)
    assert rows.select("checkpoint", "benchmark", "sample_id").is_unique().all()
    assert set(rows.filter(pl.col("benchmark") == "sides")["rule"]) == {"no_answer", "whole_letter"}


def test_accuracy_cells(project, params):
    cell = run(params)["early"]["sides"]["all"]
    assert (cell["accuracy"], cell["n"], cell["clusters"], cell["chance"]) == (0.5, 40, 20, 0.5)
    assert (cell["no_answer"], cell["by_rule"], cell["by_judge"], cell["unscored"]) == (0.5, 0.5, 0.0, 0)
    assert cell["low"] < 0.5 < cell["high"]
    assert cell["above_chance"] is False
    late = run(params)["late"]["sides"]
    assert late["all"] == late["side"]
    assert late["all"]["above_chance"] is True


def test_captions_are_scored_by_attribute(project, params):
    cells = run(params)["late"]["told"]
    assert sorted(cells) == ["all", "body_part", "heart", "modality", "view"]
    assert cells["heart"]["accuracy"] == 0.25
    assert cells["view"]["accuracy"] == 0.5
    assert cells["heart"]["no_answer"] == 0.75
    assert cells["all"]["accuracy"] == pytest.approx((1 + 0.5 + 0.5 + 0) / 4)
    assert cells["all"]["no_answer"] == 0.25
    assert cells["heart"]["chance"] == 1.0  # every gold caption says the same
    table = pl.read_parquet("data/scores/attributes.parquet")
    assert len(table) == 2 * 4 * 4


def test_reports_have_text_metrics_and_the_empty_one_counts(project, params):
    cell = run(params)["late"]["wrote"]["all"]
    assert cell["rouge_l"] == 0.75
    assert cell["no_answer"] == 0.25
    assert cell["n"] == 4
    assert set(cell) >= {"cider_d", "bleu_1", "bleu_4", "rouge_l_low"}


def test_open_answers_are_judged_or_unscored_never_matched_silently(project, params):
    judged = run(params)["late"]["asked"]
    assert sorted(judged) == ["open"]
    assert (judged["open"]["accuracy"], judged["open"]["n"], judged["open"]["unscored"]) == (0.3333, 3, 1)
    assert judged["open"]["by_judge"] == 1.0
    verdicts = {j.verdict for j in read_judgements().values()}
    assert verdicts == {True, False, None}
    assert {j.judge for j in read_judgements().values()} == {"rules"}
    bare = run(params, NoJudging(judge="none"))["late"]["asked"]["open"]
    assert (bare["accuracy"], bare["n"], bare["unscored"]) == (None, 0, 4)


def test_failed_calls_and_rubrics_are_unscored_in_the_pipeline_too(project, params):
    path = Path("data/responses/late/sides.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[5] |= {"response": None, "error": "time-out"}
    lines[6] |= {"kind": "rubric"}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    cells = run(params)["late"]["sides"]
    assert (cells["all"]["n"], cells["all"]["unscored"]) == (38, 1)
    assert cells["rubric"] == {"score": None, "n": 0, "clusters": 0, "unscored": 1}


def test_checkpoints_are_compared_on_the_same_items(project, params):
    found = run(params)["comparisons"]["late_vs_early"]
    assert (found["sides"]["verdict"], found["sides"]["gained"], found["sides"]["lost"]) == ("better", 18, 0)
    assert found["told"]["verdict"] == "no evidence"
    assert found["wrote"]["difference"] == 0.0


def test_two_runs_write_the_same_bytes(project, params):
    def outputs():
        metrics = run(params)
        paths = [Path("data/scores/scores.parquet"), Path("data/judgements/judgements.parquet"), ACCURACY_PLOT]
        return json.dumps(metrics, sort_keys=True), [path.read_bytes() for path in paths]

    assert outputs() == outputs()


def test_the_plot_has_a_row_for_each_accuracy(project, params):
    metrics = run(params)
    rows = list(csv.DictReader(ACCURACY_PLOT.open()))
    assert list(rows[0]) == ["checkpoint", "benchmark", "topic", "accuracy", "low", "high", "chance", "n"]
    found = {(r["checkpoint"], r["benchmark"], r["topic"]): float(r["accuracy"]) for r in rows}
    assert found["late", "sides", "all"] == metrics["late"]["sides"]["all"]["accuracy"]
    assert ("late", "wrote", "all") not in found


def test_a_lost_or_strange_response_is_an_error(project, params):
    path = Path("data/responses/late/sides.jsonl")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[1:]))
    with pytest.raises(UserError, match=r"late/sides\.jsonl: 1 items of the benchmark are missing"):
        run(params)
    path.write_text("".join([*lines, lines[0]]))
    with pytest.raises(UserError, match=r"sides\.jsonl:41: id .* stands in line 1 too"):
        run(params)
    path.write_text("".join([*lines[:-1], "{half a line"]))
    with pytest.raises(UserError, match=r"sides\.jsonl:40: not JSON"):
        run(params)
    path.write_text("".join([*lines[:-1], json.dumps(json.loads(lines[-1]) | {"kind": "riddle"}) + "\n"]))
    with pytest.raises(UserError, match=r"sides\.jsonl:40.kind"):
        run(params)


def test_a_comparison_with_an_unknown_checkpoint_names_the_key(project, params):
    wrong = ScoreParams.model_validate(params.model_dump() | {"comparisons": [{"before": "early", "after": "last"}]})
    with pytest.raises(UserError, match=r"evalkit\.score\.comparisons: 'last' has no responses"):
        run(wrong)
