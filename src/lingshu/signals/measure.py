"""Measure one source: each picture is decoded once, each text read once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from lingshu.core.files import atomic_path, fresh_dir
from lingshu.core.images import IDENTIFYING_FILE, ImageStore
from lingshu.core.layout import IMAGES, SAMPLES, SIGNALS
from lingshu.core.progress import track
from lingshu.core.sample import sample_parts
from lingshu.core.tables import sample_table
from lingshu.signals.params import SignalsParams
from lingshu.signals.pictures import PICTURE_SCHEMA, measure_pictures
from lingshu.signals.texts import measure_texts
from lingshu.signals.tokens import token_counter


@dataclass(frozen=True, slots=True)
class Measured:
    """Where the signals of a source lie, and how many pictures and texts they cover."""

    folder: Path
    pictures: int
    texts: int


def measure_source(source: str, params: SignalsParams, root: Path = Path()) -> Measured:
    """Write `images.parquet` (sorted by image_id) and `texts.parquet` (by sample_id) under data/signals/<source>.

    Raises:
        UserError: a stored picture can't be decoded, or what params name to read or count with is absent.
    """
    folder = fresh_dir(root / SIGNALS / source)
    store = ImageStore([root / IMAGES / source])
    noted = _noted(root / IMAGES / source)
    ids = track(store.ids(), f"measure {source}", len(store))
    with (
        atomic_path(folder / "images.parquet") as temporary,
        pq.ParquetWriter(temporary, PICTURE_SCHEMA, compression="zstd") as writer,
    ):
        pictures = ((i, store.data(i)) for i in ids)
        for table in measure_pictures(pictures, params.grey_tolerance, params.processes, params.burned_in):
            writer.write_table(_with_tags(table, noted))
    samples = sample_table([root / SAMPLES / source])
    said = samples.join(_rationales(root / SAMPLES / source), on="sample_id", how="left", maintain_order="left")
    texts: pa.Table = measure_texts(said, params, token_counter(params.tokenizer, root)).to_arrow()
    with atomic_path(folder / "texts.parquet") as temporary:
        pq.write_table(texts, temporary, compression="zstd")
    return Measured(folder, len(store), len(samples))


def _rationales(folder: Path) -> pl.DataFrame:
    """Return the reasoning of each sample of a source, which `sample_table` leaves out."""
    empty = pl.DataFrame(schema={"sample_id": pl.String(), "rationale": pl.String()})
    parts = [pl.read_parquet(path, columns=["sample_id", "rationale"]) for path in sample_parts([folder])]
    return pl.concat([empty, *parts])


def _noted(folder: Path) -> pl.DataFrame | None:
    """Return what `normalize` noted about the persons behind a source's pictures, one row a picture, or None.

    Columns: image_id, identifying_tags (of all files with this picture), burned_in_claimed (any of them says so).
    """
    path = folder / IDENTIFYING_FILE
    if not path.exists():
        return None
    tags = pl.col("tags").explode().drop_nulls().unique().sort()
    return (
        pl.read_parquet(path)
        .group_by("image_id")
        .agg(tags.alias("identifying_tags"), pl.col("burned_in").any().alias("burned_in_claimed"))
    )


def _with_tags(table: pa.Table, noted: pl.DataFrame | None) -> pa.Table:
    if noted is None:
        return table
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    bare = frame.drop("identifying_tags", "burned_in_claimed")
    joined = bare.join(noted, on="image_id", how="left", maintain_order="left")
    return joined.select(PICTURE_SCHEMA.names).to_arrow().cast(PICTURE_SCHEMA)
