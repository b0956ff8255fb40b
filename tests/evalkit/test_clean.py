"""Scores without the items that training has seen."""

from pathlib import Path

import polars as pl

from lingshu.core.benchmark import built_benchmarks
from lingshu.evalkit.judging import judge_responses
from lingshu.evalkit.params import RulesJudging
from lingshu.evalkit.score import score_responses


def item_ids(benchmark: str) -> list[str]:
    return sorted(pl.read_parquet(f"data/benchmarks/{benchmark}/part-00000.parquet")["sample_id"])


def flag(items: dict[str, list[str]]) -> None:
    Path("data/decontam").mkdir(exist_ok=True)
    rows = [(benchmark, item) for benchmark, found in items.items() for item in found]
    schema = {"benchmark": pl.String, "item_id": pl.String}
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet("data/decontam/flags.parquet")


def test_nothing_is_added_where_nothing_is_flagged(project, params):
    judge_responses(RulesJudging(judge="rules"))
    without = score_responses(params)
    flag({})
    assert score_responses(params) == without


def test_the_clean_subset_has_a_cell_of_its_own(project, params):
    judge_responses(RulesJudging(judge="rules"))
    whole = score_responses(params)
    rows = pl.read_parquet("data/scores/scores.parquet").filter(checkpoint="early", benchmark="sides")
    wrong = sorted(rows.filter(~pl.col("correct"))["sample_id"])
    names = {benchmark.name for benchmark in built_benchmarks(Path("data/benchmarks"))}
    assert names == {"sides", "told", "wrote", "asked"}
    flag({"sides": wrong, "told": item_ids("told"), "wrote": item_ids("wrote")[:1], "asked": item_ids("asked")[:1]})
    scored = score_responses(params)["early"]
    assert scored["sides"]["clean"]["accuracy"] == 1.0
    assert (scored["sides"]["clean"]["n"], scored["sides"]["clean"]["flagged"]) == (20, 20)
    assert scored["told"]["clean"] == {"accuracy": None, "n": 0, "flagged": 4}
    assert scored["wrote"]["clean"]["n"] == 3
    assert (scored["asked"]["clean_open"]["n"] + scored["asked"]["clean_open"]["unscored"]) == 3
    rest = {name: {k: v for k, v in cells.items() if not k.startswith("clean")} for name, cells in scored.items()}
    assert rest == whole["early"]
