"""Picture overlap: equal pixels, and perceptual hashes within a radius. Importing this module imports numba."""

from __future__ import annotations

import polars as pl

from lingshu.core.hamming import cross_pairs
from lingshu.decontam.overlap import overlaps


def pixel_overlaps(train: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Return the training samples that show a picture of a benchmark, pixel for pixel.

    Args:
        train: one row a picture of a sample: train_id, source, pixel_digest, phash.
        items: one row a picture of an item: benchmark, item_id, pixel_digest, phash.
    """
    pairs = train.join(items, on="pixel_digest").with_columns(distance=0)
    return overlaps(pairs.select("train_id", "source", "benchmark", "item_id", "distance"), "picture", "pixels")


def hash_overlaps(train: pl.DataFrame, items: pl.DataFrame, radius: int) -> pl.DataFrame:
    """Return the training samples with a picture whose perceptual hash is within `radius` bits of an item's.

    Args: as of `pixel_overlaps`.
    """
    ours, theirs = (table["phash"].unique().sort().to_numpy() for table in (train, items))
    pairs = cross_pairs(ours, theirs, radius)
    near = pl.DataFrame(
        {"phash": ours[pairs.left], "item_phash": theirs[pairs.right], "distance": pairs.distance},
        schema={"phash": pl.UInt64(), "item_phash": pl.UInt64(), "distance": pl.Int64()},
    )
    met = train.join(near, on="phash").join(items.rename({"phash": "item_phash"}), on="item_phash")
    return overlaps(met.select("train_id", "source", "benchmark", "item_id", "distance"), "picture", "phash")
