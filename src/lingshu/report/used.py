"""Which sources really are in the mixtures, by rows: synthetic ones count for the sources they were made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from lingshu.core.layout import IMAGES, MIXTURES, SAMPLES
from lingshu.core.sample import sample_parts


def used_sources(root: Path, stages: Iterable[str]) -> dict[str, dict[str, int]]:
    """Return rows by source and training stage; a row made from two sources counts for both.

    Args:
        root: the repository.
        stages: names of the mixtures.
    """
    found: dict[str, dict[str, int]] = {}
    for stage in stages:
        rows = pl.read_parquet(root / MIXTURES / stage / "mixture.parquet", columns=["sample_id", "source", "folder"])
        for source, number in sorted(_counts(rows, root).items()):
            found.setdefault(source, {})[stage] = number
    return dict(sorted(found.items()))


def _counts(rows: pl.DataFrame, root: Path) -> Counter[str]:
    counts: Counter[str] = Counter()
    for (source, folder), part in rows.group_by("source", "folder"):
        if Path(str(folder)).is_relative_to(SAMPLES):
            counts[str(source)] += len(part)
        else:
            counts.update(_parents(part, root / str(folder), root))
    return counts


def _parents(rows: pl.DataFrame, folder: Path, root: Path) -> Counter[str]:
    """Return rows by the source of the samples or pictures that they were made from."""
    scans = [
        pl.scan_parquet(path).select("sample_id", pl.col("synthetic").struct.field("parents"))
        for path in sample_parts([folder])
    ]
    parents = rows.join(pl.concat(scans).collect(), on="sample_id").with_row_index("row").explode("parents")
    pictures = [pl.scan_parquet(path).select("image_id", pl.col("source").alias("shown")) for path in _indexes(root)]
    shown = pl.concat(pictures).collect().unique("image_id") if pictures else pl.DataFrame(schema=_SHOWN)
    parents = parents.join(shown, left_on="parents", right_on="image_id", how="left")
    named = pl.when(pl.col("parents").str.contains(":", literal=True)).then(
        pl.col("parents").str.split(":").list.first()
    )
    origin = parents.select("row", source=named.otherwise(pl.col("shown"))).drop_nulls().unique()
    return Counter({str(source): number for source, number in origin["source"].value_counts().iter_rows()})


_SHOWN = {"image_id": pl.String(), "shown": pl.String()}


def _indexes(root: Path) -> list[Path]:
    return sorted((root / IMAGES).glob("*/index.parquet"))
