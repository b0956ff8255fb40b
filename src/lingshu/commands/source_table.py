"""`lingshu sources`: every source of the catalogue in a table, with how it was checked (docs/sources.md)."""

from __future__ import annotations

from pathlib import Path

from lingshu.core.errors import UserError
from lingshu.sources.catalog import SOURCES_FOLDER, SourceRecord, read_sources

ORDER = ("mini", "captions", "multimodal instruction", "text", "general", "imaging", "reinforcement")
COLUMNS = ("| source | what it is | kind | licence class | access | rows | checked |", "|---|---|---|---|---|---|---|")
HEAD = """\
# Sources

One line for each record in `catalog/sources/`; `lingshu sources` prints this page, and a test compares the two.

*Checked*, for each on-disk form that is read: **real sample** (read from real rows), **written format** (from upstream's
words or from code that reads it, with invented rows) or **not checked** (from memory). *Rows* are those of the whole
upstream set, and how the number is known.
"""


def lines(catalog: Path) -> list[str]:
    """Return the page, line by line.

    Raises:
        UserError: a record is not valid, or there is none.
    """
    records = read_sources(catalog / SOURCES_FOLDER.name)
    if not records:
        raise UserError(f"{catalog / SOURCES_FOLDER.name}: no records", "run inside the repository")
    found = HEAD.splitlines()
    for group in ORDER:
        of_group = {name: record for name, record in records.items() if record.group == group}
        if of_group:
            found += [
                "",
                f"## {group.capitalize()}",
                "",
                "| source | what it is | kind | licence class | access | rows | checked |",
            ]
            found += ["|---|---|---|---|---|---|---|", *(_row(name, record) for name, record in of_group.items())]
    return found


def _row(name: str, record: SourceRecord) -> str:
    known = record.expected.known
    rows = (
        f"{record.expected.rows:,} ({known})"
        if record.expected.rows
        else "see the record"
        if record.packages
        else "unknown"
    )
    kind = (
        f"{record.kind}, {', '.join(dict.fromkeys(form.adapter for form in record.forms))}"
        if record.forms
        else record.kind
    )
    cells = [f"`{name}`", record.title, kind, record.licence_class, record.access, rows, _checked(record)]
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _checked(record: SourceRecord) -> str:
    if not record.forms:
        return record.checked
    of_form = [form.checked for form in record.forms]
    counted = [(word, of_form.count(word)) for word in ("real sample", "written format", "not checked")]
    return ", ".join(f"{word} ({number})" if len(of_form) > 1 else word for word, number in counted if number)
