"""The averages at the end of `lingshu eval`: over the benchmarks of a suite, over its items, and as the paper has them.

The paper's averages are unweighted means over the columns of its tables (Lingshu, arXiv 2506.07044, tables 6 and 7);
records that share a column are joined by their items first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lingshu.commands.scored_run import RULES, SCORES
from lingshu.core.files import write_json
from lingshu.inference.record import BenchmarkRun, RunRecord
from lingshu.report.viewer.scores import mean

if TYPE_CHECKING:
    from lingshu.evalkit.params import Rules

AVERAGES = "averages.json"
OWN = "own"  # the suite of questions of one's own
DECIMALS = 6
POWER = 0.8  # as in summaries
Cell = dict[str, Any]


def tell_averages(record: RunRecord, out: Path) -> Iterator[str]:
    """Write `OUT/scores/averages.json` over all scored benchmarks of the run, and yield lines about suites of several.

    Accuracies only: benchmarks of rubrics and reports have none and are left out. A last line says what difference from
    another model each benchmark could show.
    """
    columns = _columns(record)
    found: dict[str, dict[str, Any]] = {}
    for rules in RULES:
        for suite, cells in _cells(record, out, rules).items():
            found.setdefault(suite, {})[rules] = _averages(cells, record.benchmarks, columns.get(suite, []))
    write_json(out / SCORES / AVERAGES, {"suites": found})
    for suite, by_rules in found.items():
        for name, averages in by_rules.items():
            if len(averages["benchmarks"]) > 1:
                yield f"{suite}, {name}: {_sentence(averages)}"
    shown = [
        f"{name} {cell['minimum_detectable']:.4f}"
        for by_rules in found.values()
        for name, cell in by_rules.get("strict", {"benchmarks": {}})["benchmarks"].items()
    ]
    if shown:
        yield f"differences from another model that could be shown (strict, power {POWER:.0%}): {', '.join(shown)}"


def _columns(record: RunRecord) -> dict[str, list[str]]:
    if not any(run.record.get("paper") for run in record.benchmarks.values()):
        return {}
    # Imported here: questions of one's own need no catalogue of public benchmarks.
    from lingshu.commands.public_questions import paper_columns  # noqa: PLC0415

    return paper_columns()


def _cells(record: RunRecord, out: Path, rules: Rules) -> dict[str, dict[str, Cell]]:
    """Return the accuracies by suite and benchmark, of those whose scores are of the responses that are there."""
    found: dict[str, dict[str, Cell]] = {}
    for name, run in record.benchmarks.items():
        path = out / SCORES / rules / f"{name}.summary.json"
        if not path.is_file():
            continue
        summary = json.loads(path.read_text(encoding="utf-8"))
        if summary.get("responses_sha256") == run.sha256 and summary["n"]:
            cell = {key: summary[key] for key in ("accuracy", "low", "high", "n", "minimum_detectable")}
            found.setdefault(str(run.record.get("suite") or OWN), {})[name] = cell
    return found


def _averages(cells: Mapping[str, Cell], runs: Mapping[str, BenchmarkRun], columns: Sequence[str]) -> dict[str, Any]:
    by_column: dict[str, list[Cell]] = {}
    for name, cell in cells.items():
        if column := runs[name].record.get("paper"):
            by_column.setdefault(column, []).append(cell)
    joined = [_weighted(by_column[column]) for column in columns if column in by_column]
    lacking = [column for column in columns if column not in by_column]
    return {
        "benchmarks": dict(cells),
        "over_benchmarks": _rounded(mean(list(cells.values()))),
        "over_items": _rounded(_weighted(list(cells.values()))),
        "as_the_paper": None if lacking else _rounded(mean([cell for cell in joined if cell is not None])),
        "paper_columns_lacking": lacking,
    }


def _weighted(cells: Sequence[Cell]) -> Cell | None:
    return mean(cells, [cell["n"] for cell in cells])


def _rounded(cell: Cell | None) -> Cell | None:
    if cell is None:
        return None
    return {key: round(value, DECIMALS) if isinstance(value, float) else value for key, value in cell.items()}


def _sentence(averages: Mapping[str, Any]) -> str:
    over = f"mean over {len(averages['benchmarks'])} benchmarks {_told(averages['over_benchmarks'])}"
    items = f"over {averages['over_items']['n']} items {_told(averages['over_items'])}"
    if averages["as_the_paper"] is not None:
        paper = f"; over the paper's columns {_told(averages['as_the_paper'])}"
    elif lacking := averages["paper_columns_lacking"]:
        paper = f"; no mean as the paper takes it: {', '.join(lacking)} not asked"
    else:
        paper = ""
    return f"{over}, {items}{paper}"


def _told(cell: Cell) -> str:
    return f"{cell['accuracy']:.4f} ({cell['low']:.4f}–{cell['high']:.4f})"
