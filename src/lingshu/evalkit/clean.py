"""Scores on the clean subset: without the items that training has seen, and kept in training on purpose.

`decontaminate` flags them in `data/decontam/flags.parquet`. Where nothing is flagged, nothing is added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from lingshu.core.layout import DECONTAM
from lingshu.evalkit.judge import Judgement
from lingshu.evalkit.judging import OPEN, Key
from lingshu.evalkit.params import ScoreParams
from lingshu.evalkit.scoring import ScoredRun, score_run
from lingshu.evalkit.summary import ALL, Cell, cells

FLAGS_FILE = "flags.parquet"
CLEAN = "clean"
CLEAN_OPEN = "clean_open"
FLAGGED = "flagged"


def flagged_items(root: Path = Path()) -> dict[str, set[str]]:
    """Return for each benchmark the ids of the items that training has seen; empty where no table of flags is."""
    path = root / DECONTAM / FLAGS_FILE
    if not path.exists():
        return {}
    found: dict[str, set[str]] = {}
    for benchmark, item in pl.read_parquet(path, columns=["benchmark", "item_id"]).iter_rows():
        found.setdefault(benchmark, set()).add(item)
    return found


def clean_cells(
    scored: ScoredRun, flagged: Mapping[str, set[str]], judgements: Mapping[Key, Judgement], params: ScoreParams
) -> dict[str, Cell]:
    """Return cells `clean` and, for open answers, `clean_open`: those of `summary.cells` over the clean items.

    Each also says how many items are `flagged`. A benchmark without a flagged item has none.
    """
    seen = flagged.get(scored.run.benchmark.name, set())
    items = [item for item in scored.run.items if item.id not in seen]
    count = len(scored.run.items) - len(items)
    if not count:
        return {}
    if not items:
        return {CLEAN: {"accuracy": None, "n": 0, FLAGGED: count}}
    found = cells(score_run(replace(scored.run, items=items), judgements), params)
    named: dict[str, Any] = {CLEAN: found.get(ALL), CLEAN_OPEN: found.get(OPEN)}
    return {name: {**cell, FLAGGED: count} for name, cell in named.items() if cell is not None}
