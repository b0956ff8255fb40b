"""Great Expectations' Data Docs of the gate's suites: pages that open from disk, for people.

The suites are those of the gate, on the same small tables. Importing this module imports Great Expectations.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import great_expectations as gx
from great_expectations.core.expectation_suite import ExpectationSuite
from great_expectations.data_context.types.base import ProgressBarsConfig

from lingshu.core.files import fresh_dir
from lingshu.core.layout import verdict_file
from lingshu.core.verdicts import read_verdicts
from lingshu.quality.docs_pages import Outcome, make_offline
from lingshu.quality.expectations import Suite
from lingshu.quality.inputs import Tables
from lingshu.quality.params import QualityParams
from lingshu.quality.suites import content_suites, decision_suites, schema_suites

SITE = "lingshu"


def gate_suites(sources: Sequence[str], params: QualityParams, root: Path = Path()) -> list[Suite]:
    """Return every suite of the gate on what lies under data/ now, its last decisions included."""
    tables = Tables(root, tuple(sources))
    decisions = read_verdicts(root / verdict_file("gate"))
    return [*schema_suites(tables), *content_suites(tables), *decision_suites(tables, decisions, params)]


def write_docs(suites: Sequence[Suite], out: Path) -> tuple[Path, int]:
    """Validate the suites, write the pages to `out` (emptied before) and return the first page and how many failed."""
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    for name in list(context.get_site_names()):
        context.delete_data_docs_site(name)
    context.add_data_docs_site(SITE, _site(fresh_dir(out).resolve()))
    source = context.data_sources.add_pandas("tables")
    outcomes = [_validated(context, source, suite) for suite in suites]
    context.build_data_docs(site_names=[SITE])
    return make_offline(out, outcomes), sum(one.failed > 0 for one in outcomes)


def _site(folder: Path) -> Any:
    return {
        "class_name": "SiteBuilder",
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "show_how_to_buttons": False,
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
    }


def _validated(context: Any, source: Any, suite: Suite) -> Outcome:
    """Validate one suite so that its result is among those that the pages show."""
    batches = source.add_dataframe_asset(suite.name).add_batch_definition_whole_dataframe("all")
    wanted = context.suites.add(ExpectationSuite(suite.name, expectations=list(suite.expectations)))
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name=suite.name, data=batches, suite=wanted)
    )
    shown = {"result_format": "COMPLETE", "unexpected_index_column_names": list(suite.identified_by)}
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(name=suite.name, validation_definitions=[definition], result_format=shown)
    )
    run = checkpoint.run(batch_parameters={"dataframe": suite.table.to_pandas()})
    failed = sum(not one.success for result in run.run_results.values() for one in result.results)
    return Outcome(suite.name, len(suite.expectations), failed)
