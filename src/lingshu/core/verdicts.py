"""Verdicts: what a deciding step kept or dropped, and why. Nothing vanishes: rows in = kept + dropped by reason."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from lingshu.core.errors import AccountingError
from lingshu.core.files import atomic_path
from lingshu.core.id_joins import rows_not_among
from lingshu.core.layout import MODALITY, aside_file, verdict_file

KEPT = "KEPT"
QUARANTINED = "QUARANTINED"  # how the reasons begin for which a sample is put aside, its text shown to nobody
QUARANTINED_TEXT = f"{QUARANTINED}_TEXT"  # of them, the one for what may be masked
IDENTITY_LEFT = "IDENTITY_LEFT"  # why `verify` rejects what may name a person still
NOTED = " (report only)"  # how a finding ends, in the detail of a verdict, that drops nothing
ROWS_A_GROUP = 1 << 20  # as pyarrow writes by itself
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


def quarantined() -> pl.Expr:
    """Return whether a verdict's sample is put aside, or would be but for report-only mode: nothing of it is shown."""
    noted = pl.col("detail").str.contains(QUARANTINED, literal=True).fill_null(value=False)
    return pl.col("reason").str.starts_with(QUARANTINED) | noted


FRAME_SCHEMA = pl.Schema(
    {
        "sample_id": pl.String(),
        "source": pl.String(),
        "step": pl.String(),
        "keep": pl.Boolean(),
        "reason": pl.String(),
        "score": pl.Float64(),
        "detail": pl.String(),
    }
)
_ROW = attrgetter(*FRAME_SCHEMA)
Verdicts: TypeAlias = pl.DataFrame | Iterable[Verdict]  # a frame has the columns of FRAME_SCHEMA: five million rows fit


def verdict_frame(verdicts: Verdicts) -> pl.DataFrame:
    """Return the verdicts as a frame with the columns of `FRAME_SCHEMA`, in their order."""
    if isinstance(verdicts, pl.DataFrame):
        return verdicts.select(FRAME_SCHEMA.names()).cast(FRAME_SCHEMA)
    return pl.DataFrame(list(map(_ROW, verdicts)), schema=FRAME_SCHEMA, orient="row")


def write_verdicts(path: Path, verdicts: Verdicts) -> None:
    """Write verdicts sorted by (sample_id, reason) to a Parquet file."""
    ordered = verdict_frame(verdicts).sort("sample_id", "reason", maintain_order=True)
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, VERDICT_SCHEMA, compression="zstd") as writer:
        # Batches bound the copy that Arrow's 32-bit strings need.
        for start in range(0, max(len(ordered), 1), ROWS_A_GROUP):
            writer.write_table(ordered.slice(start, ROWS_A_GROUP).to_arrow().cast(VERDICT_SCHEMA), ROWS_A_GROUP)


class VerdictWriter:
    """Writes a verdict file as verdicts come, in that order; a context, as `images.ImageWriter`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[Verdict] = []
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
        self._rows.append(verdict)
        if len(self._rows) >= ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        self._table.write_table(verdict_frame(self._rows).to_arrow().cast(VERDICT_SCHEMA))
        self._rows = []


def read_verdicts(path: Path) -> pl.DataFrame:
    """Return a verdict file as a frame with the columns of `VERDICT_SCHEMA`."""
    return pl.read_parquet(path)


def kept(path: Path) -> pl.DataFrame:
    """Return the samples that the step at `path` kept: one column, sample_id."""
    return pl.scan_parquet(path).filter(pl.col("keep")).select("sample_id").collect()


def kept_ids(path: Path) -> set[str]:
    """Return the sample ids that the step at `path` kept, as a set: for thousands, where `kept` is for millions."""
    return set(kept(path)["sample_id"])


def eligible(root: Path = Path()) -> pl.DataFrame:
    """Return what synthesis and the mix may use: kept by `decontaminate` and not dropped by `classify_modality`.

    One column, sample_id.
    """
    decided = pl.scan_parquet(root / MODALITY / "verdicts.parquet")
    dropped = decided.filter(~pl.col("keep")).select("sample_id").collect()
    return rows_not_among(kept(root / verdict_file("decontaminate")), dropped["sample_id"])


def eligible_ids(root: Path = Path()) -> set[str]:
    """Return the ids of `eligible` as a set."""
    return set(eligible(root)["sample_id"])


def put_aside(root: Path = Path()) -> pl.DataFrame:
    """Return what the gate put aside for its text and would have kept otherwise: one column, sample_id."""
    findings = pl.col("detail").str.split("; ").list
    text = pl.element().str.starts_with(QUARANTINED_TEXT)
    enforced = ~pl.element().str.ends_with(NOTED) | pl.element().str.starts_with(QUARANTINED)
    only_text = (pl.col("reason") == QUARANTINED_TEXT) & ~findings.eval(~text & enforced).list.any()
    return pl.scan_parquet(root / verdict_file("gate")).filter(only_text).select("sample_id").collect()


def eligible_aside(root: Path = Path()) -> set[str]:
    """Return the ids of `put_aside` that deduplication and decontamination kept, to be used once they are masked."""
    return kept_ids(root / aside_file("decontaminate"))


def report_only(verdicts: pl.DataFrame) -> pl.DataFrame:
    """Return the verdicts with every row kept; of one that was dropped, `detail` says why, and that it is a report."""
    found = pl.format("{}: {}{}", "reason", "detail", pl.lit(NOTED))
    return verdicts.with_columns(
        keep=pl.lit(True),
        reason=pl.lit(KEPT),
        detail=pl.when("keep").then("detail").otherwise(found),
    )


def count_by_reason(verdicts: Verdicts) -> dict[str, dict[str, int]]:
    """Return `{source: {reason: count}}`, KEPT included, sorted."""
    result: dict[str, dict[str, int]] = {}
    counts = verdict_frame(verdicts).group_by("source", "reason").len().sort("source", "reason")
    for source, reason, number in counts.iter_rows():
        result.setdefault(source, {})[reason] = number
    return result


def funnel(verdicts: Verdicts) -> dict[str, dict[str, Any]]:
    """Return `{"in": {source: n}, "kept": {source: n}, "dropped": {source: {reason: n}}}`: a step's metrics."""
    result: dict[str, dict[str, Any]] = {"in": {}, "kept": {}, "dropped": {}}
    for source, reasons in count_by_reason(verdicts).items():
        result["in"][source] = sum(reasons.values())
        result["kept"][source] = reasons.pop(KEPT, 0)
        result["dropped"][source] = reasons
    return result


def account(step: str, ids_in: Iterable[str], verdicts: Verdicts) -> None:
    """Assert that every sample that came in has exactly one verdict and that no other has.

    Raises:
        AccountingError: a row is missing, doubled or unknown.
    """
    expected = pl.Series("sample_id", ids_in, dtype=pl.String).sort()
    decided = verdict_frame(verdicts)["sample_id"].sort()
    if len(expected) == len(decided) and (expected == decided).all():
        return
    left, right = Counter(expected), Counter(decided)
    lost, extra = sorted((left - right).elements())[:3], sorted((right - left).elements())[:3]
    raise AccountingError(f"{step}: {len(expected)} rows in, {len(decided)} verdicts; lost {lost}, unexpected {extra}")
