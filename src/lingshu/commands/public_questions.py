"""The questions that `lingshu eval` asks: public benchmarks by suite or name, and files of the user's own."""

from __future__ import annotations

import sys
from pathlib import Path

from lingshu.benchmarks.public.catalog import pick_public, read_public
from lingshu.benchmarks.public.load import Loaded, error_examples, load
from lingshu.commands.catalogue import find_catalog
from lingshu.commands.evaluate import Found, Wanted
from lingshu.core.errors import UserError
from lingshu.inference.evaluate import AskedBenchmark


def find_public(wanted: Wanted) -> Found:
    """Return the wanted public benchmarks, all names checked before anything is loaded.

    One that is named must load; one that only its suite names may be out of reach (credentials, a folder not given): it
    is told as not asked, and the others are asked.

    Raises:
        UserError: no such benchmark, or a named one can't be loaded.
    """
    catalog = find_catalog()
    for name in (*wanted.benchmarks, *(name for name, _ in wanted.folders)):
        pick_public(name, catalog)
    records = read_public(catalog)
    suites = [name for name, record in records.items() if record.suite in wanted.suites]
    names = [name for name in suites if name in wanted.benchmarks] if wanted.benchmarks and suites else suites
    names = list(dict.fromkeys([*names, *wanted.benchmarks]))
    found: list[AskedBenchmark] = []
    problems: list[str] = []
    for name in names:
        try:
            loaded = _load(name, wanted, catalog)
            _tell(loaded)
            found.append(_asked(loaded, wanted))
        except UserError as error:
            if name in wanted.benchmarks or any(name == given for given, _ in wanted.folders):
                raise
            problems.append(f"{name}: not asked: {error}")
    return Found(found, problems)


def _tell(loaded: Loaded) -> None:
    """Say on stderr how the files were found, and which of their rows are not asked."""
    for note in loaded.notes:
        print(f"note: {note}", file=sys.stderr)
    if loaded.data_errors:
        reasons = ", ".join(f"{count} {reason}" for reason, count in loaded.error_counts().items())
        what = f"{len(loaded.data_errors)} of {loaded.rows} rows can't be asked and are left out ({reasons})"
        examples = "".join(f"\n  {error}" for error in error_examples(loaded))
        print(f"warning: {loaded.name}: {what}, such as{examples}", file=sys.stderr)


def _load(name: str, wanted: Wanted, catalog: Path) -> Loaded:
    return load(
        name,
        root_catalog=catalog,
        folder=dict(wanted.folders).get(name),
        accept_rows=wanted.accept_rows,
        reasoning=wanted.reasoning,
        limit=wanted.limit,
        with_pictures=wanted.with_pictures,
    )


def _asked(loaded: Loaded, wanted: Wanted) -> AskedBenchmark:
    record = {
        "suite": loaded.record.suite,
        "paper": loaded.record.paper,
        "split": loaded.record.split,
        "form": loaded.form,
        "revisions": dict(loaded.revisions),
        "rows": loaded.rows,
        "data_errors": loaded.error_counts(),
        "reasoning": wanted.reasoning,
        "limit": wanted.limit,
    }
    return AskedBenchmark(loaded.name, loaded.questions, record)


def paper_columns() -> dict[str, list[str]]:
    """Return the columns of the Lingshu paper's tables by suite, in the catalogue's order."""
    found: dict[str, list[str]] = {}
    for record in read_public(find_catalog()).values():
        if record.paper and record.paper not in found.setdefault(record.suite, []):
            found[record.suite].append(record.paper)
    return found
