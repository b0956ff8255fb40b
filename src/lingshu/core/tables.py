"""Samples as a flat table of texts and picture ids, read by column: for steps that decide on many rows at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl

from lingshu.core.sample import open_part, sample_parts

ROWS_A_BATCH = 1 << 15
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


# What each column is made from; the others have their own names.
MADE_FROM: dict[str, tuple[str, ...]] = {
    "image_ids": ("images",),
    "prompt": ("messages",),
    "choices": ("answer",),
    "target": ("messages",),
    "answer": ("messages", "answer"),
}


def sample_table(folders: Iterable[Path], columns: Sequence[str] = tuple(TABLE_SCHEMA)) -> pl.DataFrame:
    """Return one row a sample with the named columns of `TABLE_SCHEMA`, sorted by sample_id (which is always there).

    Only what the columns need is read: texts are by far the most of a sample.
    `prompt` joins the texts of all turns but the last, `target` those of the last turn, `choices` the option texts
    (by line feeds; "" where there are none); `answer` is the gold answer's text, or the target where a sample has no
    gold answer (captions, dialogues).

    Raises:
        UserError: a file has another schema version than this code.
    """
    wanted = list(dict.fromkeys(["sample_id", *columns]))
    empty = pl.DataFrame(schema={name: TABLE_SCHEMA[name] for name in wanted})
    return pl.concat([empty, *sample_batches(folders, wanted)]).sort("sample_id")


def sample_batches(
    folders: Iterable[Path], columns: Sequence[str] = tuple(TABLE_SCHEMA), rows: int = ROWS_A_BATCH
) -> Iterator[pl.DataFrame]:
    """Yield what `sample_table` returns, in path and row order, so many rows at a time: memory for one batch.

    Raises:
        UserError: a file has another schema version than this code.
    """
    stored = dict.fromkeys(name for column in columns for name in MADE_FROM.get(column, (column,)))
    for path in sample_parts(folders):
        for batch in open_part(path).iter_batches(rows, columns=list(stored)):
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame)
            yield _flatten(frame, columns)


def _flatten(frame: pl.DataFrame, wanted: Sequence[str]) -> pl.DataFrame:
    # Inner list.eval: the parts' texts of one turn; outer: one string a turn, null where the turn has pictures only.
    part_texts = pl.element().list.eval(pl.element().struct.field("text")).list.drop_nulls()
    said = pl.col("messages").list.eval(pl.element().struct.field("content")).list.eval(part_texts.list.join("\n"))
    if "messages" in frame.columns:
        frame = frame.with_columns(said.alias("turns"))  # once for all columns that are made from it
    turns = pl.col("turns")
    target = turns.list.last()
    answer = pl.col("answer").struct
    made: dict[str, pl.Expr] = {
        "image_ids": pl.col("images").list.eval(pl.element().struct.field("image_id")),
        "prompt": turns.list.head(turns.list.len() - 1).list.join("\n"),
        "choices": answer.field("choices").list.join("\n").fill_null(""),
        "target": target,
        "answer": pl.coalesce(answer.field("text"), target),
    }
    schema = pl.Schema({name: TABLE_SCHEMA[name] for name in wanted})
    return frame.select(made.get(name, pl.col(name)).alias(name) for name in wanted).cast(schema)
