"""Distributions of a run, a snapshot of them that a person accepted, and how far the next run lies from it.

The distance is the population stability index, the sum over bins of (p - q) ln(p / q), over deciles of the accepted run
for numbers and over values for words (N. Siddiqi, "Credit Risk Scorecards", 2006: below 0.1 no change, above 0.25 a
large one). A share of nothing counts as half a row, so that one new value does not make the index infinite.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import polars as pl
from pydantic import Field

from lingshu.core.errors import UserError
from lingshu.core.files import write_json
from lingshu.core.params import Strict, validate

SNAPSHOT_VERSION = 1
TEXT_NUMBERS = ("prompt_tokens", "target_tokens", "repetition")
TEXT_WORDS = ("task", "language", "split")
TEXT_SHAPE = (*TEXT_NUMBERS, *TEXT_WORDS)
PICTURE_NUMBERS = ("min_side", "sharpness", "entropy", "blank_share", "border_share", "colour_share")
DECILES = [step / 10 for step in range(1, 10)]
DECIMALS = 6
DRIFT_SCHEMA = {"source": pl.String(), "table": pl.String(), "column": pl.String(), "psi": pl.Float64()}


class Numbers(Strict):
    """A column of numbers: inner edges of its bins (each closed above), ascending, and the rows in each bin."""

    edges: list[float]
    rows: list[int]


class Words(Strict):
    """A column of words: rows of each."""

    rows: dict[str, int]


class TableShape(Strict):
    """The columns of one table of one source."""

    numbers: dict[str, Numbers] = Field(default_factory=dict)
    words: dict[str, Words] = Field(default_factory=dict)


class Snapshot(Strict):
    """The distributions of a run, by table (texts, pictures, verdicts) and source."""

    version: int = SNAPSHOT_VERSION
    tables: dict[str, dict[str, TableShape]]


def snapshot(
    texts: Mapping[str, pl.DataFrame], pictures: Mapping[str, pl.DataFrame], decisions: pl.DataFrame
) -> Snapshot:
    """Return the distributions of a run; a table without rows has none.

    Args:
        texts: text signals of each source.
        pictures: picture signals of each source.
        decisions: source and reason of each verdict.
    """
    reasons = {str(source): part for (source,), part in decisions.partition_by("source", as_dict=True).items()}
    return Snapshot(
        tables={
            "pictures": {s: _shape(frame, PICTURE_NUMBERS, ()) for s, frame in sorted(pictures.items()) if len(frame)},
            "texts": {s: _shape(frame, TEXT_NUMBERS, TEXT_WORDS) for s, frame in sorted(texts.items()) if len(frame)},
            "verdicts": {s: _shape(frame, (), ("reason",)) for s, frame in sorted(reasons.items())},
        }
    )


def _shape(frame: pl.DataFrame, numbers: tuple[str, ...], words: tuple[str, ...]) -> TableShape:
    return TableShape(
        numbers={name: _numbers(frame[name], _deciles(frame[name])) for name in numbers},
        words={name: _words(frame[name]) for name in words},
    )


def _deciles(values: pl.Series) -> list[float]:
    found = values.drop_nulls().cast(pl.Float64)
    if not len(found):
        return []
    cuts = {round(float(found.quantile(share, "nearest") or 0.0), DECIMALS) for share in DECILES}
    # Bins below the least and above the greatest value: where all values are equal, nothing else would show a change.
    ends = {round(float(found.quantile(share, "nearest") or 0.0), DECIMALS) for share in (0, 1)}
    return sorted(cuts | ends | {round(min(ends) - 10**-DECIMALS, DECIMALS)})


def _numbers(values: pl.Series, edges: list[float]) -> Numbers:
    ordered = values.drop_nulls().cast(pl.Float64).sort()
    ends = [int(ordered.search_sorted(edge, side="right")) for edge in edges]
    bounds = [0, *ends, len(ordered)]
    return Numbers(edges=edges, rows=[after - before for before, after in pairwise(bounds)])


def _words(values: pl.Series) -> Words:
    counted = values.drop_nulls().value_counts(name="rows").sort(values.name)
    return Words(rows={str(word): int(rows) for word, rows in counted.iter_rows()})


def distances(
    accepted: Snapshot,
    texts: Mapping[str, pl.DataFrame],
    pictures: Mapping[str, pl.DataFrame],
    decisions: pl.DataFrame,
) -> pl.DataFrame:
    """Return the index of each column of each source that the accepted run had too: source, table, column, psi."""
    now = snapshot(texts, pictures, decisions)
    frames = {"texts": texts, "pictures": pictures}
    rows: list[tuple[str, str, str, float]] = []
    for table, sources in now.tables.items():
        for source, shape in sources.items():
            before = accepted.tables.get(table, {}).get(source)
            if before is None:
                continue
            for name, old in before.numbers.items():
                again = _numbers(frames[table][source][name], old.edges)
                rows.append((source, table, name, psi(old.rows, again.rows)))
            for name, words in before.words.items():
                values = sorted(words.rows.keys() | shape.words[name].rows.keys())
                counts = [[side.rows.get(value, 0) for value in values] for side in (words, shape.words[name])]
                rows.append((source, table, name, psi(*counts)))
    return pl.DataFrame(rows, schema=DRIFT_SCHEMA, orient="row")


def psi(before: list[int], after: list[int]) -> float:
    """Return the population stability index between two lists of rows in the same bins; 0 where one has no rows."""
    if not sum(before) or not sum(after):
        return 0.0
    return sum((p - q) * math.log(p / q) for p, q in zip(_shares(before), _shares(after), strict=True))


def _shares(rows: list[int]) -> list[float]:
    floored = [max(number, 0.5) for number in rows]
    return [number / sum(floored) for number in floored]


def write_snapshot(path: Path, taken: Snapshot) -> None:
    """Write a snapshot as JSON."""
    write_json(path, taken.model_dump())


def read_snapshot(path: Path) -> Snapshot:
    """Return the accepted snapshot.

    Raises:
        UserError: the file is absent or broken.
    """
    if not path.is_file():
        raise UserError(
            f"{path}: no accepted run", 'write it with `lingshu accept`, or set quality.drift.accepted to ""'
        )
    return validate(Snapshot, _json(path), f"{path}: ")


def _json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(
            f"{path}: not JSON: {error}", "restore it from Git, or write it with `lingshu accept`"
        ) from None
