"""The judge stage: verdicts on all open answers and scores of rubrics, kept in a table, so that scoring needs no judge.

Verdicts of language models come from `inference.checkpoint_judging`, and stand in the same table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import polars as pl

from lingshu.core.files import atomic_path, fresh_dir
from lingshu.core.layout import JUDGEMENTS
from lingshu.core.manifest import write_manifest
from lingshu.evalkit.items import RUBRIC, Item
from lingshu.evalkit.judge import Judgement, RulesJudge
from lingshu.evalkit.params import NoJudging, RulesJudging
from lingshu.evalkit.responses import Run, read_runs

OPEN = "open"
JUDGEMENTS_FILE = "judgements.parquet"
JUDGEMENT_SCHEMA = pl.Schema(
    {
        "sample_id": pl.String(),
        "checkpoint": pl.String(),
        "benchmark": pl.String(),
        "verdict": pl.Boolean(),
        "judge": pl.String(),
        "text": pl.String(),
        "reason": pl.String(),
    }
)
SCORE = "score"  # a column that stands where rubrics were graded
Key = tuple[str, str, str]


def judge_responses(params: RulesJudging | NoJudging, root: Path = Path()) -> None:
    """Write `data/judgements/judgements.parquet`: a row for each open answer (none if `judge` is `none`).

    Rubrics are graded by language models only; they stay unscored here.
    """
    found: dict[Key, Judgement] = {}
    for run in read_runs(root) if params.judge == "rules" else ():
        items = open_items(run)
        for item, judgement in zip(items, RulesJudge().judge(items), strict=True):
            found[run.checkpoint, run.benchmark.name, item.id] = judgement
    write_judgements(fresh_dir(root / JUDGEMENTS), found)


def open_items(run: Run) -> list[Item]:
    """Return what rules can decide of a run in a judge's place."""
    return [item for item in run.items if item.kind == OPEN]


def judged_items(run: Run) -> list[Item]:
    """Return what language models decide of a run: open answers and rubrics."""
    return [item for item in run.items if item.kind in (OPEN, RUBRIC)]


def write_judgements(out: Path, judgements: Mapping[Key, Judgement]) -> None:
    """Write the table and the manifest of `out`; keys are (checkpoint, benchmark, sample_id)."""
    rows = [
        {"sample_id": sample, "checkpoint": checkpoint, "benchmark": benchmark} | asdict(judgement)
        for (checkpoint, benchmark, sample), judgement in judgements.items()
    ]
    schema = JUDGEMENT_SCHEMA
    if any(row[SCORE] is not None for row in rows):
        schema = pl.Schema({**schema, SCORE: pl.Float64()})
    with atomic_path(out / JUDGEMENTS_FILE) as temporary:
        pl.DataFrame([{key: row[key] for key in schema} for row in rows], schema=schema).write_parquet(temporary)
    verdicts = [row["verdict"] for row in rows]
    write_manifest(out, "judge", len(rows), {str(v): verdicts.count(v) for v in (True, False, None) if v in verdicts})


def read_judgements(root: Path = Path()) -> dict[Key, Judgement]:
    """Return judgements by (checkpoint, benchmark, sample_id)."""
    frame = pl.read_parquet(root / JUDGEMENTS / JUDGEMENTS_FILE)
    return {
        (row["checkpoint"], row["benchmark"], row["sample_id"]): Judgement(
            row["verdict"], row["judge"], row["text"], row["reason"], row.get(SCORE)
        )
        for row in frame.to_dicts()
    }
