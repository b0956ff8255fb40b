"""Features of pictures, remembered in `.work`, so that a run after a changed threshold or a kill decodes only new ones.

The scratch folder is keyed by everything that features depend on: weights, picture size, architecture and the code
that encodes. It lies outside DVC; deleting it costs seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from lingshu.core.files import atomic_path
from lingshu.core.ids import canonical_json, sha256_bytes
from lingshu.core.images import ImageStore, decoded
from lingshu.core.layout import WORK
from lingshu.core.parallel import chunks, in_order
from lingshu.core.progress import track
from lingshu.modality.params import ModalityParams
from lingshu.modeling.encoder_params import OpenClipParams
from lingshu.modeling.open_clip_encoder import PictureEncoder, encoder_digest, load_picture_encoder

PICTURES_A_PART = 64
FOLDER = WORK / "classify_modality"


def features_of(
    image_ids: Sequence[str], store: ImageStore, params: ModalityParams, root: Path = Path()
) -> NDArray[np.float32]:
    """Return the features of the pictures, shape (pictures, channels), encoding those not remembered.

    Raises:
        UserError: the encoder or its weights are missing or do not fit.
    """
    folder = root / FOLDER / fingerprint(params, root)
    known = _remembered(folder)
    if missing := [image_id for image_id in image_ids if image_id not in known]:
        parts = list(chunks(missing, PICTURES_A_PART))
        pictures = ([store.data(image_id) for image_id in part] for part in parts)
        found = in_order(partial(_encode, params, root), pictures, params.workers)
        for part, features in zip(parts, track(found, f"encode {len(missing)} pictures", len(parts)), strict=True):
            _remember(folder, part, features)
            known.update(zip(part, features, strict=True))
    return np.stack([known[image_id] for image_id in image_ids]) if image_ids else np.zeros((0, 0), dtype=np.float32)


def fingerprint(params: ModalityParams, root: Path = Path()) -> str:
    """Return 16 hex digits that change with the encoder's files, name and code, the size and the device."""
    parts = {
        "encoder": encoder_digest(params.encoder, root),
        "image_size": params.image_size,
        "device": params.device,
    }
    return sha256_bytes(canonical_json(parts).encode())[:16]


def _remembered(folder: Path) -> dict[str, NDArray[np.float32]]:
    known: dict[str, NDArray[np.float32]] = {}
    for path in sorted(folder.glob("part-*.parquet")):
        part = pl.read_parquet(path)
        known.update(zip(part["image_id"], np.stack(part["features"].to_list()).astype(np.float32), strict=True))
    return known


@lru_cache(maxsize=1)
def _loaded(choice: str | OpenClipParams, image_size: int, threads: int, root: Path, device: str) -> PictureEncoder:
    """Return the encoder, loaded once in each process that encodes."""
    if threads:
        torch.set_num_threads(threads)
    return load_picture_encoder(choice, image_size, root, device)


def encoder_of(params: ModalityParams, root: Path = Path()) -> PictureEncoder:
    """Return the encoder of the params; errors as `modeling.open_clip_encoder.load_picture_encoder`."""
    return _loaded(params.encoder, params.image_size, params.threads, root, params.device)


def _encode(params: ModalityParams, root: Path, pictures: list[bytes]) -> NDArray[np.float32]:
    return encoder_of(params, root).features(decoded(data) for data in pictures)


def _remember(folder: Path, image_ids: Sequence[str], features: NDArray[np.float32]) -> None:
    table = pa.table({"image_id": list(image_ids), "features": pa.array(list(features), pa.list_(pa.float32()))})
    name = sha256_bytes("".join(image_ids).encode())[:16]
    with atomic_path(folder / f"part-{name}.parquet") as temporary:
        pq.write_table(table, temporary, compression="zstd")
