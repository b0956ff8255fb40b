"""The pictures of the training side: which are tagged, with what, and which the probe learns from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from lingshu.core.ids import stable_hash
from lingshu.core.images import read_index
from lingshu.core.layout import IMAGES
from lingshu.modality.params import ModalityParams

NOT_MEDICAL = "not medical"


def tag(facts: dict[str, Any]) -> str | None:
    """Return the modality that a picture's facts state, `not medical` where they say so, else None."""
    return NOT_MEDICAL if facts.get("medical") is False else facts.get("modality")


def training_pictures(sources: Sequence[str], shown: set[str], root: Path = Path()) -> pl.DataFrame:
    """Return the pictures outside the test split: image_id, source, group (source and group_id), tag, generated.

    Args:
        sources: enabled sources.
        shown: pictures of samples that survived so far. A picture with a modality that none of them shows is left out
            (it was blank, a copy or a benchmark's); untagged and not medical ones may have no samples and stay.
        root: repository root.

    One row a picture, sorted by image_id; `tag` is null where the facts state no modality.
    """
    index = read_index(root / IMAGES / source for source in sources).filter(pl.col("split") == "train")
    # Facts are parsed one by one: all at once they are many times as large as their text.
    stated = [(tag(facts), facts.get("generated", False)) for facts in map(json.loads, index["facts"])]
    pictures = index.select(
        "image_id", "source", group=pl.concat_str("source", "group_id", separator="/")
    ).with_columns(
        pl.Series("tag", [name for name, _ in stated], dtype=pl.String),
        pl.Series("generated", [generated for _, generated in stated], dtype=pl.Boolean),
    )
    stays = pl.col("image_id").is_in(sorted(shown)) | pl.col("tag").is_null() | (pl.col("tag") == NOT_MEDICAL)
    return (
        pictures.filter(stays).sort("image_id", "source", "group").unique("image_id", keep="first", maintain_order=True)
    )


def chosen_for_probe(pictures: pl.DataFrame, params: ModalityParams) -> pl.DataFrame:
    """Return the tagged pictures to learn from: at most `max_tagged` of each source and tag, spread over groups.

    Within a group in the order of a stable hash; from every group one, then from every group a second, and so on, so
    that a long clip does not crowd out other patients. Drawn pictures are left out: they keep their tag, but a probe
    that learned from them would know drawings.
    """
    tagged = pictures.filter(pl.col("tag").is_not_null(), ~pl.col("generated"))
    lots = [stable_hash(params.seed, "tagged", image_id) for image_id in tagged["image_id"]]
    drawn = tagged.with_columns(pl.Series("lot", lots, dtype=pl.UInt64)).sort("lot", "image_id")
    in_group = pl.int_range(pl.len()).over("source", "tag", "group")
    ranked = drawn.with_columns(turn=in_group).sort("turn", "lot", "image_id")
    chosen = ranked.with_columns(place=pl.int_range(pl.len()).over("source", "tag"))
    return chosen.filter(pl.col("place") < params.max_tagged).drop("lot", "turn", "place").sort("image_id")
