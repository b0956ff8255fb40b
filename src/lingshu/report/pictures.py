"""Sample pictures by source and modality, with what is said and asked about them; thumbnails are files."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
from PIL import Image

from lingshu.core.files import write_bytes
from lingshu.core.ids import stable_hash
from lingshu.core.images import ImageStore
from lingshu.core.verdicts import QUARANTINED

UNTAGGED = "untagged"
TOLD = ("caption", "report")


@dataclass(frozen=True, slots=True)
class Text:
    """What one sample says about a picture: the prompt, its options, and the reply."""

    prompt: str
    choices: tuple[str, ...]
    reply: str


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A picture with up to one text about it and one question; `reason` is why it was dropped, or empty."""

    image_id: str
    source: str
    modality: str
    width: int
    height: int
    texts: tuple[Text, ...]
    reason: str = ""


def choose(index: pl.DataFrame, samples: pl.DataFrame, seed: int, number: int) -> list[Exhibit]:
    """Return up to `number` pictures of each source and modality, of different groups where there are several.

    Args:
        index: rows of `core.images.INDEX_SCHEMA`.
        samples: rows of `core.tables.sample_table`; only pictures that one of them shows are chosen.
        seed: changes the draw.
        number: pictures of each source and modality.
    """
    texts = _texts(samples)
    shown = index.filter(pl.col("image_id").is_in(list(texts)))
    rows = shown.unique("image_id", keep="first", maintain_order=True).to_dicts()
    by_kind: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: stable_hash(seed, row["image_id"])):
        by_kind.setdefault((row["source"], _modality(row)), []).append(row)
    return [
        _exhibit(row, texts[row["image_id"]]) for _, kind in sorted(by_kind.items()) for row in _spread(kind)[:number]
    ]


def _spread(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows so that every group comes once before any comes again."""
    times: Counter[str] = Counter()
    ranked = []
    for row in rows:
        ranked.append((times[row["group_id"]], row))
        times[row["group_id"]] += 1
    return [row for _, row in sorted(ranked, key=lambda pair: pair[0])]


def dropped(index: pl.DataFrame, samples: pl.DataFrame, verdicts: pl.DataFrame, seed: int) -> list[Exhibit]:
    """Return a picture for each reason for which a step dropped a sample with a picture, but for quarantine.

    Args:
        index: rows of `core.images.INDEX_SCHEMA`.
        samples: rows of `core.tables.sample_table`.
        verdicts: rows of `core.verdicts.VERDICT_SCHEMA`, of all steps, in the order of the steps.
        seed: changes the draw.
    """
    seen = verdicts.filter(~pl.col("keep") & ~pl.col("reason").str.starts_with(QUARANTINED))
    lost = seen.join(samples, on="sample_id").filter(pl.col("image_ids").list.len() > 0)
    rows = {row["image_id"]: row for row in index.to_dicts()}
    found: dict[str, Exhibit] = {}
    steps = list(dict.fromkeys(verdicts["step"].to_list()))
    order = {step: place for place, step in enumerate(steps)}
    rank = {row["sample_id"]: stable_hash(seed, row["sample_id"]) for row in lost.to_dicts()}
    for row in sorted(lost.to_dicts(), key=lambda r: (order[r["step"]], r["reason"], rank[r["sample_id"]])):
        text = Text(row["prompt"], tuple(row["choices"].splitlines()), row["target"])
        why = f"{row['step']}: {row['reason']}"
        found.setdefault(why, replace(_exhibit(rows[row["image_ids"][0]], {row["task"]: text}), reason=why))
    return list(found.values())


def _modality(row: dict[str, Any]) -> str:
    return str(json.loads(row["facts"]).get("modality", UNTAGGED))


def _texts(samples: pl.DataFrame) -> dict[str, dict[str, Text]]:
    """Return one text for each picture and task, that of the smallest sample id."""
    single = samples.filter(pl.col("image_ids").list.len() == 1).sort("sample_id")
    found: dict[str, dict[str, Text]] = {}
    for row in single.select("image_ids", "task", "prompt", "choices", "target").to_dicts():
        text = Text(row["prompt"], tuple(row["choices"].splitlines()), row["target"])
        found.setdefault(row["image_ids"][0], {}).setdefault(row["task"], text)
    return found


def _exhibit(row: dict[str, Any], texts: dict[str, Text]) -> Exhibit:
    told = [text for task, text in sorted(texts.items()) if task in TOLD]
    asked = [text for task, text in sorted(texts.items()) if task not in TOLD]
    return Exhibit(
        image_id=row["image_id"],
        source=row["source"],
        modality=_modality(row),
        width=row["width"],
        height=row["height"],
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
