"""Deduplicate what the gate kept: exact copies, then pictures of captions, then near-equal texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from lingshu.core.errors import UserError
from lingshu.core.files import atomic_path, fresh_dir
from lingshu.core.layout import SAMPLES, SIGNALS, verdict_file, verdict_folder
from lingshu.core.tables import sample_table
from lingshu.core.text import normalised
from lingshu.core.verdicts import KEPT, Verdict, account, kept_ids, write_verdicts
from lingshu.dedup.copies import COPY_SCHEMA, exact_copies, picture_copies
from lingshu.dedup.minhash import text_copies
from lingshu.dedup.params import DedupParams

STEP = "deduplicate"
REASONS = {"exact": "EXACT_DUPLICATE", "phash": "PICTURE_DUPLICATE", "minhash": "NEAR_DUPLICATE_TEXT"}


def deduplicate(sources: Sequence[str], params: DedupParams, root: Path = Path()) -> list[Verdict]:
    """Write verdicts and `clusters.parquet` under data/verdicts/deduplicate; return the verdicts by sample_id.

    Only rows that the gate kept are compared and judged. Questions about pictures are dropped only as exact copies:
    templates ask the same question of many pictures.

    Raises:
        UserError: an enabled source has no place in `dedup.reliability`.
    """
    folder = fresh_dir(root / verdict_folder(STEP))
    rows = _rows(sources, params, root)
    copies = find_copies(rows, params)
    verdicts = _verdicts(rows, copies)
    account(STEP, rows["sample_id"], verdicts)
    with atomic_path(folder / "clusters.parquet") as temporary:
        pq.write_table(clusters(rows, copies).to_arrow(), temporary, compression="zstd")
    write_verdicts(root / verdict_file(STEP), verdicts)
    return verdicts


def find_copies(rows: pl.DataFrame, params: DedupParams) -> pl.DataFrame:
    """Return the copies among `rows` (`COPY_SCHEMA`); each pass sees only what the passes before it left."""
    copies = exact_copies(rows)
    left = rows.join(copies, on="sample_id", how="anti", maintain_order="left")
    captions = left.filter(pl.col("task").is_in(params.picture_tasks), pl.col("hashes") != "")
    copies = pl.concat([copies, picture_copies(captions)])
    texts = left.filter(pl.col("hashes") == "")
    return pl.concat([copies, text_copies(texts, params.text)])


def clusters(rows: pl.DataFrame, copies: pl.DataFrame) -> pl.DataFrame:
    """Return each set of copies: cluster (the kept sample's id), sample_id, source, group_id, method, similarity, kept.

    Sorted by cluster and method, the kept sample first in each.
    """
    dropped = copies.rename({"kept": "cluster"}).with_columns(kept=pl.lit(False))
    heads = dropped.unique(["cluster", "method"]).with_columns(
        sample_id=pl.col("cluster"), similarity=pl.lit(1.0), kept=pl.lit(True)
    )
    members = pl.concat([heads, dropped]).join(rows.select("sample_id", "source", "group_id"), on="sample_id")
    columns = ("cluster", "sample_id", "source", "group_id", "method", "similarity", "kept")
    ordered = members.sort("cluster", "method", "kept", "sample_id", descending=[False, False, True, False])
    return ordered.select(columns)


def _rows(sources: Sequence[str], params: DedupParams, root: Path) -> pl.DataFrame:
    """Return the gate's rows in order of preference, with pixels, hashes and text to compare."""
    if missing := sorted(set(sources) - set(params.reliability)):
        raise UserError(
            f"params.yaml: dedup.reliability does not rank {missing}", "add each enabled source to the list"
        )
    rank = pl.col("source").replace_strict({source: place for place, source in enumerate(params.reliability)})
    samples = sample_table(root / SAMPLES / source for source in sources)
    samples = samples.filter(pl.col("sample_id").is_in(kept_ids(root / verdict_file("gate"))))
    digests = _signals(sources, "texts", ["sample_id", "text_digest"], root)
    pictures = _signals(sources, "images", ["image_id", "pixel_digest", "phash"], root).unique("image_id")
    shown = samples.select("sample_id", image_id="image_ids").explode("image_id", empty_as_null=False)
    keys = (
        shown.join(pictures, on="image_id", how="left", maintain_order="left")
        .group_by("sample_id")
        .agg(pixels=pl.col("pixel_digest").str.join("+"), hashes=pl.col("phash").cast(pl.String).str.join("+"))
    )
    text = normalised(pl.concat_str("prompt", "choices", "answer", separator="\n"))
    joined = samples.with_columns(text=text).join(digests, on="sample_id").join(keys, on="sample_id", how="left")
    preferred = joined.with_columns(pl.col("pixels", "hashes").fill_null("")).sort(rank, "group_id", "sample_id")
    return preferred.select("sample_id", "source", "group_id", "task", "pixels", "hashes", "text_digest", "text")


def _signals(sources: Sequence[str], table: str, columns: list[str], root: Path) -> pl.DataFrame:
    return pl.concat(pl.read_parquet(root / SIGNALS / s / f"{table}.parquet", columns=columns) for s in sources)


def _verdicts(rows: pl.DataFrame, copies: pl.DataFrame) -> list[Verdict]:
    assert copies.schema == COPY_SCHEMA
    judged = rows.join(copies, on="sample_id", how="left").sort("sample_id")
    return [
        Verdict(row["sample_id"], row["source"], STEP, True, KEPT)
        if row["kept"] is None
        else Verdict(
            row["sample_id"], row["source"], STEP, False, REASONS[row["method"]], row["similarity"],
            f"copy of {row['kept']}",
        )
        for row in judged.iter_rows(named=True)
    ]  # fmt: skip
