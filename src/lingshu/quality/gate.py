"""The gate: read signals, check the tables as a whole, decide row by row, account for every row."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from lingshu.core.errors import UserError
from lingshu.core.files import fresh_dir, write_json
from lingshu.core.layout import verdict_file, verdict_folder
from lingshu.core.verdicts import account, write_verdicts
from lingshu.quality.column_types import check_types
from lingshu.quality.expectations import failures, require, validate
from lingshu.quality.inputs import Tables
from lingshu.quality.params import QualityParams
from lingshu.quality.rules import JUDGED_PICTURES, JUDGED_TEXTS, judge
from lingshu.quality.suites import DRIFT, content_suites, decision_suites, schema_suites

STEP = "gate"
RECORD = "expectations.json"


def gate(
    sources: Sequence[str], params: QualityParams, root: Path = Path(), let_in: Sequence[str] = ()
) -> pl.DataFrame:
    """Write verdicts and `expectations.json` under data/verdicts/gate; return the verdicts, sorted by sample_id.

    Samples of the test split are not judged: they are what training is checked against, and are not trained on. Those
    of the splits in `let_in` (`source/test`) are.

    Raises:
        UserError: an expectation failed (its record is written first), a column of signals has another type, or
            an id in `quarantine.released` is no sample of its source.
    """
    folder = fresh_dir(root / verdict_folder(STEP))
    tables = Tables(root, tuple(sources), tuple(let_in))
    records = validate(schema_suites(tables))
    _record(folder, root, records, params)
    check_types(tables)
    _check_released(tables, params.quarantine.released)
    records += validate(content_suites(tables))
    _record(folder, root, records, params)
    parts = [_decided(tables, source, params) for source in sources]
    ids = pl.concat(judged for judged, _ in parts)
    decisions = pl.concat(made for _, made in parts).sort("sample_id")
    del parts
    records += validate(decision_suites(tables, decisions, params))
    _record(folder, root, records, params)

    verdicts = decisions.with_columns(pl.lit(STEP).alias("step"))
    account(STEP, ids, verdicts)
    write_verdicts(root / verdict_file(STEP), verdicts)
    return verdicts


def _check_released(tables: Tables, released: Sequence[str]) -> None:
    """Refuse ids that release nothing. Those of a source that is not in use wait until it is.

    Raises:
        UserError: an id is no sample of its source.
    """
    for source in tables.sources:
        own = [sample_id for sample_id in released if sample_id.startswith(f"{source}:")]
        if own and (unknown := sorted(set(own) - set(tables.samples(source, ("sample_id",))["sample_id"]))):
            raise UserError(
                f"params.yaml: quality.quarantine.released: {', '.join(unknown)}: no such sample",
                "mend the id or take it out; of a sample that has changed, look again and list its new id",
            )


def _decided(tables: Tables, source: str, params: QualityParams) -> tuple[pl.Series, pl.DataFrame]:
    """Return the ids of a source's samples that are judged, and their decisions: its pictures lie with it."""
    judged = tables.judged(source)
    texts, pictures = tables.texts(source, JUDGED_TEXTS), tables.pictures(source, JUDGED_PICTURES)
    return judged["sample_id"], judge(judged, texts, pictures, params)


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
