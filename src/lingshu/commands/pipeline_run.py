"""A checkpoint's responses in the pipeline's own folder: what the project around them knows of the questions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lingshu.core.benchmark import BuiltBenchmark, built_benchmarks
from lingshu.core.layout import BENCHMARKS, IMAGES, RESPONSES

if TYPE_CHECKING:
    from lingshu.core.question import PictureFile
    from lingshu.report.viewer.scored_lines import Key
    from lingshu.report.viewer.scores import BenchmarkFacts


def project_of(path: Path) -> Path | None:
    """Return the project whose `data/responses/` holds a run (a file's links are not followed), or None."""
    whole = path.resolve() if path.is_dir() else path.parent.resolve() / path.name
    for folder in whole.parents:
        if whole.is_relative_to(folder / RESPONSES) and (folder / BENCHMARKS).is_dir():
            return folder
    return None


def pipeline_facts(root: Path) -> dict[str, BenchmarkFacts]:
    """Return suite and chance level of each benchmark that the project has built.

    Raises:
        UserError: there is none, or a record is broken.
    """
    from lingshu.report.viewer.scores import BenchmarkFacts  # noqa: PLC0415

    return {
        found.name: BenchmarkFacts(found.suite, chance=_chance(found)) for found in built_benchmarks(root / BENCHMARKS)
    }


def _chance(benchmark: BuiltBenchmark) -> float | None:
    """Return the accuracy of a guess over all topics; None if it has none for one of them."""
    topics = [topic for topic in benchmark.topics.values() if topic.rows]
    chances = [topic.chance * topic.rows for topic in topics if topic.chance is not None]
    return sum(chances) / sum(topic.rows for topic in topics) if topics and len(chances) == len(topics) else None


def pipeline_pictures(root: Path) -> Iterator[tuple[Key, tuple[PictureFile, ...]]]:
    """Yield the pictures of each item of the project's benchmarks, from its image folders."""
    from lingshu.core.images import ImageStore  # noqa: PLC0415
    from lingshu.core.sample import read_samples  # noqa: PLC0415
    from lingshu.inference.questions import StoredPicture  # noqa: PLC0415

    store = ImageStore(path.parent for path in sorted((root / IMAGES).glob("*/index.parquet")))
    for benchmark in built_benchmarks(root / BENCHMARKS):
        for sample in read_samples([root / BENCHMARKS / benchmark.name]):
            if sample.images:
                yield (
                    (benchmark.name, sample.sample_id),
                    tuple(StoredPicture(image.image_id, store) for image in sample.images),
                )
