"""What the opt-in checks of pictures compare, read for the rows in scope: hashes of variants, and embeddings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lingshu.core.errors import UserError
from lingshu.core.layout import SIGNALS
from lingshu.dedup.keys import KeyIndex, string_keys
from lingshu.dedup.rows import Rows


def read_variants(rows: Rows, within: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the variants' hashes of the rows' pictures, shape (rows, variants).

    Raises:
        UserError: a source was measured without `signals.variants`.
    """
    parts = [np.empty((0, 1), dtype=np.uint64)]
    for source, chosen in _by_source(rows, within):
        path = rows.root / SIGNALS / source / "images.parquet"
        table = pl.read_parquet(path, columns=["image_id", "variants"])
        if table["variants"].null_count():
            fix = "set signals.variants to true and run `dvc repro measure`, or set dedup.variants to null"
            raise UserError(f"{source}: its pictures were measured without variants", fix)
        places = _places(table, rows.pictures[rows.offsets[chosen]])
        values = table["variants"].explode(empty_as_null=False).to_numpy().reshape(len(table), -1)
        parts.append(values[places])
    return np.concatenate(parts[1:] or parts)


def read_vectors(rows: Rows, within: NDArray[np.int64], folder: Path) -> NDArray[np.float32]:
    """Return the embeddings of the rows' pictures, shape (rows, numbers), from `<source>.parquet` of the folder.

    Raises:
        UserError: as of `embeddings`.
    """
    parts = [np.empty((0, 1), dtype=np.float32)]
    for source, chosen in _by_source(rows, within):
        parts.append(embeddings(folder / f"{source}.parquet", rows.pictures[rows.offsets[chosen]]))
    return np.concatenate(parts[1:] or parts)


def _by_source(rows: Rows, within: NDArray[np.int64]) -> list[tuple[str, NDArray[np.int64]]]:
    """Return the rows of each source that has any, in order: rows of one source stand together."""
    sources = rows.names["source"].gather(within)
    order = sources.unique(maintain_order=True).to_list()
    return [(source, within[(sources == source).to_numpy()]) for source in order]


def _places(table: pl.DataFrame, pictures: NDArray[np.uint64]) -> NDArray[np.int64]:
    return KeyIndex.of(string_keys(table["image_id"])).find(pictures)


def embeddings(path: Path, pictures: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Return the embedding of each picture, of length one, shape (pictures, numbers).

    Args:
        path: Parquet with columns image_id and embedding (lists of one length), in any order, of any encoder.
        pictures: keys (`dedup.keys`) of image_ids, shape (pictures, 2).

    Raises:
        UserError: the file is absent, lacks a picture, or holds lists of several lengths or of no direction.
    """
    if not path.exists():
        raise UserError(
            f"{path}: no such file", "add the source to signals.embeddings.sources, or set dedup.semantic to null"
        )
    table = pl.from_arrow(pq.read_table(path, columns=["image_id", "embedding"]))
    assert isinstance(table, pl.DataFrame)
    places = _places(table, pictures)
    if (places < 0).any():
        raise UserError(f"{path}: {int((places < 0).sum())} pictures of the source are absent", "embed them all")
    lengths = table["embedding"].list.len().unique()
    if len(lengths) != 1:
        raise UserError(f"{path}: embeddings of {sorted(lengths)} numbers", "write lists of one length")
    vectors = (
        table["embedding"]
        .list.explode(empty_as_null=False)
        .to_numpy()
        .astype(np.float32)
        .reshape(len(table), -1)[places]
    )
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or (norms == 0).any():
        raise UserError(f"{path}: an embedding is zero or no number", "embed that picture again")
    return np.ascontiguousarray(vectors / norms, dtype=np.float32)
