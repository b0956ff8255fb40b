"""Pictures at rest: Arrow IPC shards, written once by `normalize`, read by memory map at random.

Row: image_id (SHA-256 of the bytes), bytes, format (PNG, JPEG), width, height in pixels. Beside the shards lies
`index.parquet` (`INDEX_SCHEMA`): where each picture came from, its group and split, and the facts known about it.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from lingshu.core.files import atomic_path, listed
from lingshu.core.ids import canonical_json, sha256_bytes
from lingshu.core.jpeg import decoded_jpeg

SHARD_BYTES = 256 << 20
INDEX_ROWS = 100_000  # held in memory, and of a row group
SHARD_SCHEMA = pa.schema(
    [
        ("image_id", pa.string()),
        ("bytes", pa.large_binary()),
        ("format", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
    ]
)
INDEX_FILE = "index.parquet"
# What the files of pictures say about a person, where `sources.normalize.identifying_tags` asks for it: keywords of
# DICOM attributes without their values, and whether the file says that its pixels show identifying text.
IDENTIFYING_FILE = "identifying.parquet"
IDENTIFYING_SCHEMA = pa.schema(
    [("image_id", pa.string()), ("origin_id", pa.string()), ("tags", pa.list_(pa.string())), ("burned_in", pa.bool_())]
)
INDEX_SCHEMA = pa.schema(
    [
        ("image_id", pa.string()),
        ("source", pa.string()),
        ("origin_id", pa.string()),
        ("group_id", pa.string()),
        ("split", pa.string()),
        ("licence", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("facts", pa.string()),
    ]
)


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode uint8 pixels, shape (height, width) grey or (height, width, 3) RGB, as a PNG (always the same bytes)."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=4)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture on its way into a store; `facts` are true statements about it (str, int, float or bool)."""

    data: bytes
    format: str
    width: int
    height: int
    source: str
    origin_id: str
    group_id: str
    split: str
    licence: str
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def image_id(self) -> str:
        """SHA-256 of the bytes."""
        return sha256_bytes(self.data)


