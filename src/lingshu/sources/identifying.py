"""`identifying.parquet` beside a source's pictures: what their files say about a person, in keywords without values."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lingshu.core.files import atomic_path
from lingshu.core.images import IDENTIFYING_FILE, IDENTIFYING_SCHEMA, Picture
from lingshu.sources.dicom_profile import Identifying


def write_identifying(folder: Path, found: Iterable[tuple[Picture, Identifying | None]]) -> None:
    """Write a row for each origin whose format can say something (`core.images.IDENTIFYING_SCHEMA`)."""
    rows = [
        {
            "image_id": picture.image_id,
            "origin_id": picture.origin_id,
            "tags": list(said.tags),
            "burned_in": said.burned_in,
        }
        for picture, said in found
        if said is not None
    ]
    with atomic_path(folder / IDENTIFYING_FILE) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=IDENTIFYING_SCHEMA), temporary, compression="zstd")
