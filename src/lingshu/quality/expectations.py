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
from great_expectations.expectations.expectation import Expectation

from lingshu.core.errors import UserError

SHOWN_ROWS = 3


@dataclass(frozen=True, slots=True)
class Suite:
    """A named list of expectations, the table they judge, and the columns that tell its rows apart."""

    name: str
    table: pl.DataFrame
    expectations: Sequence[Expectation]
    identified_by: tuple[str, ...] = ("source",)


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
    shown = {"result_format": "COMPLETE", "unexpected_index_column_names": list(suite.identified_by)}
    records = []
    for result in batch.validate(wanted, result_format=shown).to_json_dict()["results"]:
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
    if failed := failures(records):
        raise UserError(
            f"{len(failed)} of {len(records)} expectations failed:\n  " + "\n  ".join(failed),
            f"see {record_file}; mend the source named there, or the threshold under `quality` in params.yaml",
        )


def failures(records: Sequence[dict[str, Any]]) -> list[str]:
    """Return a line for each expectation that does not hold: suite, expectation, column and what was seen."""
    failed = [record for record in records if not record["success"]]
    return [f"{r['suite']}: {r['expectation']} {_named(r['kwargs'])}: saw {_shown(r['observed'])}" for r in failed]


def _named(values: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(values.items()))


def _shown(observed: Any) -> str:
    if not isinstance(observed, list):
        return str(observed)
    rows = [_named(row) if isinstance(row, dict) else str(row) for row in observed[:SHOWN_ROWS]]
    return "; ".join(rows) + (f"; and {len(observed) - SHOWN_ROWS} more" if len(observed) > SHOWN_ROWS else "")
