"""What the gate reads: samples, the picture index and the signals of the sources, one source at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lingshu.core.images import read_index
from lingshu.core.layout import IMAGES, SAMPLES, SIGNALS
from lingshu.core.tables import sample_table


@dataclass(frozen=True, slots=True)
class Tables:
    """Where the tables of the sources lie. Each is read when it is asked for: memory is for one source, and columns.

    Attributes:
        root: of the project.
        sources: their names.
        let_in: `source/test` of test splits that are trained on all the same (`sources.benchmark_splits_in_training`).
    """

    root: Path
    sources: tuple[str, ...]
    let_in: tuple[str, ...] = ()

    def text_file(self, source: str) -> Path:
        """Return the file of a source's text signals, a row a sample."""
        return self.root / SIGNALS / source / "texts.parquet"

    def picture_file(self, source: str) -> Path:
        """Return the file of a source's picture signals, a row a picture."""
        return self.root / SIGNALS / source / "images.parquet"

    def texts(self, source: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Return a source's text signals: these columns, or all."""
        return pl.read_parquet(self.text_file(source), columns=None if columns is None else list(columns))

    def pictures(self, source: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Return a source's picture signals: these columns, or all."""
        return pl.read_parquet(self.picture_file(source), columns=None if columns is None else list(columns))

    def samples(self, source: str, columns: Sequence[str]) -> pl.DataFrame:
        """Return these columns of a source's samples (and sample_id), sorted by sample_id."""
        return sample_table([self.root / SAMPLES / source], columns)

    def judged(self, source: str) -> pl.DataFrame:
        """Return sample_id and image_ids of the samples outside the test split, or of all where that is let in.

        Those of a test split are what training is checked against, and are not trained on.
        """
        samples = self.samples(source, ("sample_id", "split", "image_ids"))
        wanted = pl.lit(value=f"{source}/test" in self.let_in) | (pl.col("split") != "test")
        return samples.filter(wanted).drop("split")

    def index(self, source: str) -> pl.DataFrame:
        """Return image_id and source of a source's picture index."""
        return read_index([self.root / IMAGES / source], ("image_id", "source"))
