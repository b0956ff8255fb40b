"""Files for the invented data sets of these tests."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def picture(shade: int = 90, size: tuple[int, int] = (80, 70), kind: str = "PNG") -> bytes:
    """Bytes of a picture that is not all of one grey."""
    image = Image.new("RGB", size, (shade, shade, shade))
    image.paste((255 - shade, 20, 20), (10, 12, 30, 32))
    buffer = io.BytesIO()
    image.save(buffer, format=kind)
    return buffer.getvalue()


def put(path: Path, data: bytes | str | Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data, bytes):
        path.write_bytes(data)
    else:
        path.write_text(data if isinstance(data, str) else json.dumps(data, ensure_ascii=False), encoding="utf-8")


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
