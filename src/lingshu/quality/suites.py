"""The expectation suites of each table: schema, ranges, set membership, uniqueness, counts across tables, drift.

Importing this module imports Great Expectations.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
from great_expectations.expectations.core.expect_column_pair_values_to_be_equal import ExpectColumnPairValuesToBeEqual
from great_expectations.expectations.core.expect_column_values_to_be_between import ExpectColumnValuesToBeBetween
from great_expectations.expectations.core.expect_column_values_to_be_in_set import ExpectColumnValuesToBeInSet
from great_expectations.expectations.core.expect_column_values_to_be_unique import ExpectColumnValuesToBeUnique
from great_expectations.expectations.core.expect_table_columns_to_match_set import ExpectTableColumnsToMatchSet
from great_expectations.expectations.expectation import Expectation

from lingshu.core.sample import SPLITS, TASKS
from lingshu.quality.aggregates import (
    OPTIONAL_PICTURE_COLUMNS,
    PICTURE_CHECKS,
    PICTURE_COLUMNS,
    TEXT_CHECKS,
    TEXT_COLUMNS,
    checked,
    coverage,
    kinds,
    outcome,
    total,
)
from lingshu.quality.checks import Check
from lingshu.quality.drift import PICTURE_NUMBERS, TEXT_SHAPE, Snapshot, distances, read_snapshot
from lingshu.quality.expectations import Suite
from lingshu.quality.inputs import Tables
from lingshu.quality.params import QualityParams

DRIFT = "drift"


def schema_suites(tables: Tables) -> list[Suite]:
    """Return the suites that ask for the columns the gate reads; judged before anything else is read from them."""
    pictures = (*PICTURE_COLUMNS, *OPTIONAL_PICTURE_COLUMNS)
    texts = {source: _no_rows(tables.text_file(source)) for source in tables.sources}
    shown = {source: _no_rows(tables.picture_file(source)) for source in tables.sources}
    return [
        *(columns_suite(f"columns of {source} texts", frame, TEXT_COLUMNS) for source, frame in texts.items()),
        *(columns_suite(f"columns of {source} pictures", frame, pictures) for source, frame in shown.items()),
    ]


def content_suites(tables: Tables) -> list[Suite]:
    """Return what must hold inside the tables of signals, and between them and what was stored."""
    pictures = {source: pl.scan_parquet(tables.picture_file(source)) for source in tables.sources}
    texts = {source: pl.scan_parquet(tables.text_file(source)) for source in tables.sources}
    return [
        row_suite("pictures", checked(pictures, PICTURE_CHECKS), PICTURE_CHECKS),
        row_suite("texts", checked(texts, TEXT_CHECKS), TEXT_CHECKS),
        kinds_suite(kinds(tables.samples(source, ("source", "task", "split")) for source in tables.sources)),
        coverage_suite(total(_coverage(tables, source) for source in tables.sources)),
    ]


def _no_rows(path: Path) -> pl.DataFrame:
    return pl.DataFrame(schema=pl.read_parquet_schema(path))


def _coverage(tables: Tables, source: str) -> pl.DataFrame:
    texts, pictures = tables.texts(source, ("sample_id", "source")), tables.pictures(source, ("image_id",))
    samples = tables.samples(source, ("sample_id", "source"))
    return coverage(samples, texts, tables.index(source), pictures.with_columns(source=pl.lit(source)))


def decision_suites(tables: Tables, decisions: pl.DataFrame, params: QualityParams) -> list[Suite]:
    """Return what must hold for the decisions, and the drift from the accepted run where params name one.

    Raises:
        UserError: the accepted run's file is absent or broken.
    """
    suites = [outcome_suite(outcome(decisions), params)]
    if params.drift.accepted:
        accepted = read_snapshot(tables.root / params.drift.accepted)
        found = pl.concat(_distances(accepted, tables, source, decisions) for source in tables.sources)
        found = found.sort("table", "source", maintain_order=True)
        suites.append(drift_suite(found, params.drift.max_psi))
    return suites


def _distances(accepted: Snapshot, tables: Tables, source: str, decisions: pl.DataFrame) -> pl.DataFrame:
    texts, pictures = tables.texts(source, TEXT_SHAPE), tables.pictures(source, PICTURE_NUMBERS)
    return distances(accepted, {source: texts}, {source: pictures}, decisions.filter(pl.col("source") == source))


def columns_suite(name: str, table: pl.DataFrame, needed: tuple[str, ...]) -> Suite:
    """Return the suite that asks for columns, whatever else there is."""
    expected = ExpectTableColumnsToMatchSet(column_set=list(needed), exact_match=False)
    return Suite(name, table.clear(), [expected])


def row_suite(name: str, counts: pl.DataFrame, checks: Sequence[Check]) -> Suite:
    """Return the suite that wants no row of any source to break a check.

    Args:
        name: of the table.
        counts: as `quality.aggregates.checked` returns them.
        checks: those that were counted.
    """
    none_broken = [ExpectColumnValuesToBeBetween(column=check.name, min_value=0, max_value=0) for check in checks]
    return Suite(name, counts, [ExpectColumnValuesToBeUnique(column="source"), *none_broken])


def kinds_suite(kinds: pl.DataFrame) -> Suite:
    """Return the suite that knows the tasks and splits a sample may have."""
    return Suite(
        "kinds",
        kinds,
        [
            ExpectColumnValuesToBeInSet(column="task", value_set=list(TASKS)),
            ExpectColumnValuesToBeInSet(column="split", value_set=list(SPLITS)),
        ],
    )


def coverage_suite(coverage: pl.DataFrame) -> Suite:
    """Return the suite that compares the tables' counts: everything stored was measured, and nothing else."""
    return Suite(
        "coverage",
        coverage,
        [
            ExpectColumnPairValuesToBeEqual(column_A="samples", column_B="texts"),
            ExpectColumnPairValuesToBeEqual(column_A="stored", column_B="measured"),
            ExpectColumnValuesToBeBetween(column="texts_missing", min_value=0, max_value=0),
            ExpectColumnValuesToBeBetween(column="unmeasured", min_value=0, max_value=0),
        ],
    )


def outcome_suite(outcome: pl.DataFrame, params: QualityParams) -> Suite:
    """Return the suite that stops a gate which drops most of a source."""
    least = ExpectColumnValuesToBeBetween(column="kept_share", min_value=params.min_kept_share, max_value=1)
    return Suite("outcome", outcome, [least])


def drift_suite(distances: pl.DataFrame, most: float) -> Suite:
    """Return the suite that bounds every column's distance from the accepted run."""
    near: Expectation = ExpectColumnValuesToBeBetween(column="psi", min_value=0, max_value=most)
    return Suite(DRIFT, distances, [near], identified_by=("source", "table", "column"))
