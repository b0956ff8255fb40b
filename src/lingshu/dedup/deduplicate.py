"""Deduplicate what the gate kept: exact copies, then pictures within each scope, then near-equal texts.

No step holds an object a row, and texts are read in batches, so five million rows take a few gigabytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lingshu.core.files import atomic_path, fresh_dir
from lingshu.core.layout import verdict_file, verdict_folder
from lingshu.core.verdicts import KEPT, account, funnel, write_verdicts
from lingshu.dedup.clusters import clusters
from lingshu.dedup.copies import METHODS, Copies, exact_copies
from lingshu.dedup.params import DedupParams, Scope
from lingshu.dedup.pictures import picture_copies
from lingshu.dedup.rows import Rows, read_rows
from lingshu.dedup.texts import text_copies

STEP = "deduplicate"


@dataclass(frozen=True, slots=True)
class Deduplicated:
    """The verdicts (`core.verdicts.FRAME_SCHEMA`), in order of preference, and the metrics: the funnel."""

    verdicts: pl.DataFrame
    metrics: dict[str, Any]


def deduplicate(sources: Sequence[str], params: DedupParams, root: Path = Path()) -> Deduplicated:
    """Write verdicts and `clusters.parquet` (`dedup.clusters`) under data/verdicts/deduplicate.

    Only rows that the gate kept are compared and judged. Questions about pictures are dropped only as exact copies,
    unless a scope names them: templates ask the same question of many pictures.

    Raises:
        UserError: an enabled source has no place in `dedup.reliability`, or a sample or picture was not measured.
    """
    folder = fresh_dir(root / verdict_folder(STEP))
    rows = read_rows(sources, params.reliability, root)
    copies = find_copies(rows, params)
    verdicts = _verdicts(rows, copies)
    account(STEP, rows.names["sample_id"], verdicts)
    with atomic_path(folder / "clusters.parquet") as temporary:
        pq.write_table(clusters(rows.names, copies).to_arrow(), temporary, compression="zstd")
    write_verdicts(root / verdict_file(STEP), verdicts)
    return Deduplicated(verdicts, funnel(verdicts))


def find_copies(rows: Rows, params: DedupParams) -> dict[str, Copies]:
    """Return the copies that each method of `copies.METHODS` finds; each sees only what those before it left."""
    left = np.ones(len(rows), dtype=np.bool_)
    found = {"exact": exact_copies(rows.content)}
    left[found["exact"].rows] = False
    shown = np.diff(rows.offsets) > 0
    pictures = []
    for scope in params.pictures.scopes:
        within = np.flatnonzero(left & shown & _in_scope(rows.names, scope))
        groups = None if params.pictures.within_groups else rows.groups
        pictures.append(picture_copies(within, rows.hashes, rows.offsets, groups, params.pictures.radius))
        left[pictures[-1].rows] = False
    found["phash"] = _together(pictures)
    groups = None if params.text.within_groups else rows.groups
    found["minhash"] = text_copies(rows.texts, left & ~shown, groups, params.text)
    return found


def _in_scope(names: pl.DataFrame, scope: Scope) -> NDArray[np.bool_]:
    inside = pl.col("task").is_in(scope.tasks)
    if scope.sources:
        inside &= pl.col("source").is_in(scope.sources)
    return names.select(inside)["task"].to_numpy()


def _together(parts: list[Copies]) -> Copies:
    """Return the copies of all parts, ascending."""
    none = np.empty(0, dtype=np.int64)
    rows = np.concatenate([none, *(part.rows for part in parts)])
    kept = np.concatenate([none, *(part.kept for part in parts)])
    distance = np.concatenate([none.astype(np.float64), *(part.distance for part in parts)])
    similarity = np.concatenate([none.astype(np.float64), *(part.similarity for part in parts)])
    order = np.argsort(rows)
    return Copies(rows[order], kept[order], distance[order], similarity[order])


def _verdicts(rows: Rows, found: dict[str, Copies]) -> pl.DataFrame:
    reason = np.zeros(len(rows), dtype=np.uint8)
    score = np.full(len(rows), np.nan)
    twin = np.full(len(rows), -1, dtype=np.int64)
    for number, copies in enumerate(found.values(), start=1):
        reason[copies.rows], score[copies.rows], twin[copies.rows] = number, copies.similarity, copies.kept
    names = pl.Series([KEPT, *(METHODS[method] for method in found)])
    kept_instead = rows.names["sample_id"].gather(pl.Series(twin).set(pl.Series(twin) < 0, None))
    return rows.names.select(
        "sample_id",
        "source",
        step=pl.lit(STEP),
        keep=pl.Series(reason == 0),
        reason=names.gather(reason),
        score=pl.Series(score).fill_nan(None),
        detail=("copy of " + kept_instead).fill_null(""),
    )