class ImageWriter:
    """Writes `shard-NNNNN.arrow` and `index.parquet` as pictures come; at most one shard is held in memory.

    Byte-equal pictures are stored once; the index keeps a row for each origin. Used as a context: what it wrote is
    complete when the context ends without an error.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._seen: set[int] = set()
        self._rows: list[dict[str, Any]] = []
        self._index: list[dict[str, Any]] = []
        self._pending = self._shards = 0
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> ImageWriter:
        temporary = self._stack.enter_context(atomic_path(self._folder / INDEX_FILE))
        self._table = self._stack.enter_context(pq.ParquetWriter(temporary, INDEX_SCHEMA, compression="zstd"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            if self._rows or self._shards == 0:
                self._flush_shard()
            if self._index or not self._seen:
                self._flush_index()
        self._stack.__exit__(kind, error, trace)

    @property
    def stored(self) -> int:
        """Number of distinct pictures stored so far."""
        return len(self._seen)

    def add(self, picture: Picture, image_id: str = "") -> None:
        """Store a picture that is not yet here, and note its origin; `image_id` saves digesting the bytes again."""
        image_id = image_id or picture.image_id
        self.note(image_id, picture)
        number = int(image_id[:32], 16)
        if number in self._seen:
            return
        self._seen.add(number)
        self._rows.append(
            {
                "image_id": image_id,
                "bytes": picture.data,
                "format": picture.format,
                "width": picture.width,
                "height": picture.height,
            }
        )
        self._pending += len(picture.data)
        if self._pending >= SHARD_BYTES:
            self._flush_shard()

    def note(self, image_id: str, picture: Picture) -> None:
        """Note one more origin of a picture that is stored."""
        self._index.append(_index_row(image_id, picture))
        if len(self._index) >= INDEX_ROWS:
            self._flush_index()

    def _flush_shard(self) -> None:
        _write_shard(self._folder, self._shards, self._rows)
        self._rows, self._pending, self._shards = [], 0, self._shards + 1

    def _flush_index(self) -> None:
        self._table.write_table(pa.Table.from_pylist(self._index, schema=INDEX_SCHEMA))
        self._index = []


def write_images(folder: Path, pictures: Iterable[Picture]) -> int:
    """Write pictures as `ImageWriter` does; return the number of distinct ones stored."""
    with ImageWriter(folder) as writer:
        for picture in pictures:
            writer.add(picture)
    return writer.stored


def _index_row(image_id: str, picture: Picture) -> dict[str, Any]:
    return {
        "image_id": image_id,
        "source": picture.source,
        "origin_id": picture.origin_id,
        "group_id": picture.group_id,
        "split": picture.split,
        "licence": picture.licence,
        "width": picture.width,
        "height": picture.height,
        "facts": canonical_json(picture.facts),
    }


def _write_shard(folder: Path, number: int, rows: list[dict[str, Any]]) -> None:
    table = pa.Table.from_pylist(rows, schema=SHARD_SCHEMA)
    with (
        atomic_path(folder / f"shard-{number:05d}.arrow") as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, SHARD_SCHEMA) as writer,
    ):
        writer.write_table(table, max_chunksize=256)


def read_index(folders: Iterable[Path], columns: Sequence[str] = tuple(INDEX_SCHEMA.names)) -> pl.DataFrame:
    """Return the picture index of the folders, in folder order: these columns of `INDEX_SCHEMA`."""
    frames = [pl.read_parquet(folder / INDEX_FILE, columns=list(columns)) for folder in folders]
    empty = pl.from_arrow(INDEX_SCHEMA.empty_table())
    assert isinstance(empty, pl.DataFrame)
    return pl.concat([empty.select(columns), *frames])


def decoded(data: bytes | memoryview) -> Image.Image:
    """Return the picture of encoded bytes, mode RGB."""
    if (jpeg := decoded_jpeg(data)) is not None:
        return jpeg
    with Image.open(io.BytesIO(data)) as opened:
        return opened.convert("RGB")


class ImageStore:
    """Random access to the pictures of some folders by memory map; nothing is loaded until asked for."""

    def __init__(self, folders: Iterable[Path]) -> None:
        # Of each batch where its pictures begin (one number more than pictures) and the bytes of all, as mapped: an
        # Arrow scalar for each picture would cost more than reading it.
        self._bounds: list[memoryview] = []
        self._bytes: list[memoryview] = []
        self._where: dict[str, tuple[int, int]] = {}
        for folder in folders:
            for path in listed(folder, "shard-*.arrow"):
                self._open(path)

    def _open(self, path: Path) -> None:
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            for row, image_id in enumerate(batch.column("image_id").to_pylist()):
                self._where.setdefault(image_id, (len(self._bytes), row))
            column = batch.column("bytes")
            _, bounds, data = column.buffers()
            self._bounds.append(memoryview(bounds).cast("B").cast("q")[column.offset :])
            self._bytes.append(memoryview(data).cast("B"))  # unsigned bytes, as `bytes` has them

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._where

    def __len__(self) -> int:
        return len(self._where)

    def ids(self) -> list[str]:
        """Return all picture ids, sorted."""
        return sorted(self._where)

    def data(self, image_id: str) -> bytes:
        """Return the stored bytes, a copy.

        Raises:
            KeyError: no such picture in the store's folders.
        """
        return bytes(self.view(image_id))

    def view(self, image_id: str) -> memoryview:
        """Return the stored bytes as they lie in the mapped file, without a copy; errors as `data`."""
        batch, row = self._where[image_id]
        bounds = self._bounds[batch]
        return self._bytes[batch][bounds[row] : bounds[row + 1]]

    def image(self, image_id: str) -> Image.Image:
        """Return the decoded picture, mode RGB."""
        return decoded(self.view(image_id))
