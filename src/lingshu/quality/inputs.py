"""What the gate reads: samples, the picture index and the signals of every source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lingshu.core.images import read_index
from lingshu.core.layout import IMAGES, SAMPLES, SIGNALS
from lingshu.core.tables import sample_table

INDEX_COLUMNS = ("image_id", "source")
SAMPLE_COLUMNS = ("sample_id", "source", "split", "task", "image_ids")


@dataclass(frozen=True, slots=True)
class Tables:
    """Signals by source; samples (columns `SAMPLE_COLUMNS`) and picture index (`INDEX_COLUMNS`) of all."""

    root: Path
    texts: dict[str, pl.DataFrame]
    pictures: dict[str, pl.DataFrame]
    samples: pl.DataFrame
    index: pl.DataFrame

    @property
    def all_texts(self) -> pl.DataFrame:
        """The text signals of every source."""
        return pl.concat(self.texts.values())

    @property
    def all_pictures(self) -> pl.DataFrame:
        """The picture signals of every source, with a column `source`."""
        return pl.concat(self.pictures_of(source) for source in self.pictures)

    def pictures_of(self, source: str) -> pl.DataFrame:
        """Return the picture signals of one source, with a column `source`."""
        return self.pictures[source].with_columns(pl.lit(source).alias("source"))

    @property
    def judged(self) -> pl.DataFrame:
        """The samples outside the test split: that is what training is checked against, and is never trained on."""
        return self.samples.filter(pl.col("split") != "test")


def read_tables(sources: Sequence[str], root: Path = Path()) -> Tables:
    """Return the tables of the sources."""
    return Tables(
        root=root,
        texts={source: pl.read_parquet(root / SIGNALS / source / "texts.parquet") for source in sources},
        pictures={source: pl.read_parquet(root / SIGNALS / source / "images.parquet") for source in sources},
        samples=sample_table((root / SAMPLES / source for source in sources), SAMPLE_COLUMNS),
        index=read_index((root / IMAGES / source for source in sources), INDEX_COLUMNS),
    )
