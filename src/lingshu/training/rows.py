"""The rows a stage trains on: a mixture's samples, encoded once, alone or packed into bins."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from lingshu.core.corpus import load_mixture, open_images
from lingshu.core.errors import UserError
from lingshu.core.ids import stable_hash
from lingshu.core.images import INDEX_FILE
from lingshu.core.layout import IMAGES
from lingshu.core.packing import plan_bins
from lingshu.modeling.collate import Batch, Encoded, Pictures, collate, conversation, encode
from lingshu.modeling.load import Processor
from lingshu.training.params import StageParams, VaryParams
from lingshu.training.vary import Patching, Variation

TOO_LONG = "TOO_LONG"


@dataclass(slots=True)
class Rows:
    """Training rows of one stage; a row is the samples that share a sequence.

    Attributes:
        rows: samples of each row.
        pictures: their pictures.
        order: the row at each place of the whole run, all epochs; the trainer knows places.
        variation: how pictures are varied.
        dropped: samples left out, by reason.
    """

    rows: list[list[Encoded]]
    pictures: Pictures
    order: list[int]
    variation: Variation
    dropped: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def samples(self) -> list[Encoded]:
        """Return all samples, in row order."""
        return [sample for row in self.rows for sample in row]

    def collate(self, chosen: Sequence[Mapping[str, int]]) -> Batch:
        """Return what stands at the places that the items `{"place": number}` name as one batch."""
        samples: list[Encoded] = []
        shown: list[tuple[str, str]] = []
        for place in (item["place"] for item in chosen):
            row = self.rows[self.order[place]]
            samples.extend(row)
            image_ids = [image_id for sample in row for image_id in sample.image_ids]
            shown.extend((image_id, f"{place}/{number}") for number, image_id in enumerate(image_ids))
        patches = self.variation([image_id for image_id, _ in shown], [key for _, key in shown], self.pictures)
        return collate(samples, self.pictures, patches)


def load_rows(
    stage: str, params: StageParams, processor: Processor, root: Path = Path(), *, vary: VaryParams, seed: int
) -> Rows:
    """Return the stage's mixture as rows; samples over `max_length` tokens are dropped and counted.

    Raises:
        UserError: no sample is left.
    """
    samples = [item.sample for item in load_mixture(stage, root)]
    pictures = Pictures()
    pictures.add((image.image_id for sample in samples for image in sample.images), open_images(root), processor)
    encoded = encode([conversation(sample) for sample in samples], processor, pictures)
    kept = [sample for sample in encoded if len(sample) <= params.max_length]
    if not kept:
        raise UserError(
            f"params.yaml: training.{stage}.max_length: no sample of the mixture fits {params.max_length} tokens",
            f"raise it; the shortest sample has {min(map(len, encoded), default=0)} tokens",
        )
    rows = pack(kept, params.max_length) if params.packing else [[sample] for sample in kept]
    variation = Variation(vary, Patching.of(processor), pictures_of(vary.sources, root), f"{seed}/{stage}")
    order = run_order(len(rows), params.epochs, f"{seed}/{stage}", params.batch)
    return Rows(rows, pictures, order, variation, {TOO_LONG: len(encoded) - len(kept)})


def run_order(rows: int, epochs: float, key: str, step: int = 1) -> list[int]:
    """Return the row at each place of a run: every row once an epoch, each epoch in an order of its own.

    The last step is filled up to `step` rows with the first ones of a further epoch, so that all processes have the
    same share of it.
    """
    places = math.ceil(math.ceil(epochs * rows) / step) * step
    order: list[int] = []
    while len(order) < places:
        epoch = len(order) // rows
        order.extend(np.random.default_rng(stable_hash(key, "order", str(epoch))).permutation(rows).tolist())
    return order[:places]


def pictures_of(sources: Sequence[str], root: Path = Path()) -> frozenset[str]:
    """Return the ids of all pictures of the sources."""
    indices = [pl.read_parquet(root / IMAGES / source / INDEX_FILE, columns=["image_id"]) for source in sources]
    return frozenset(image_id for index in indices for image_id in index["image_id"])


def pack(samples: Sequence[Encoded], capacity: int) -> list[list[Encoded]]:
    """Return bins of at most `capacity` tokens that hold every sample once, in order of opening."""
    bins, positions = plan_bins(np.array([len(sample) for sample in samples], dtype=np.int64), capacity)
    rows: list[list[Encoded]] = [[] for _ in range(int(bins.max()) + 1)]
    for index in np.lexsort((positions, bins)):
        rows[bins[index]].append(samples[index])
    return rows
