"""The gate: read signals, check the tables as a whole, decide row by row, account for every row."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from lingshu.core.files import fresh_dir, write_json
from lingshu.core.layout import verdict_file, verdict_folder
from lingshu.core.verdicts import account, write_verdicts
from lingshu.quality.expectations import failures, require, validate
from lingshu.quality.inputs import read_tables
from lingshu.quality.params import QualityParams
from lingshu.quality.rules import judge
from lingshu.quality.suites import DRIFT, content_suites, decision_suites, schema_suites

STEP = "gate"
RECORD = "expectations.json"


def gate(sources: Sequence[str], params: QualityParams, root: Path = Path()) -> pl.DataFrame:
    """Write verdicts and `expectations.json` under data/verdicts/gate; return the verdicts, sorted by sample_id.

    Samples of the test split are not judged: they are what training is checked against, and are never trained on.

    Raises:
        UserError: an expectation failed (its record is written first).
    """
    folder = fresh_dir(root / verdict_folder(STEP))
    tables = read_tables(sources, root)
    records = validate(schema_suites(tables))
    _record(folder, root, records, params)
    records += validate(content_suites(tables))
    _record(folder, root, records, params)
    judged = tables.judged
    # Source by source: a sample's pictures lie with its source, and what a join holds is then of one source.
    decisions = pl.concat(
        judge(judged.filter(pl.col("source") == name), tables.texts[name], tables.pictures_of(name), params)
        for name in sources
    )
    records += validate(decision_suites(tables, decisions, params))
    _record(folder, root, records, params)

    verdicts = decisions.with_columns(pl.lit(STEP).alias("step")).sort("sample_id")
    account(STEP, judged["sample_id"], verdicts)
    write_verdicts(root / verdict_file(STEP), verdicts)
    return verdicts


def _record(folder: Path, root: Path, records: Sequence[dict[str, object]], params: QualityParams) -> None:
    """Write the record, warn of drift where it stops nothing, and stop where anything else failed."""
    path = folder / RECORD
    write_json(path, records)
    stopping = [r for r in records if params.drift.stop or r["suite"] != DRIFT]
    require(stopping, path.relative_to(root).as_posix())
    if drifted := failures([r for r in records if r not in stopping]):
        print(
            f"warning: {STEP}: far from the accepted run {params.drift.accepted}:",
            *drifted,
            sep="\n  ",
            file=sys.stderr,
        )
