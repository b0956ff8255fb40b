"""Verdicts: what a deciding step kept or dropped, and why. Nothing vanishes: rows in = kept + dropped by reason."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from lingshu.core.errors import AccountingError
from lingshu.core.files import atomic_path
from lingshu.core.layout import MODALITY, verdict_file

KEPT = "KEPT"
ROWS_AT_ONCE = 100_000
VERDICT_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("source", pa.string()),
        ("step", pa.string()),
        ("keep", pa.bool_()),
        ("reason", pa.string()),
        ("score", pa.float64()),
        ("detail", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One decision. `reason` is KEPT or an UPPER_CASE word; `detail` names the evidence (a twin's id, a value)."""

    sample_id: str
    source: str
    step: str
    keep: bool
    reason: str
    score: float | None = None
    detail: str = ""


def write_verdicts(path: Path, verdicts: Iterable[Verdict]) -> None:
    """Write verdicts sorted by (sample_id, reason) to a Parquet file."""
    rows = sorted((asdict(v) for v in verdicts), key=lambda r: (r["sample_id"], r["reason"]))
    with atomic_path(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA), temporary, compression="zstd")


class VerdictWriter:
    """Writes a verdict file as verdicts come, in that order; a context, as `images.ImageWriter`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[dict[str, Any]] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> VerdictWriter:
        temporary = self._stack.enter_context(atomic_path(self._path))
        self._table = self._stack.enter_context(pq.ParquetWriter(temporary, VERDICT_SCHEMA, compression="zstd"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        self._stack.__exit__(kind, error, trace)

    def add(self, verdict: Verdict) -> None:
        """Write a verdict."""
        self._rows.append(asdict(verdict))
        if len(self._rows) >= ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        self._table.write_table(pa.Table.from_pylist(self._rows, schema=VERDICT_SCHEMA))
        self._rows = []


def read_verdicts(path: Path) -> pl.DataFrame:
    """Return a verdict file as a frame with the columns of `VERDICT_SCHEMA`."""
    return pl.read_parquet(path)


def kept_ids(path: Path) -> set[str]:
    """Return the sample ids that the step at `path` kept."""
    return set(read_verdicts(path).filter(pl.col("keep"))["sample_id"])


def eligible_ids(root: Path = Path()) -> set[str]:
    """Return the ids synthesis and the mix may use: kept by `decontaminate` and not dropped by `classify_modality`."""
    decided = read_verdicts(root / MODALITY / "verdicts.parquet")
    dropped = set(decided.filter(~pl.col("keep"))["sample_id"])
    return kept_ids(root / verdict_file("decontaminate")) - dropped


def count_by_reason(verdicts: Iterable[Verdict]) -> dict[str, dict[str, int]]:
    """Return `{source: {reason: count}}`, KEPT included, sorted."""
    counts: Counter[tuple[str, str]] = Counter((v.source, v.reason) for v in verdicts)
    result: dict[str, dict[str, int]] = {}
    for (source, reason), number in sorted(counts.items()):
        result.setdefault(source, {})[reason] = number
    return result


def funnel(verdicts: Iterable[Verdict]) -> dict[str, dict[str, Any]]:
    """Return `{"in": {source: n}, "kept": {source: n}, "dropped": {source: {reason: n}}}`: a step's metrics."""
    result: dict[str, dict[str, Any]] = {"in": {}, "kept": {}, "dropped": {}}
    for source, reasons in count_by_reason(verdicts).items():
        result["in"][source] = sum(reasons.values())
        result["kept"][source] = reasons.pop(KEPT, 0)
        result["dropped"][source] = reasons
    return result


def account(step: str, ids_in: Iterable[str], verdicts: Sequence[Verdict]) -> None:
    """Assert that every sample that came in has exactly one verdict and that no other has.

    Raises:
        AccountingError: a row is missing, doubled or unknown.
    """
    expected = Counter(ids_in)
    decided = Counter(v.sample_id for v in verdicts)
    if expected != decided:
        lost = sorted((expected - decided).elements())[:3]
        extra = sorted((decided - expected).elements())[:3]
        raise AccountingError(
            f"{step}: {expected.total()} rows in, {decided.total()} verdicts; lost {lost}, unexpected {extra}"
        )
