"""Generating a source: pictures are drawn from facts, so nothing is pulled, read or refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from lingshu.core.errors import UserError
from lingshu.core.files import fresh_dir
from lingshu.core.images import Picture, write_images
from lingshu.core.layout import IMAGES, SAMPLES
from lingshu.core.manifest import write_manifest
from lingshu.core.parallel import Workers, in_order
from lingshu.core.progress import track
from lingshu.core.sample import Sample, write_samples
from lingshu.sources import phantom
from lingshu.sources.catalog import SOURCES_FOLDER, SourceRecord
from lingshu.sources.phantom_params import PhantomParams

STEP = "generate"
PICTURES_A_CHUNK = 100  # drawn by a process before it is asked for more


def generate(
    name: str, record: SourceRecord, params: PhantomParams, workers: Workers, root: Path = Path()
) -> dict[str, Any]:
    """Write pictures and samples of a generated source under `root`, a manifest with each, and return its metrics.

    The output does not depend on who draws.

    Raises:
        UserError: nothing here draws a source of that name.
    """
    if name != phantom.SOURCE:
        raise UserError(
            f"{SOURCES_FOLDER}/{name}.yaml: nothing draws this source", f"the only generated one is {phantom.SOURCE}"
        )
    images, rows = fresh_dir(root / IMAGES / name), fresh_dir(root / SAMPLES / name)
    samples: list[Sample] = []
    splits: Counter[str] = Counter()

    def drawn() -> Iterator[Picture]:
        numbers = phantom.numbers(params)
        work = partial(phantom.draw_one, params, record.licence, record.revision)
        made = in_order(work, numbers, workers, PICTURES_A_CHUNK)
        for picture, its_samples in track(made, f"{STEP} {name}", len(numbers)):
            samples.extend(its_samples)
            splits[picture.split] += 1
            yield picture

    number = write_images(images, drawn())
    write_samples(rows, samples)
    write_manifest(images, STEP, number, dict(splits))
    write_manifest(rows, STEP, len(samples), dict(Counter[str](s.split for s in samples)))
    return _summary(number, splits, samples)


def _summary(number: int, splits: Counter[str], samples: list[Sample]) -> dict[str, Any]:
    topics: dict[str, Counter[str]] = {split: Counter() for split in sorted(splits)}
    for sample in samples:
        topics[sample.split][sample.topic] += 1
    return {
        "generated": True,
        "distinct_pictures": number,
        "pictures": dict(sorted(splits.items())),
        "samples": {split: dict(sorted(counts.items())) for split, counts in topics.items()},
    }
