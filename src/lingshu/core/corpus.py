"""Reading a mixture back: the table of references becomes samples and pictures, in the mixture's order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from lingshu.core.errors import UserError
from lingshu.core.images import ImageStore
from lingshu.core.layout import IMAGES, MIXTURES, PROPOSALS
from lingshu.core.sample import Sample, read_samples

MIXTURE_FILE = "mixture.parquet"
MIXTURE_SCHEMA = pa.schema(
    [
        ("position", pa.int64()),
        ("sample_id", pa.string()),
        ("group", pa.string()),
        ("source", pa.string()),
        ("folder", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class MixtureItem:
    """One training row: its place, the mix group it came from, and the sample."""

    position: int
    group: str
    sample: Sample


def image_folders(root: Path = Path()) -> list[Path]:
    """Return every folder with pictures, of sources and of synthesis recipes, sorted."""
    found = [path.parent for base in (IMAGES, PROPOSALS) for path in (root / base).glob("**/index.parquet")]
    return sorted(found)


def load_mixture(stage: str, root: Path = Path()) -> list[MixtureItem]:
    """Return the mixture of a training stage in order (a sample that is upsampled appears several times).

    Raises:
        UserError: the mixture names a sample that its folder does not hold.
    """
    path = root / MIXTURES / stage / MIXTURE_FILE
    table = pl.read_parquet(path).sort("position")
    wanted = set(table["sample_id"])
    folders = [root / folder for folder in sorted(set(table["folder"]))]
    samples = {sample.sample_id: sample for sample in read_samples(folders, wanted)}
    if missing := sorted(wanted - samples.keys())[:3]:
        raise UserError(f"{path}: samples {missing} are in none of the folders it names", "run `dvc repro mix`")
    return [MixtureItem(row["position"], row["group"], samples[row["sample_id"]]) for row in table.to_dicts()]


def open_images(root: Path = Path()) -> ImageStore:
    """Return one store over every picture folder."""
    return ImageStore(image_folders(root))
