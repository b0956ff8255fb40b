"""Expectation suites (Great Expectations) on tables of aggregates, their record, and a clear stop when one fails.

Great Expectations costs seconds to import and about ten times a polars select per row, so it judges small tables:
one row a source. Importing this module imports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import great_expectations as gx
import polars as pl
from great_expectations.core.expectation_suite import ExpectationSuite
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.core.expect_column_pair_values_to_be_equal import ExpectColumnPairValuesToBeEqual
from great_expectations.expectations.core.expect_column_values_to_be_between import ExpectColumnValuesToBeBetween
from great_expectations.expectations.core.expect_column_values_to_be_in_set import ExpectColumnValuesToBeInSet
from great_expectations.expectations.core.expect_column_values_to_be_unique import ExpectColumnValuesToBeUnique
from great_expectations.expectations.core.expect_table_columns_to_match_set import ExpectTableColumnsToMatchSet
from great_expectations.expectations.expectation import Expectation

from lingshu.core.errors import UserError
from lingshu.core.sample import SPLITS, TASKS
from lingshu.quality.aggregates import PICTURE_RANGES, TEXT_RANGES
from lingshu.quality.params import QualityParams

RESULT_FORMAT = {"result_format": "COMPLETE", "unexpected_index_column_names": ["source"]}
SHOWN_ROWS = 3

TEXT_COLUMNS = ("sample_id", "source", "split", "task", "images", *TEXT_RANGES, "text_digest")
PICTURE_COLUMNS = ("image_id", "width", "height", *PICTURE_RANGES, "pixel_digest", "phash", "dhash")


@dataclass(frozen=True, slots=True)
class Suite:
    """A named list of expectations and the table they judge."""

    name: str
    table: pl.DataFrame
    expectations: Sequence[Expectation]


def columns_suite(name: str, table: pl.DataFrame, needed: tuple[str, ...]) -> Suite:
    """Return the suite that asks for the columns the gate reads; judged before the tables are joined."""
    expected = ExpectTableColumnsToMatchSet(column_set=list(needed), exact_match=False)
    return Suite(name, table.clear(), [expected])


def pictures_suite(facts: pl.DataFrame) -> Suite:
    """Return what must hold for picture signals in every source."""
    limits = {
        "min_side": (1, None),
        "sharpness": (0, None),
        "entropy": (0, 8),
        "blank_share": (0, 1),
        "border_share": (0, 1),
        "colour_share": (0, 1),
    }
    return Suite("pictures", facts, [*_identified(), *_ranges(limits)])


def texts_suite(facts: pl.DataFrame) -> Suite:
    """Return what must hold for text signals in every source."""
    limits = {
        "prompt_tokens": (0, None),
        "target_tokens": (1, None),
        "repetition": (0, 1),
        "markup": (0, None),
        "assistant_phrases": (0, None),
        "picture_phrases": (0, None),
    }
    return Suite("texts", facts, [*_identified(), *_ranges(limits)])


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


def _identified() -> list[Expectation]:
    return [
        ExpectColumnValuesToBeUnique(column="source"),
        ExpectColumnPairValuesToBeEqual(column_A="rows", column_B="distinct"),
        ExpectColumnValuesToBeBetween(column="nulls", min_value=0, max_value=0),
    ]


def _ranges(limits: dict[str, tuple[int, int | None]]) -> list[Expectation]:
    found: list[Expectation] = []
    for column, (least, most) in limits.items():
        found.append(ExpectColumnValuesToBeBetween(column=f"{column}_min", min_value=least))
        if most is not None:
            found.append(ExpectColumnValuesToBeBetween(column=f"{column}_max", max_value=most))
    return found


def validate(suites: Sequence[Suite]) -> list[dict[str, Any]]:
    """Return a record for each expectation of each suite: suite, expectation, kwargs, success, result.

    The record holds nothing that changes from run to run (no run ids, no clock values).
    """
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("tables")
    return [record for suite in suites for record in _validate_one(source, suite)]


def _validate_one(source: Any, suite: Suite) -> list[dict[str, Any]]:
    asset = source.add_dataframe_asset(suite.name)
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": suite.table.to_pandas()})
    wanted = ExpectationSuite(suite.name, expectations=list(suite.expectations))
    records = []
    for result in batch.validate(wanted, result_format=RESULT_FORMAT).to_json_dict()["results"]:
        config = result["expectation_config"]
        kwargs = {key: value for key, value in config["kwargs"].items() if key != "batch_id"}
        record = {"suite": suite.name, "expectation": config["type"], "kwargs": kwargs, "success": result["success"]}
        details = {"observed": result["result"].get("observed_value")} if result["success"] else _observed(result)
        records.append({**record, **details})
    return sorted(records, key=lambda r: (r["expectation"], str(r["kwargs"])))


def _observed(result: dict[str, Any]) -> dict[str, Any]:
    """Return what a failed expectation saw: rows (with their source), a value, or the exception it raised."""
    seen = result["result"]
    rows = seen.get("unexpected_index_list") or seen.get("details") or seen.get("observed_value")
    return {"observed": rows or str(result["exception_info"])}


def require(records: Sequence[dict[str, Any]], record_file: str) -> None:
    """Stop unless every expectation holds.

    Raises:
        UserError: names each failed suite, expectation, column and the observed values.
    """
    failed = [record for record in records if not record["success"]]
    if failed:
        lines = [f"{r['suite']}: {r['expectation']} {_named(r['kwargs'])}: saw {_shown(r['observed'])}" for r in failed]
        raise UserError(
            f"{len(failed)} of {len(records)} expectations failed:\n  " + "\n  ".join(lines),
            f"see {record_file}; mend the source named there, or the threshold under `quality` in params.yaml",
        )


def _named(values: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(values.items()))


def _shown(observed: Any) -> str:
    if not isinstance(observed, list):
        return str(observed)
    rows = [_named(row) if isinstance(row, dict) else str(row) for row in observed[:SHOWN_ROWS]]
    return "; ".join(rows) + (f"; and {len(observed) - SHOWN_ROWS} more" if len(observed) > SHOWN_ROWS else "")
