"""What the opt-in checks of pictures compare, read for the rows in scope: hashes of variants, and embeddings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lingshu.core.errors import UserError
from lingshu.core.layout import SIGNALS
from lingshu.dedup.keys import KeyIndex, string_keys
from lingshu.dedup.rows import Rows

EMBEDDINGS_FORM = "write a Parquet table of a row a picture: image_id (string) and embedding (a list of numbers)"


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
        UserError: as of `embeddings`, or those of two sources are of different lengths.
    """
    parts = {
        source: embeddings(folder / f"{source}.parquet", rows.pictures[rows.offsets[chosen]])
        for source, chosen in _by_source(rows, within)
    }
    lengths = {source: vectors.shape[1] for source, vectors in parts.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{number} of {source}" for source, number in lengths.items())
        raise UserError(f"{folder}: embeddings of several lengths: {told}", "embed all sources with one encoder")
    return np.concatenate([*parts.values()] or [np.empty((0, 1), dtype=np.float32)])


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
        UserError: the file is absent or no such table, lacks a picture or has it twice, or holds lists of several
            lengths or of no direction.
    """
    table = _read_embeddings(path)
    if twice := table["image_id"].filter(table["image_id"].is_duplicated()).to_list():
        raise UserError(f"{path}: picture {min(twice)} is there more than once", "keep one row a picture")
    places = _places(table, pictures)
    if absent := int((places < 0).sum()):
        raise UserError(f"{path}: {absent} of {len(places)} pictures of the source are absent", "embed them all")
    lengths = table["embedding"].list.len().unique()
    if len(lengths) != 1:
        raise UserError(f"{path}: embeddings of {sorted(lengths)} numbers", "write lists of one length")
    numbers = table["embedding"].list.explode(empty_as_null=False).to_numpy()
    vectors = numbers.astype(np.float32).reshape(len(table), -1)[places]
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if len(bad := np.flatnonzero(~np.isfinite(norms) | (norms == 0))):
        picture = min(table["image_id"].gather(places[bad]).to_list())
        raise UserError(
            f"{path}: {len(bad)} embeddings are zero or no number, one that of picture {picture}",
            "embed these pictures again",
        )
    return np.ascontiguousarray(vectors / norms, dtype=np.float32)


def _read_embeddings(path: Path) -> pl.DataFrame:
    """Return columns image_id (string) and embedding (list of numbers), without nulls.

    Raises:
        UserError: the file is absent or no such table.
    """
    if not path.exists():
        raise UserError(
            f"{path}: no such file",
            f"list {path.stem} in signals.embeddings.sources, write the table, or set dedup.semantic to null",
        )
    try:
        table = pl.from_arrow(pq.read_table(path, columns=["image_id", "embedding"]))
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path}: {str(error).partition(chr(10))[0]}", EMBEDDINGS_FORM) from error
    assert isinstance(table, pl.DataFrame)
    kind = table.schema["embedding"]
    if isinstance(kind, pl.Array):
        table = table.with_columns(pl.col("embedding").arr.to_list())
    numbers = isinstance(kind, pl.List | pl.Array) and kind.inner is not None and kind.inner.is_numeric()
    if table.schema["image_id"] != pl.String or not numbers:
        raise UserError(f"{path}: image_id is {table.schema['image_id']}, embedding {kind}", EMBEDDINGS_FORM)
    for name in table.columns:
        if nulls := table[name].null_count():
            raise UserError(f"{path}: column {name} is empty in {nulls} rows", EMBEDDINGS_FORM)
    return table
