"""The items that training is checked against: of the benchmarks that the project builds, and of public ones."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image, ImageOps

from lingshu.core.errors import UserError
from lingshu.core.hashes import phash, phash_thumbnail
from lingshu.core.layout import BENCHMARKS, SIGNALS
from lingshu.core.question import PictureFile, Question
from lingshu.core.shown import eight_bits
from lingshu.core.tables import sample_table
from lingshu.core.text import DIGEST_BYTES
from lingshu.decontam.prints import BROKEN
from lingshu.decontam.questions import question_record

SIGNAL_SCHEMA = pl.Schema({"image_id": pl.String(), "pixel_digest": pl.String(), "phash": pl.UInt64()})


@dataclass(frozen=True, slots=True)
class Items:
    """Benchmark items.

    Attributes:
        table: columns benchmark, item_id, source, group_id, image_ids, prompt, answer.
        signals: `SIGNAL_SCHEMA` of pictures that no source has measured: those of public benchmarks.
        files: these pictures by name.
        unreadable: names of those that can't be decoded.
    """

    table: pl.DataFrame
    signals: pl.DataFrame
    files: dict[str, PictureFile]
    unreadable: list[str]


def built_items(root: Path = Path()) -> pl.DataFrame:
    """Return the items of the benchmarks that the project builds: `core.tables.sample_table`, with the benchmark."""
    folders = sorted(path.parent for path in (root / BENCHMARKS).glob("*/part-00000.parquet"))
    tables = [sample_table([folder]).with_columns(benchmark=pl.lit(folder.name)) for folder in folders]
    empty = sample_table([]).with_columns(benchmark=pl.lit(""))
    return pl.concat([empty, *tables]).rename({"sample_id": "item_id"})


def all_items(questions: Iterable[Question], root: Path = Path()) -> Items:
    """Return the items of the project's benchmarks and the questions of public ones, whose pictures are hashed here."""
    rows, signals, unreadable = [], [], []
    files: dict[str, PictureFile] = {}
    for question in questions:
        record = question_record(question)
        pictures = []
        for name, file in record.pictures:
            found = _signals(name, file.read())
            if found is None:
                unreadable.append(name)
            else:
                signals.append(found)
                pictures.append(name)
                files[name] = file
        text = "\n".join((*record.answers, *record.texts))
        rows.append((question.benchmark, question.id, "", "", pictures, record.question, text))
    built = built_items(root).select("benchmark", "item_id", "source", "group_id", "image_ids", "prompt", "answer")
    public = pl.DataFrame(rows, schema=built.schema, orient="row")
    measured = pl.DataFrame(signals, schema=SIGNAL_SCHEMA, orient="row")
    return Items(pl.concat([built, public]), measured, files, unreadable)


def _signals(name: str, data: bytes) -> tuple[str, str, int] | None:
    """Return what `measure` says of a picture once stored: a digest of size and RGB pixels, and its perceptual hash.

    Upright, over white and in 8 bits, as `normalize` stores pictures; else a copy with alpha would be another picture.
    """
    try:
        with Image.open(io.BytesIO(data)) as opened:
            colour = Image.fromarray(eight_bits(ImageOps.exif_transpose(opened))).convert("RGB")
    except BROKEN:
        return None
    digest = hashlib.blake2b(f"{colour.width}x{colour.height}:".encode(), digest_size=DIGEST_BYTES)
    digest.update(np.asarray(colour).tobytes())
    return name, digest.hexdigest(), int(phash(phash_thumbnail(colour.convert("L"))[None])[0])


def picture_signals(source: str, root: Path = Path()) -> pl.DataFrame:
    """Return `SIGNAL_SCHEMA` of the pictures of a source."""
    return pl.read_parquet(root / SIGNALS / source / "images.parquet", columns=SIGNAL_SCHEMA.names())


class MeasuredPictures:
    """The signals of a source's pictures, to be asked for batch after batch: each costs what it asks for, not all.

    Joining every batch would hash the whole source as often.

    Args:
        signals: `SIGNAL_SCHEMA`.
    """

    def __init__(self, signals: pl.DataFrame) -> None:
        self._signals = signals.with_columns(key=pl.col("image_id").hash()).sort("key")

    def of(self, samples: pl.DataFrame) -> pl.DataFrame:
        """Return `SIGNAL_SCHEMA` of the pictures of samples (column image_ids), as far as they were measured."""
        wanted = samples.select(image_id=pl.col("image_ids").explode(empty_as_null=False)).unique()
        if self._signals.is_empty():
            return self._signals.drop("key")
        places = self._signals["key"].search_sorted(wanted["image_id"].hash())
        met = self._signals[places.clip(upper_bound=len(self._signals) - 1)]
        same = met["image_id"] == wanted["image_id"]
        if same.all():
            return met.drop("key")
        others = self._signals.join(wanted.filter(~same), on="image_id", how="semi")  # equal hashes, or not measured
        return pl.concat([met.filter(same), others]).drop("key")


def item_signals(items: Items, sources: Sequence[str], root: Path = Path()) -> pl.DataFrame:
    """Return `SIGNAL_SCHEMA` of the items' pictures, where a source or this step has measured them."""
    wanted = items.table.select(image_id=pl.col("image_ids").explode(empty_as_null=False)).unique()
    found = (picture_signals(source, root).join(wanted, on="image_id", how="semi") for source in sources)
    return pl.concat([items.signals, *found]).unique("image_id", maintain_order=True)


def shown_pictures(rows: pl.DataFrame, keys: list[str], signals: pl.DataFrame) -> pl.DataFrame:
    """Return one row a picture of `rows`: `keys`, pixel_digest, phash.

    Raises:
        UserError: a picture was not measured.
    """
    named = rows.select(*keys, image_id="image_ids").explode("image_id", empty_as_null=False)
    shown = named.join(signals, on="image_id", how="left", maintain_order="left")
    unmeasured = shown.filter(pl.col("phash").is_null())
    if len(unmeasured):
        row = unmeasured.row(0, named=True)
        raise UserError(f"{row[keys[-1]]}: picture {row['image_id']} was not measured", "run `dvc repro measure` again")
    return shown.drop("image_id")
