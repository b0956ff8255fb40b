"""Embeddings of pictures by the encoder of `modality`, one table a source, for `dedup.semantic` and for anyone else.

Pictures are encoded in batches, and the last bits of an embedding depend on its batch. So that a run that was cut, or
had other workers, or some pictures more, gives the same numbers, batches are parts of runs of ids that end where an id
says so: a new picture changes its own run only. Runs are kept under `.work` until the encoder or a knob changes.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lingshu.core.files import atomic_path
from lingshu.core.ids import canonical_json, sha256_bytes
from lingshu.core.images import ImageStore
from lingshu.core.layout import EMBEDDINGS, IMAGES, WORK
from lingshu.core.parallel import ALONE, Workers, in_order
from lingshu.core.progress import track
from lingshu.modeling.encoder_params import OpenClipParams
from lingshu.signals.params import EmbeddingsParams
from lingshu.signals.pictures import Encoded, decode

PICTURES_A_RUN = 512  # on average; as many as a killed run encodes again for each worker
ROWS_A_GROUP = 8192
SCRATCH = WORK / "embed"


@dataclass(frozen=True, slots=True)
class Eye:
    """The encoder: `modality.encoder`, `modality.image_size`, and where data/ lies."""

    choice: str | OpenClipParams
    image_size: int
    root: Path = Path()


@dataclass(frozen=True, slots=True)
class Embedded:
    """The table of a source, how many pictures it covers, and how many of them were encoded now."""

    path: Path
    pictures: int
    encoded: int


def embed_source(source: str, eye: Eye, params: EmbeddingsParams, workers: Workers = ALONE) -> Embedded:
    """Write `data/signals/embeddings/<source>.parquet`: image_id (sorted), embedding (of length one).

    Raises:
        UserError: the encoder's files are missing or do not fit, or a stored picture can't be decoded.
    """
    store = ImageStore([eye.root / IMAGES / source])
    ids = store.ids()
    folder = eye.root / SCRATCH / source / _fingerprint(eye, params)
    folder.mkdir(parents=True, exist_ok=True)
    _forget(folder, {_file(folder, run) for run in runs(ids)})
    missing = [run for run in runs(ids) if not _file(folder, run).exists()]
    pictures = ([(image_id, store.data(image_id)) for image_id in run] for run in missing)
    found = in_order(partial(_embed, eye, params), pictures, workers)
    for run, vectors in zip(missing, track(found, f"embed {source}", len(missing)), strict=True):
        with atomic_path(_file(folder, run)) as temporary:
            pq.write_table(_table(run, vectors, params), temporary, compression="zstd")
    path = eye.root / EMBEDDINGS / f"{source}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, _schema(params), compression="zstd") as writer:
        for table in _grouped(pq.read_table(_file(folder, run), schema=_schema(params)) for run in runs(ids)):
            writer.write_table(table)
    return Embedded(path, len(ids), sum(map(len, missing)))


def runs(ids: Sequence[str]) -> Iterator[list[str]]:
    """Yield sorted ids in runs that end at an id whose last 32 bits are a multiple of the usual length, or at twice it.

    A picture more or less changes the run that it is in, and no other, but where a run had reached twice the length.
    """
    run: list[str] = []
    for image_id in ids:
        run.append(image_id)
        if int(image_id[-8:], 16) % PICTURES_A_RUN == 0 or len(run) == 2 * PICTURES_A_RUN:
            yield run
            run = []
    if run:
        yield run


def _fingerprint(eye: Eye, params: EmbeddingsParams) -> str:
    # Imported here, as below: slow, and only this needs them of all signals.
    from lingshu.modeling.open_clip_encoder import encoder_digest  # noqa: PLC0415

    knobs = params.model_dump(include={"dtype", "batch", "device", "threads"})
    parts = {"encoder": encoder_digest(eye.choice, eye.root), "size": eye.image_size, **knobs}
    return sha256_bytes(canonical_json(parts).encode())[:16]


def _forget(folder: Path, wanted: set[Path]) -> None:
    """Remove the runs of other encoders and knobs, and those of pictures that are gone."""
    for other in sorted(folder.parent.iterdir()):
        if other != folder:
            shutil.rmtree(other)
    for path in sorted(set(folder.glob("run-*.parquet")) - wanted):
        path.unlink()


def _file(folder: Path, run: Sequence[str]) -> Path:
    return folder / f"run-{sha256_bytes(''.join(run).encode())[:16]}.parquet"


@lru_cache(maxsize=1)
def _loaded(eye: Eye, device: str, threads: int) -> Any:
    """Return the encoder, loaded once in each process that encodes."""
    import torch  # noqa: PLC0415

    from lingshu.modeling.open_clip_encoder import load_picture_encoder  # noqa: PLC0415

    if threads:
        torch.set_num_threads(threads)
    return load_picture_encoder(eye.choice, eye.image_size, eye.root, device)


def _embed(eye: Eye, params: EmbeddingsParams, pictures: list[Encoded]) -> NDArray[np.float32]:
    encoder = _loaded(eye, params.device, params.threads)
    vectors = encoder.in_batches((decode(*one) for one in pictures), params.batch)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
    return unit


def _schema(params: EmbeddingsParams) -> pa.Schema:
    number = {"float16": pa.float16(), "float32": pa.float32()}[params.dtype]
    return pa.schema([("image_id", pa.string()), ("embedding", pa.list_(number))])


def _table(run: Sequence[str], vectors: NDArray[np.float32], params: EmbeddingsParams) -> pa.Table:
    numbers = pa.array(vectors.astype(params.dtype).reshape(-1))
    bounds = np.arange(len(run) + 1, dtype=np.int32) * vectors.shape[1]
    embedding = pa.ListArray.from_arrays(pa.array(bounds), numbers)
    return pa.table({"image_id": list(run), "embedding": embedding}, schema=_schema(params))


def _grouped(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield the tables put together to at least `ROWS_A_GROUP` rows."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= ROWS_A_GROUP:
            yield pa.concat_tables(waiting).combine_chunks()
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()
