"""Reports and sub-scores from files, paired by id: what does not fit is an error that names file, line and id."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu.core.errors import UserError
from lingshu.core.half_pairs import without_half_pairs

ID_KEYS = ("id", "study_id")
REPORT = "report"
SHOWN = 5  # ids that a message names
LONGEST_FIELD = 1 << 30  # characters of a CSV field: a model that repeats itself passes the module's 131,072


@dataclass(frozen=True, slots=True)
class Reports:
    """Texts by id in the order of the file; `ignored` are the keys of the file that are not used, sorted."""

    path: Path
    texts: dict[str, str]
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """References and candidates with the same ids, in the order of the references."""

    ids: list[str]
    references: list[str]
    candidates: list[str]


def read_reports(path: Path) -> Reports:
    """Return the reports of a CSV file (`.csv`, with a header) or of JSON lines: `id` or `study_id`, and `report`.

    An empty report, or null, is an empty text. Half surrogate pairs, in which a model's text may end, become U+FFFD.
    Other keys are not used, and listed.

    Raises:
        UserError: the file is missing, empty or broken, a row lacks a key, an id comes twice.
    """
    texts: dict[str, str] = {}
    keys: set[str] = set()
    for place, row in _rows(path):
        identity = _identity(row, place)
        if REPORT not in row:
            raise UserError(
                f"{place}: no {REPORT!r} among {_listed_keys(row)}",
                "give every row an id and a report (an empty one scores 0)",
            )
        text = row[REPORT] if row[REPORT] is not None else ""
        if not isinstance(text, str):
            raise UserError(f"{place}: {REPORT!r} is {type(text).__name__}, not text", "write the report as a string")
        _add(texts, identity, without_half_pairs(text), place)
        keys.update(without_half_pairs([*row]))
    if not texts:
        raise UserError(f"{path}: no report in it", "write one JSON object a line, or a CSV with a header")
    return Reports(path, texts, tuple(sorted(keys - {REPORT, *ID_KEYS})))


def pair(references: Reports, candidates: Reports) -> Pairs:
    """Return both sides by id.

    Raises:
        UserError: an id is on one side only (names the file and the first ids).
    """
    for has, lacks in ((references, candidates), (candidates, references)):
        if missing := [identity for identity in has.texts if identity not in lacks.texts]:
            raise UserError(
                f"{lacks.path}: no report for {_listed(missing)} of {has.path}",
                "write every id in both files; a report that was not produced is an empty one, and scores 0",
            )
    ids = list(references.texts)
    return Pairs(ids, [references.texts[i] for i in ids], [candidates.texts[i] for i in ids])


def read_sub_scores(path: Path, names: Sequence[str], ids: Sequence[str]) -> dict[str, list[float]]:
    """Return the values of `names` that the file has, each in the order of `ids`; rows as in `read_reports`.

    Raises:
        UserError: an id is unknown, missing or there twice, or a value is not a finite number.
    """
    rows: dict[str, dict[str, Any]] = {}
    places: dict[str, str] = {}
    for place, row in _rows(path):
        identity = _identity(row, place)
        _add(rows, identity, row, place)
        places[identity] = place
    wanted = set(ids)
    for side, missing in (("the references", rows.keys() - wanted), (str(path), wanted - rows.keys())):
        if missing:
            raise UserError(f"{path}: {side} lacks {_listed(sorted(missing))}", "give sub-scores for exactly these ids")
    present = [name for name in names if name in rows[ids[0]]]
    return {name: [_number(rows[i], name, places[i]) for i in ids] for name in present}


def _number(row: dict[str, Any], name: str, place: str) -> float:
    value = row.get(name)
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UserError(f"{place}: {name!r} is {value!r}, not a number", "give every row each sub-score")
    return number


def _add(rows: dict[str, Any], identity: str, value: Any, place: str) -> None:
    if identity in rows:
        raise UserError(f"{place}: id {identity!r} is there twice", "keep one row for each id")
    rows[identity] = value


def _identity(row: dict[str, Any], place: str) -> str:
    found = [row[key] for key in ID_KEYS if key in row]
    if len(found) != 1:
        what = "both 'id' and 'study_id'" if found else f"no 'id' or 'study_id' among {_listed_keys(row)}"
        raise UserError(f"{place}: {what}", "give every row one of the two")
    value = found[0]
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).strip():
        raise UserError(f"{place}: id is {value!r}, not a text or a whole number", "give the row an id")
    return str(value).strip()


def _listed_keys(row: dict[str, Any]) -> str:
    return ", ".join(map(repr, list(row)[:SHOWN])) + (" …" if len(row) > SHOWN else "") or "no keys"


def _listed(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return f"{len(ids)} id{'s' if len(ids) > 1 else ''} ({', '.join(ids[:SHOWN])}{more})"


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row); the place names file and line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _csv_rows(path, file) if path.suffix.lower() == ".csv" else _json_rows(path, file)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", "name a file that can be read") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8: {error.reason} at byte {error.start}", "save it as UTF-8") from None


def _csv_rows(path: Path, file: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.DictReader(file, strict=True)
    try:
        names = reader.fieldnames or ()
        if len(set(names)) < len(names):
            raise UserError(f"{path}: two columns have one name", "give each column its own")
        for row in reader:
            place = f"{path}, line {reader.line_num}"
            if None in row or None in row.values():
                raise UserError(f"{place}: the row and the header differ in length", "quote reports that have commas")
            yield place, row
    except csv.Error as error:
        raise UserError(
            f"{path}, the row after line {reader.line_num}: not valid CSV: {error}",
            "close each quote that is opened, and double one inside a text",
        ) from None


def _json_rows(path: Path, file: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:  # a number of more digits than Python reads is a ValueError, too
            raise UserError(f"{place}: not JSON: {error}", "write one JSON object a line") from None
        if not isinstance(row, dict):
            raise UserError(f"{place}: not a JSON object", 'write {"id": …, "report": …} on each line')
        yield place, row
