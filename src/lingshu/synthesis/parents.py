"""What synthesis may build on: eligible training samples, and the facts of their pictures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from lingshu.core.ids import stable_hash
from lingshu.core.images import read_index
from lingshu.core.layout import IMAGES, SAMPLES
from lingshu.core.sample import Sample, read_samples, sample_parts
from lingshu.core.verdicts import eligible_aside, eligible_ids
from lingshu.facts.vocabulary import check_facts, parsable

T = TypeVar("T")
TRAINING_SPLIT = "train"


@dataclass(frozen=True, slots=True)
class Parent:
    """A sample of one picture, and what is known about the picture."""

    sample: Sample
    facts: dict[str, Any]


def eligible_samples(
    sources: Iterable[str],
    tasks: Collection[str],
    topics: Collection[str] | None = None,
    root: Path = Path(),
    *,
    aside: bool = False,
) -> list[Sample]:
    """Return the training samples of these tasks (and topics) that the deciding steps kept, sorted by id.

    Args:
        sources: their names.
        tasks: see above.
        topics: None for all.
        root: of the project.
        aside: also those that the gate put aside for their text alone and the later steps found no fault with: to be
            masked before anybody reads them.
    """
    folders = [root / SAMPLES / source for source in sorted(sources)]
    columns = ["sample_id", "split", "task", "topic"]
    wanted = pl.col("split").eq(TRAINING_SPLIT) & pl.col("task").is_in(list(tasks))
    if topics is not None:
        wanted &= pl.col("topic").is_in(list(topics))
    parts = [pl.read_parquet(path, columns=columns).filter(wanted) for path in sample_parts(folders)]
    wanted_ids = {sample_id for part in parts for sample_id in part["sample_id"]}
    ids = wanted_ids & (eligible_ids(root) | (eligible_aside(root) if aside else set()))
    return sorted(read_samples(folders, ids), key=lambda s: s.sample_id)


def picture_parents(samples: Iterable[Sample], facts: dict[str, dict[str, Any]]) -> list[Parent]:
    """Return the samples of exactly one picture with its facts; pictures of which nothing is known are left out."""
    return [
        Parent(sample, facts[sample.images[0].image_id])
        for sample in samples
        if len(sample.images) == 1 and parsable(facts.get(sample.images[0].image_id, {}))
    ]


def picture_facts(sources: Iterable[str], root: Path = Path()) -> dict[str, dict[str, Any]]:
    """Return the facts of every picture by image id; of a picture with several origins, those all of them state.

    Boxes are kept of each origin: a source may have a row for each thing it marks.

    Raises:
        UserError: a fact is not in the vocabulary (names source and picture).
    """
    folders = [root / IMAGES / source for source in sorted(sources)]
    index = read_index([folder for folder in folders if (folder / "index.parquet").exists()])
    found: dict[str, dict[str, Any]] = {}
    for image_id, source, text in index.select("image_id", "source", "facts").iter_rows():
        facts: dict[str, Any] = json.loads(text)
        check_facts(facts, f"{source}: {image_id}")
        agreed = found.setdefault(image_id, facts)
        boxes = [
            *agreed.get("boxes", []),
            *(box for box in facts.get("boxes", []) if box not in agreed.get("boxes", [])),
        ]
        found[image_id] = {key: value for key, value in agreed.items() if facts.get(key) == value}
        if boxes:
            found[image_id]["boxes"] = boxes
    return found


def draw(
    items: Sequence[T], limit: int, seed: int, name: Callable[[T], str], spread: Callable[[T], str] = lambda _: ""
) -> list[T]:
    """Return up to `limit` items by stable hash of their names, taken in turn from each value of `spread`.

    Raising `limit` only adds items.
    """
    ranked = sorted(items, key=lambda item: (stable_hash(seed, name(item)), name(item)))
    turn: Counter[str] = Counter()
    placed: list[tuple[int, T]] = []
    for item in ranked:
        placed.append((turn[spread(item)], item))
        turn[spread(item)] += 1
    return [item for _, item in sorted(placed, key=lambda pair: pair[0])[:limit]]
