"""Deduplicate what the gate kept: exact copies, then pictures within each scope by each check, then near-equal texts.

No step holds an object a row, and texts are read in batches, so five million rows take a few gigabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lingshu.core.files import atomic_path, fresh_dir
from lingshu.core.layout import aside_file, verdict_file, verdict_folder
from lingshu.core.verdicts import KEPT, account, funnel, report_only, write_verdicts
from lingshu.dedup.clusters import clusters
from lingshu.dedup.copies import METHODS, Copies, exact_copies
from lingshu.dedup.looks import read_variants, read_vectors
from lingshu.dedup.params import DedupParams, PictureParams, Scope, SemanticParams, VariantParams
from lingshu.dedup.pictures import picture_copies
from lingshu.dedup.rows import Rows, read_rows
from lingshu.dedup.semantic import semantic_copies
from lingshu.dedup.texts import text_copies
from lingshu.dedup.variants import variant_copies

STEP = "deduplicate"


@dataclass(frozen=True, slots=True)
class Deduplicated:
    """The verdicts (`core.verdicts.FRAME_SCHEMA`), in order of preference, and the metrics: the funnel."""

    verdicts: pl.DataFrame
    metrics: dict[str, Any]


def deduplicate(sources: Sequence[str], params: DedupParams, root: Path = Path()) -> Deduplicated:
    """Write verdicts and `clusters.parquet` (`dedup.clusters`) under data/verdicts/deduplicate.

    Only rows that the gate kept are compared and judged. Questions about pictures are dropped only as exact copies,
    unless a scope names them: templates ask the same question of many pictures. Texts that the gate put aside are
    judged behind all these, for what may be made from them once they are masked: `aside.parquet`.

    Raises:
        UserError: an enabled source has no place in `dedup.reliability`, or a sample or picture was not measured.
    """
    folder = fresh_dir(root / verdict_folder(STEP))
    rows = read_rows(sources, params.reliability, root)
    copies = find_copies(rows, params)
    every = _verdicts(rows, copies)
    verdicts, aside = every[: rows.passed], every[rows.passed :]
    found = funnel(verdicts) | ({"aside": funnel(aside)} if len(aside) else {})
    if params.report_only:
        verdicts, aside = report_only(verdicts), report_only(aside)
        found = funnel(verdicts) | {"report_only": found["dropped"]} | ({"aside": funnel(aside)} if len(aside) else {})
    account(STEP, rows.names["sample_id"][: rows.passed], verdicts)
    account(STEP, rows.names["sample_id"][rows.passed :], aside)
    with atomic_path(folder / "clusters.parquet") as temporary:
        pq.write_table(clusters(rows.names, copies).to_arrow(), temporary, compression="zstd")
    write_verdicts(root / verdict_file(STEP), verdicts)
    write_verdicts(root / aside_file(STEP), aside)
    return Deduplicated(verdicts, found)


def find_copies(rows: Rows, params: DedupParams) -> dict[str, Copies]:
    """Return the copies that each method of `copies.METHODS` finds; each sees only what those before it left."""
    left = np.ones(len(rows), dtype=np.bool_)
    counts = np.diff(rows.offsets)
    found = {"exact": exact_copies(rows.content)}
    left[found["exact"].rows] = False

    def in_scopes(
        scopes: Sequence[Scope], compared: NDArray[np.bool_], copies_of: Callable[[NDArray[np.int64]], Copies]
    ) -> Copies:
        parts = []
        for scope in scopes:
            parts.append(copies_of(np.flatnonzero(left & compared & _in_scope(rows.names, scope))))
            left[parts[-1].rows] = False
        return _together(parts)

    found["phash"] = in_scopes(params.pictures.scopes, counts > 0, partial(_by_hash, rows, params.pictures))
    if params.variants:
        found["variant"] = in_scopes(params.variants.scopes, counts == 1, partial(_by_variant, rows, params.variants))
    if params.semantic:
        found["semantic"] = in_scopes(params.semantic.scopes, counts == 1, partial(_by_meaning, rows, params.semantic))
    groups = None if params.text.within_groups else rows.groups
    found["minhash"] = text_copies(rows.texts, left & (counts == 0), groups, params.text)
    return found


def _by_hash(rows: Rows, params: PictureParams, within: NDArray[np.int64]) -> Copies:
    groups = None if params.within_groups else rows.groups
    return picture_copies(within, rows.hashes, rows.offsets, groups, params.radius)


def _by_variant(rows: Rows, params: VariantParams, within: NDArray[np.int64]) -> Copies:
    groups = None if params.within_groups else rows.groups
    hashes = rows.hashes[rows.offsets[within]]
    return variant_copies(within, hashes, read_variants(rows, within), groups, params.radius)


def _by_meaning(rows: Rows, params: SemanticParams, within: NDArray[np.int64]) -> Copies:
    groups = None if params.within_groups else rows.groups
    vectors = read_vectors(rows, within, rows.root / params.embeddings)
    return semantic_copies(within, vectors, groups, params)


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
