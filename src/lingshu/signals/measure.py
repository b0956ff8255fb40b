"""Measure one source: each picture is decoded once, each text read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import PIL
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from lingshu.core.errors import UserError
from lingshu.core.files import atomic_path, fresh_dir
from lingshu.core.images import IDENTIFYING_FILE, INDEX_FILE, ImageStore, read_index
from lingshu.core.layout import IMAGES, SAMPLES, SIGNALS, WORK
from lingshu.core.progress import track
from lingshu.core.sample import sample_parts
from lingshu.core.scratch import fingerprint
from lingshu.core.tables import sample_table
from lingshu.signals.params import SignalsParams
from lingshu.signals.pictures import PICTURE_SCHEMA, PICTURES_A_BATCH, measure_pictures
from lingshu.signals.remembered import Remembered, forget_others
from lingshu.signals.texts import measure_texts
from lingshu.signals.tokens import token_counter

ROWS_AT_ONCE = 1 << 16  # read back and written at a time


@dataclass(frozen=True, slots=True)
class Measured:
    """Where the signals of a source lie, and how many pictures and texts they cover."""

    folder: Path
    pictures: int
    texts: int


def measure_source(source: str, params: SignalsParams, root: Path = Path()) -> Measured:
    """Write `images.parquet` (sorted by image_id) and `texts.parquet` (by sample_id) under data/signals/<source>.

    Pictures that were measured before, by this code and with these knobs, are not decoded again (`signals.remembered`).

    Raises:
        UserError: a stored picture is gone or can't be decoded, or what params name to read or count with is absent.
    """
    folder = fresh_dir(root / SIGNALS / source)
    store = ImageStore([root / IMAGES / source])
    noted = _noted(root / IMAGES / source)
    ids = _stored(store, root / IMAGES / source)
    remembered = _remembered(source, params, root)
    remembered.complete(ids, lambda missing: _measured(missing, store, source, params))
    with (
        atomic_path(folder / "images.parquet") as temporary,
        pq.ParquetWriter(temporary, PICTURE_SCHEMA, compression="zstd") as writer,
    ):
        for start in range(0, len(ids), ROWS_AT_ONCE):
            table = remembered.rows(ids[start : start + ROWS_AT_ONCE])
            writer.write_table(_with_tags(table, noted), row_group_size=PICTURES_A_BATCH)
    samples = sample_table([root / SAMPLES / source])
    said = samples.join(_rationales(root / SAMPLES / source), on="sample_id", how="left", maintain_order="left")
    texts: pa.Table = measure_texts(said, params, token_counter(params.tokenizer, root)).to_arrow()
    with atomic_path(folder / "texts.parquet") as temporary:
        pq.write_table(texts, temporary, compression="zstd")
    return Measured(folder, len(store), len(samples))


def _stored(store: ImageStore, folder: Path) -> list[str]:
    """Return the ids of a source's pictures, sorted; a shard that is gone would leave fewer without a word."""
    ids = store.ids()
    indexed = read_index([folder], ["image_id"]) if (folder / INDEX_FILE).exists() else None  # text has no pictures
    if indexed is not None and (lost := set(indexed["image_id"]).difference(ids)):
        raise UserError(
            f"{folder}: {len(lost)} pictures of its index are in no shard, such as {min(lost)}",
            "make them again with `dvc repro normalize`, or fetch them with `dvc checkout` or `dvc pull`",
        )
    return ids


def _remembered(source: str, params: SignalsParams, root: Path) -> Remembered:
    """Return the rows of pictures that this code measured before with these knobs, and forget all others."""
    knobs = {
        "tolerance": params.grey_tolerance,
        "burned_in": params.burned_in,
        "variants": params.variants,
        "pillow": PIL.__version__,
    }
    folder = root / WORK / "signals" / source / fingerprint(knobs, [Path(__file__).parent])
    remembered = Remembered(folder, PICTURE_SCHEMA)
    forget_others(folder)
    return remembered


def _measured(ids: list[str], store: ImageStore, source: str, params: SignalsParams) -> Iterator[pa.Table]:
    pictures = ((i, store.data(i)) for i in track(ids, f"measure {source}", len(ids)))
    return measure_pictures(pictures, params.grey_tolerance, params.workers, params.burned_in, params.variants)


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
