"""Sample pictures by source and modality, with what is said and asked about them; thumbnails are files."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from PIL import Image

from lingshu.core.files import write_bytes
from lingshu.core.ids import stable_hash
from lingshu.core.images import ImageStore

UNKNOWN = "untagged"


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A picture with one text about it and one question; `texts` are (prompt, target) pairs."""

    image_id: str
    source: str
    modality: str
    origin_id: str
    width: int
    height: int
    facts: dict[str, object]
    texts: tuple[tuple[str, str], ...]


def choose(index: pl.DataFrame, samples: pl.DataFrame, seed: int, number: int) -> list[Exhibit]:
    """Return up to `number` pictures of each source and modality, drawn by a stable hash of their ids.

    Args:
        index: rows of `core.images.INDEX_SCHEMA`.
        samples: rows of `core.tables.sample_table`; only pictures that a sample shows are chosen.
        seed: changes the draw.
        number: pictures of each source and modality.
    """
    texts = _texts(samples)
    ordered = sorted(
        (row for row in index.to_dicts() if row["image_id"] in texts),
        key=lambda row: (row["source"], _modality(row), stable_hash(seed, row["group_id"], row["image_id"])),
    )
    taken: dict[tuple[str, str], list[str]] = {}
    exhibits = []
    for row in ordered:
        shown = taken.setdefault((row["source"], _modality(row)), [])
        if len(shown) < number and row["image_id"] not in shown:
            shown.append(row["image_id"])
            exhibits.append(_exhibit(row, texts[row["image_id"]]))
    return exhibits


def _modality(row: dict[str, str]) -> str:
    return str(json.loads(row["facts"]).get("modality", UNKNOWN))


def _texts(samples: pl.DataFrame) -> dict[str, list[tuple[str, str, str]]]:
    """Return (task, prompt, target) of the samples of each picture, sorted."""
    single = samples.filter(pl.col("image_ids").list.len() == 1).sort("sample_id")
    found: dict[str, list[tuple[str, str, str]]] = {}
    for row in single.select("image_ids", "task", "prompt", "target").to_dicts():
        found.setdefault(row["image_ids"][0], []).append((row["task"], row["prompt"], row["target"]))
    return found


def _exhibit(row: dict[str, object], texts: list[tuple[str, str, str]]) -> Exhibit:
    told = [(prompt, target) for task, prompt, target in texts if task in {"caption", "report"}]
    asked = [(prompt, target) for task, prompt, target in texts if task not in {"caption", "report"}]
    facts = json.loads(str(row["facts"]))
    return Exhibit(
        image_id=str(row["image_id"]),
        source=str(row["source"]),
        modality=str(facts.get("modality", UNKNOWN)),
        origin_id=str(row["origin_id"]),
        width=int(str(row["width"])),
        height=int(str(row["height"])),
        facts=facts,
        texts=(*told[:1], *asked[:1]),
    )


def write_thumbnails(store: ImageStore, image_ids: Iterable[str], folder: Path, longest_px: int) -> None:
    """Write `folder/<first 20 digits of the id>.png` for each picture, its longer side at most `longest_px`."""
    for image_id in sorted(set(image_ids)):
        picture = store.image(image_id)
        picture.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        picture.save(buffer, format="PNG", optimize=True)
        write_bytes(folder / thumbnail_name(image_id), buffer.getvalue())


def thumbnail_name(image_id: str) -> str:
    """Return the file name of a picture's thumbnail."""
    return f"{image_id[:20]}.png"
