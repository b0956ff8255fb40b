"""Samples as a flat table of texts and picture ids, read by column: for steps that decide on many rows at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from lingshu.core.sample import SCHEMA_VERSION, sample_parts

COLUMNS = ("sample_id", "source", "split", "group_id", "task", "topic", "messages", "images", "answer")
TABLE_SCHEMA: dict[str, pl.DataType] = {
    "sample_id": pl.String(),
    "source": pl.String(),
    "split": pl.String(),
    "group_id": pl.String(),
    "task": pl.String(),
    "topic": pl.String(),
    "image_ids": pl.List(pl.String()),
    "prompt": pl.String(),
    "choices": pl.String(),
    "target": pl.String(),
    "answer": pl.String(),
}


def sample_table(folders: Iterable[Path]) -> pl.DataFrame:
    """Return one row a sample with the columns of `TABLE_SCHEMA`, sorted by sample_id.

    `prompt` joins the texts of all turns but the last, `target` those of the last turn, `choices` the option texts
    (by line feeds; "" where there are none); `answer` is the gold answer's text, or the target where a sample has no
    gold answer (captions, dialogues).

    Raises:
        ValueError: a file has another schema version than this code.
    """
    empty = pl.DataFrame(schema=TABLE_SCHEMA)
    return pl.concat([empty, *(_flatten(_read_part(path)) for path in sample_parts(folders))]).sort("sample_id")


def _read_part(path: Path) -> pl.DataFrame:
    reader = pq.ParquetFile(path)
    version = (reader.schema_arrow.metadata or {}).get(b"lingshu.schema_version", b"?").decode()
    if version != SCHEMA_VERSION:
        raise ValueError(f"{path}: sample schema version {version}, this code reads {SCHEMA_VERSION}")
    table: pa.Table = reader.read(columns=list(COLUMNS))
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _flatten(frame: pl.DataFrame) -> pl.DataFrame:
    # Inner list.eval: the parts' texts of one turn; outer: one string a turn, null where the turn has pictures only.
    part_texts = pl.element().list.eval(pl.element().struct.field("text")).list.drop_nulls()
    turns = pl.col("messages").list.eval(pl.element().struct.field("content")).list.eval(part_texts.list.join("\n"))
    target = turns.list.last()
    answer = pl.col("answer").struct
    return frame.select(
        "sample_id", "source", "split", "group_id", "task", "topic",
        pl.col("images").list.eval(pl.element().struct.field("image_id")).alias("image_ids"),
        turns.list.head(turns.list.len() - 1).list.join("\n").alias("prompt"),
        answer.field("choices").list.join("\n").fill_null("").alias("choices"),
        target.alias("target"),
        pl.coalesce(answer.field("text"), target).alias("answer"),
    ).cast(pl.Schema(TABLE_SCHEMA))  # fmt: skip
