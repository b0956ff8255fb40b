"""Small tables of whole-table facts, a row a source: what the expectation suites judge, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from lingshu.core.sample import SPLITS, TASKS
from lingshu.quality.checks import Check, between, broken_counts, hex_digits, not_null, one_of, unique
from lingshu.quality.params import IDENTIFIER_KINDS

IDENTIFIERS = tuple(f"identifier_{kind}" for kind in IDENTIFIER_KINDS)
TEXT_COUNTS = (
    "images", "prompt_tokens", "answer_tokens", "characters", "markup", "assistant_phrases", "refusal_phrases",
    "picture_phrases", "other_sections", *IDENTIFIERS,
)  # fmt: skip
TEXT_COLUMNS = (
    "sample_id", "source", "split", "task", *TEXT_COUNTS, "target_tokens", "language", "repetition", "text_digest",
)  # fmt: skip
PICTURE_SHARES = ("blank_share", "border_share", "colour_share")
PICTURE_COLUMNS = (
    "image_id", "width", "height", "min_side", "sharpness", "entropy", *PICTURE_SHARES, "pixel_digest", "phash",
    "dhash",
)  # fmt: skip
# Measured only where an engine reads, or where `normalize` noted a file's tags; null elsewhere.
OPTIONAL_PICTURE_COLUMNS = (
    "burned_in_lines", "burned_in_share", "burned_in_identifiers", "burned_in_claimed", "identifying_tags",
)  # fmt: skip
LANGUAGES = ("en", "zh", "other", "none")

TEXT_CHECKS: tuple[Check, ...] = (
    *map(not_null, TEXT_COLUMNS),
    unique("sample_id"),
    one_of("task", TASKS),
    one_of("split", SPLITS),
    one_of("language", LANGUAGES),
    *(between(column, 0, None) for column in TEXT_COUNTS),
    between("target_tokens", 1, None),
    between("repetition", 0, 1),
    hex_digits("text_digest", 32),
)
PICTURE_CHECKS: tuple[Check, ...] = (
    *map(not_null, PICTURE_COLUMNS),
    unique("image_id"),
    hex_digits("image_id", 64),
    hex_digits("pixel_digest", 32),
    *(between(column, 1, None) for column in ("width", "height", "min_side")),
    between("sharpness", 0, None),
    between("entropy", 0, 8),
    *(between(column, 0, 1) for column in (*PICTURE_SHARES, "burned_in_share")),
    *(between(column, 0, None) for column in ("burned_in_lines", "burned_in_identifiers")),
)


def checked(tables: Mapping[str, pl.LazyFrame | pl.DataFrame], checks: tuple[Check, ...]) -> pl.DataFrame:
    """Return per source, in the order given: source, rows, and how many rows break each check, under its name."""
    return pl.concat(
        broken_counts(table, checks).select(pl.lit(source).alias("source"), pl.all())
        for source, table in tables.items()
    )


def kinds(samples: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the distinct (source, task, split) that occur, sorted, with how many rows each in all the tables."""
    key = ("source", "task", "split")
    counted = pl.concat(table.group_by(key).agg(pl.len().alias("rows")) for table in samples)
    return counted.group_by(key).agg(pl.col("rows").sum()).sort(key)


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


def total(tables: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the sums of several tables of counts by source, in the order of the sources."""
    return pl.concat(tables).group_by("source").agg(pl.all().sum()).sort("source")


def outcome(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return per source how many rows were judged and which share was kept."""
    return (
        decisions.group_by("source")
        .agg(pl.len().alias("judged"), pl.col("keep").mean().alias("kept_share"))
        .sort("source")
    )
