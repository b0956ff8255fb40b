"""Picture overlap: equal pixels, and perceptual hashes within a radius."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lingshu.decontam.overlap import overlaps

CELLS_A_CHUNK = 1 << 24


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
    theirs = items["phash"].unique().sort()
    left, right, distance = near_hashes(train["phash"].unique().sort().to_numpy(), theirs.to_numpy(), radius)
    near = pl.DataFrame(
        {"phash": left, "item_phash": right, "distance": distance},
        schema={"phash": pl.UInt64(), "item_phash": pl.UInt64(), "distance": pl.Int64()},
    )
    pairs = train.join(near, on="phash").join(items.rename({"phash": "item_phash"}), on="item_phash")
    return overlaps(pairs.select("train_id", "source", "benchmark", "item_id", "distance"), "picture", "phash")


def near_hashes(
    left: NDArray[np.uint64], right: NDArray[np.uint64], radius: int
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64]]:
    """Return all pairs (one of `left`, one of `right`) at most `radius` bits apart, and their distances.

    Every pair is compared, in chunks of about 16 million; memory does not grow with `left`.
    """
    step = max(1, CELLS_A_CHUNK // max(1, len(right)))
    found: list[tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64]]] = []
    for start in range(0, max(1, len(left)), step):
        chunk = left[start : start + step]
        distance = np.bitwise_count(chunk[:, None] ^ right[None, :])
        rows, columns = np.nonzero(distance <= radius)
        found.append((chunk[rows], right[columns], distance[rows, columns].astype(np.int64)))
    lefts, rights, distances = zip(*found, strict=True)
    return np.concatenate(lefts), np.concatenate(rights), np.concatenate(distances)
