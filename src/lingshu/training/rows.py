"""The rows a stage trains on: a mixture's samples, encoded once, alone or packed into bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lingshu.core.corpus import load_mixture, open_images
from lingshu.core.errors import UserError
from lingshu.core.packing import plan_bins
from lingshu.modeling.collate import Batch, Encoded, Pictures, collate, conversation, encode
from lingshu.modeling.load import Processor
from lingshu.training.params import StageParams

TOO_LONG = "TOO_LONG"


@dataclass(slots=True)
class Rows:
    """Training rows of one stage; a row is the samples that share a sequence. The trainer knows rows by number.

    Attributes:
        rows: samples of each row.
        pictures: their pictures.
        dropped: samples left out, by reason.
    """

    rows: list[list[Encoded]]
    pictures: Pictures
    dropped: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def samples(self) -> list[Encoded]:
        """Return all samples, in row order."""
        return [sample for row in self.rows for sample in row]

    def collate(self, chosen: Sequence[Mapping[str, int]]) -> Batch:
        """Return the rows that the items `{"row": number}` name as one batch (`modeling.collate.collate`)."""
        return collate([sample for item in chosen for sample in self.rows[item["row"]]], self.pictures)


def load_rows(stage: str, params: StageParams, processor: Processor, root: Path = Path()) -> Rows:
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
    return Rows(rows, pictures, {TOO_LONG: len(encoded) - len(kept)})


def pack(samples: Sequence[Encoded], capacity: int) -> list[list[Encoded]]:
    """Return bins of at most `capacity` tokens that hold every sample once, in order of opening."""
    bins, positions = plan_bins(np.array([len(sample) for sample in samples], dtype=np.int64), capacity)
    rows: list[list[Encoded]] = [[] for _ in range(int(bins.max()) + 1)]
    for index in np.lexsort((positions, bins)):
        rows[bins[index]].append(samples[index])
    return rows
