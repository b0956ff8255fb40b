"""Measure one source: each picture is decoded once, each text read once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lingshu.core.files import atomic_path, fresh_dir
from lingshu.core.images import ImageStore
from lingshu.core.layout import IMAGES, SAMPLES, SIGNALS
from lingshu.core.progress import track
from lingshu.core.tables import sample_table
from lingshu.signals.params import SignalsParams
from lingshu.signals.pictures import PICTURE_SCHEMA, measure_pictures
from lingshu.signals.texts import measure_texts


@dataclass(frozen=True, slots=True)
class Measured:
    """Where the signals of a source lie, and how many pictures and texts they cover."""

    folder: Path
    pictures: int
    texts: int


def measure_source(source: str, params: SignalsParams, root: Path = Path()) -> Measured:
    """Write `images.parquet` (sorted by image_id) and `texts.parquet` (by sample_id) under data/signals/<source>.

    Raises:
        UserError: a stored picture can't be decoded.
    """
    folder = fresh_dir(root / SIGNALS / source)
    store = ImageStore([root / IMAGES / source])
    ids = track(store.ids(), f"measure {source}", len(store))
    with (
        atomic_path(folder / "images.parquet") as temporary,
        pq.ParquetWriter(temporary, PICTURE_SCHEMA, compression="zstd") as writer,
    ):
        pictures = ((i, store.data(i)) for i in ids)
        for table in measure_pictures(pictures, params.grey_tolerance, params.workers):
            writer.write_table(table)
    samples = sample_table([root / SAMPLES / source])
    texts: pa.Table = measure_texts(samples, params.assistant_phrases, params.picture_phrases).to_arrow()
    with atomic_path(folder / "texts.parquet") as temporary:
        pq.write_table(texts, temporary, compression="zstd")
    return Measured(folder, len(store), len(samples))
