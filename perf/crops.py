"""What the check for crops and small turns finds on real pictures, what wrongly, and at which cost.

`python perf/crops.py FOLDER…` (data/images/<source>). Half of the pictures' groups are the benchmark. Of each of its
pictures one copy is made by each change, and looked for among all of them by `decontam.picture_index`; it is found if
its original is among the hits. False hits are those of the other half's pictures, as they are.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from lingshu.core.images import ImageStore, read_index
from lingshu.decontam.picture_index import PictureIndex, PictureRule
from lingshu.decontam.prints import PicturePrint, picture_print

Change = Callable[[Image.Image, np.random.Generator], Image.Image]
SHARES = (0.9, 0.8, 0.7, 0.6, 0.5)
TURNS = (1, 2, 3, 5, 7, 10, 12, 15)
SMALLEST = 64  # pixels of the shorter side, as `quality.min_side`
CORNERS = 0.8  # share of each side that a turned picture is cut to, which leaves out its empty corners


@dataclass(frozen=True, slots=True)
class Held:
    """A picture in memory."""

    name: str
    data: bytes

    def read(self) -> bytes:
        """See `PictureFile.read`."""
        return self.data


def cropped(picture: Image.Image, share: float, rng: np.random.Generator) -> Image.Image:
    """Return a random window with `share` of each side."""
    width, height = (max(8, round(side * share)) for side in picture.size)
    left, top = int(rng.integers(0, picture.width - width + 1)), int(rng.integers(0, picture.height - height + 1))
    return picture.crop((left, top, left + width, top + height))


def middle(picture: Image.Image, share: float) -> Image.Image:
    """Return the middle with `share` of each side."""
    across, down = (round(side * (1 - share) / 2) for side in picture.size)
    return picture.crop((across, down, picture.width - across, picture.height - down))


def turned(picture: Image.Image, degrees: float, rng: np.random.Generator) -> Image.Image:
    """Return the picture turned to a random side about its middle, corners black."""
    return picture.rotate(degrees * float(rng.choice((-1, 1))), Image.Resampling.BICUBIC)


def windowed(picture: Image.Image, low: float, high: float) -> Image.Image:
    """Return the levels between two percentiles spread over the whole range."""
    pixels = np.asarray(picture, dtype=np.float64)
    bottom, top = np.percentile(pixels, (low, high))
    return Image.fromarray((np.clip((pixels - bottom) / max(top - bottom, 1), 0, 1) * 255).astype(np.uint8))


def curved(picture: Image.Image, gamma: float) -> Image.Image:
    """Return the levels under a gamma."""
    return Image.fromarray((255 * (np.asarray(picture) / 255.0) ** gamma).astype(np.uint8))


def crop_of(share: float) -> Change:
    """Return the change that keeps a random window."""
    return lambda picture, rng: cropped(picture, share, rng)


def turn_of(degrees: float) -> Change:
    """Return the change that turns."""
    return lambda picture, rng: turned(picture, degrees, rng)


def cut_turn_of(degrees: float) -> Change:
    """Return the change that turns and leaves the corners out."""
    return lambda picture, rng: middle(turned(picture, degrees, rng), CORNERS)


def turned_crop_of(share: float) -> Change:
    """Return the change that turns by 5 degrees and keeps a random window."""
    return lambda picture, rng: cropped(turned(picture, 5, rng), share, rng)


def changes() -> dict[str, Change]:
    """Return the changes by name."""
    made: dict[str, Change] = {}
    made |= {f"crop {share:.0%}": crop_of(share) for share in SHARES}
    made |= {f"turned {degrees}": turn_of(degrees) for degrees in TURNS}
    made |= {f"turned {degrees}, cut to 80 %": cut_turn_of(degrees) for degrees in (5, 10, 15)}
    made |= {f"turned 5, crop {share:.0%}": turned_crop_of(share) for share in (0.8, 0.6)}
    made["window 5-95 %"] = lambda p, _: windowed(p, 5, 95)
    made["window 5-95 %, turned 5"] = lambda p, rng: turned(windowed(p, 5, 95), 5, rng)
    made["window 5-95 %, crop 70%"] = lambda p, rng: cropped(windowed(p, 5, 95), 0.7, rng)
    made["gamma 0.7, turned 5"] = lambda p, rng: turned(curved(p, 0.7), 5, rng)
    made["gamma 0.7, crop 70%"] = lambda p, rng: cropped(curved(p, 0.7), 0.7, rng)
    made["gamma 1.5, turned 10, cut to 80 %"] = lambda p, rng: middle(turned(curved(p, 1.5), 10, rng), CORNERS)
    return made


def encoded(picture: Image.Image, name: str) -> Held:
    """Return the picture as JPEG of quality 85."""
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=85)
    return Held(name, buffer.getvalue())


def printed(files: list[Held], *, indexed: bool = False) -> list[PicturePrint]:
    """Return the prints; all can be decoded."""
    prints = [picture_print(file.data, indexed=indexed) for file in files]
    return [one for one in prints if isinstance(one, PicturePrint)]


def main() -> None:
    """Print recall by change and CPU milliseconds a picture, and the false hits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--pictures", type=int, default=100, help="of the benchmark that copies are made of")
    parser.add_argument("--others", type=int, default=300, help="unrelated pictures")
    options = parser.parse_args()
    store = ImageStore(options.folders)
    rng = np.random.default_rng(0)
    group_of = dict(read_index(options.folders).select("image_id", "group_id").iter_rows())
    groups = sorted(set(group_of.values()))
    held_out = {groups[place] for place in rng.permutation(len(groups))[: len(groups) // 2]}
    ids = [store.ids()[place] for place in rng.permutation(len(store))]
    ids = [one for one in ids if min(store.image(one).size) >= SMALLEST]
    benchmark = [one for one in ids if group_of[one] in held_out]
    files = [Held(one, bytes(store.data(one))) for one in benchmark]
    index = PictureIndex(printed(files, indexed=True), files, PictureRule())
    print(f"{len(files)} pictures of a benchmark; {len(ids) - len(files)} others")
    for name, change in changes().items():
        some = [store.image(one).convert("L") for one in benchmark[: options.pictures]]
        copies = [encoded(change(one, rng), name) for one in some]
        start = time.process_time()
        hits = index.hits(printed(copies))
        took = (time.process_time() - start) / len(copies) * 1000
        found = sum(any(hit.picture == place for hit in one) for place, one in enumerate(hits))
        print(f"{name:36}{found / len(copies):6.2f} {took:6.1f} ms", flush=True)
    others = [Held(one, bytes(store.data(one))) for one in ids if group_of[one] not in held_out][: options.others]
    start = time.process_time()
    hits = index.hits(printed(others))
    took = (time.process_time() - start) / len(others) * 1000
    pairs = [(file.name, files[hit.picture].name, hit) for file, one in zip(others, hits, strict=True) for hit in one]
    print(f"{len(pairs)} pairs of {len(others)} others, {took:.1f} ms a picture")
    for mine, theirs, hit in pairs:
        print(f"  {mine[:12]} {theirs[:12]} {group_of[mine]} {group_of[theirs]} {hit.method} {hit.distance}")


if __name__ == "__main__":
    main()
