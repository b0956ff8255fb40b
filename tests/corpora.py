"""A small corpus on disk for the tests of the deciding steps: pictures, samples, signals, verdicts of earlier steps."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lingshu.core.images import Picture, encode_png, write_images
from lingshu.core.layout import BENCHMARKS, IMAGES, SAMPLES, aside_file, verdict_file
from lingshu.core.parallel import ALONE
from lingshu.core.sample import Answer, ImageRef, Sample, turn, write_samples
from lingshu.core.verdicts import KEPT, QUARANTINED_TEXT, Verdict, write_verdicts
from lingshu.signals.measure import measure_source
from lingshu.signals.params import EmbeddingsParams, SignalsParams

SIGNALS_PARAMS = SignalsParams(
    workers=ALONE,
    grey_tolerance=6,
    embeddings=EmbeddingsParams(sources=(), dtype="float16", batch=4, device="cpu", threads=1),
    assistant_phrases=("as an ai",),
    refusal_phrases=("i can't help",),
    picture_phrases=("this image",),
)


def scene(seed: int, side: int = 96) -> np.ndarray:
    """Random blobs of several sizes, coarse ones stronger, uint8 of shape (side, side); each seed looks different."""
    rng = np.random.default_rng(seed)
    total = np.zeros((side, side))
    for cells in (3, 6, 12, 24):
        grid = Image.fromarray(rng.normal(size=(cells, cells)).astype(np.float32))
        total += np.asarray(grid.resize((side, side), Image.Resampling.BICUBIC)) / cells
    return (255 * (total - total.min()) / np.ptp(total)).astype(np.uint8)


class Corpus:
    """Collects pictures and samples, then writes them as the earlier stages would."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pictures: dict[str, list[Picture]] = {}
        self.samples: dict[str, list[Sample]] = {}

    def picture(
        self,
        source: str,
        pixels: np.ndarray,
        group: str = "",
        split: str = "train",
        facts: dict[str, Any] | None = None,
    ) -> Picture:
        """Add a picture; each is a group of its own unless `group` is given."""
        known = self.pictures.setdefault(source, [])
        group = group or f"{source}-{len(known)}"
        height, width = pixels.shape[:2]
        origin = f"{source}/{len(known)}"
        known.append(
            Picture(encode_png(pixels), "PNG", width, height, source, origin, group, split, "MIT", facts or {})
        )
        return known[-1]

    def sample(
        self, source: str, question: str, reply: str, *pictures: Picture, task: str = "text_qa", group: str = "",
        split: str = "train", answer: Answer | None = None,
    ) -> Sample:  # fmt: skip
        """Add a sample; its group and split are those of its first picture, if it has one."""
        known = self.samples.setdefault(source, [])
        images = tuple(ImageRef(one.image_id, one.width, one.height) for one in pictures)
        group = group or (pictures[0].group_id if pictures else f"{source}-text-{len(known)}")
        split = pictures[0].split if pictures else split
        messages = turn(question, reply, len(images))
        known.append(
            Sample(
                source,
                split,
                "r1",
                f"{source}/{len(known)}",
                group,
                task,
                "topic",
                messages,
                "MIT",
                images=images,
                answer=answer,
            ).with_id()
        )
        return known[-1]

    def caption(self, source: str, text: str, picture: Picture) -> Sample:
        """Add a caption of a picture."""
        return self.sample(source, "Describe it.", text, picture, task="caption")

    @property
    def sources(self) -> list[str]:
        """All sources, sorted."""
        return sorted(self.pictures.keys() | self.samples.keys())

    def write(self) -> None:
        """Write samples and images of every source, and measure them."""
        for source in self.sources:
            write_images(self.root / IMAGES / source, self.pictures.get(source, []))
            write_samples(self.root / SAMPLES / source, self.samples.get(source, []))
            measure_source(source, SIGNALS_PARAMS, self.root)

    def write_benchmark(self, name: str, samples: list[Sample]) -> None:
        """Write a benchmark of the given samples."""
        write_samples(self.root / BENCHMARKS / name, samples)

    def keep_all(self, step: str, aside: Collection[Sample] = ()) -> None:
        """Write the verdicts of an earlier step that kept every sample outside the test split.

        The gate put those in `aside` aside for their text; deduplication kept them apart.
        """
        judged = [s for samples in self.samples.values() for s in samples if s.split != "test"]
        kept = [Verdict(s.sample_id, s.source, step, True, KEPT) for s in judged if s not in aside]
        if step == "gate":
            detail = f"{QUARANTINED_TEXT} (identifier_name 1 > 0)"
            held = [Verdict(s.sample_id, s.source, step, False, QUARANTINED_TEXT, 1.0, detail) for s in aside]
            write_verdicts(self.root / verdict_file(step), [*kept, *held])
            return
        write_verdicts(self.root / verdict_file(step), kept)
        held = [Verdict(s.sample_id, s.source, step, True, KEPT) for s in aside]
        write_verdicts(self.root / aside_file(step), held)
