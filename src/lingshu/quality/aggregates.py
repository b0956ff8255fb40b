"""Small tables of whole-table facts, a row a source: what the expectation suites judge, whatever the number of rows."""

from __future__ import annotations

import polars as pl

TEXT_RANGES = ("prompt_tokens", "target_tokens", "repetition", "markup", "assistant_phrases", "picture_phrases")
PICTURE_RANGES = ("min_side", "sharpness", "entropy", "blank_share", "border_share", "colour_share")


def table_facts(signals: pl.DataFrame, identifier: str, ranges: tuple[str, ...]) -> pl.DataFrame:
    """Return per source: rows, distinct (identifiers), nulls (cells), `<column>_min` and `<column>_max` of `ranges`."""
    return (
        signals.group_by("source")
        .agg(
            pl.len().alias("rows"),
            pl.col(identifier).n_unique().alias("distinct"),
            pl.sum_horizontal(pl.all().null_count()).alias("nulls"),
            *(pl.col(column).min().alias(f"{column}_min") for column in ranges),
            *(pl.col(column).max().alias(f"{column}_max") for column in ranges),
        )
        .sort("source")
    )


def kinds(samples: pl.DataFrame) -> pl.DataFrame:
    """Return the distinct (source, task, split) that occur, sorted, with how many rows each."""
    return samples.group_by("source", "task", "split").agg(pl.len().alias("rows")).sort("source", "task", "split")


def coverage(samples: pl.DataFrame, texts: pl.DataFrame, index: pl.DataFrame, pictures: pl.DataFrame) -> pl.DataFrame:
    """Return per source how many rows each table has, and how many the next one lacks.

    Columns: source; samples, texts (rows); texts_missing (samples that were not measured); stored, measured (distinct
    pictures in the index and in the signals); unmeasured (pictures of the index that were not measured).
    """
    texts_missing = samples.join(texts, on="sample_id", how="anti")
    unmeasured = index.unique(["source", "image_id"]).join(pictures, on=["source", "image_id"], how="anti")
    counts = {
        "samples": samples.group_by("source").len("samples"),
        "texts": texts.group_by("source").len("texts"),
        "texts_missing": texts_missing.group_by("source").len("texts_missing"),
        "stored": index.group_by("source").agg(pl.col("image_id").n_unique().alias("stored")),
        "measured": pictures.group_by("source").agg(pl.col("image_id").n_unique().alias("measured")),
        "unmeasured": unmeasured.group_by("source").len("unmeasured"),
    }
    table = pl.concat([frame.select("source") for frame in counts.values()]).unique().sort("source")
    for name, frame in counts.items():
        table = table.join(frame, on="source", how="left", maintain_order="left").with_columns(
            pl.col(name).fill_null(0)
        )
    return table


def outcome(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return per source how many rows were judged and which share was kept."""
    return (
        decisions.group_by("source")
        .agg(pl.len().alias("judged"), pl.col("keep").mean().alias("kept_share"))
        .sort("source")
    )
