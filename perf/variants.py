"""What the opt-in check of variants finds on real pictures, and what wrongly: `python perf/variants.py FOLDER`.

Of each picture of FOLDER (data/images/<source>) one copy is made by each change; it is found if a comparison of
`dedup.variants` brings it within the radius of its original. A false pair is two pictures of different groups within
the radius of each other (none is a copy of another that we know of). The perceptual hash alone stands beside it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lingshu.core.hashes import phash, phash_thumbnail
from lingshu.core.images import ImageStore, read_index
from lingshu.signals.variants import variant_hashes

RADII = (0, 2, 4, 6, 8)
Change = Callable[[NDArray[np.float64], np.random.Generator], NDArray[np.float64]]


def crop(share: float) -> Change:
    """Return a change that keeps a random window with `share` of each side."""

    def change(pixels: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        sides = [max(8, round(side * share)) for side in pixels.shape]
        top, left = (int(rng.integers(0, side - kept + 1)) for side, kept in zip(pixels.shape, sides, strict=True))
        kept: NDArray[np.float64] = pixels[top : top + sides[0], left : left + sides[1]]
        return kept

    return change


def window(low: float, high: float) -> Change:
    """Return a change that spreads the levels between two percentiles over the whole range and cuts the others off."""

    def change(pixels: NDArray[np.float64], _: np.random.Generator) -> NDArray[np.float64]:
        bottom, top = np.percentile(pixels, (low, high))
        return np.asarray(np.clip((pixels - bottom) / max(top - bottom, 1.0), 0, 1) * 255, dtype=np.float64)

    return change


CHANGES: dict[str, Change] = {
    "turned by 90 degrees": lambda x, _: np.rot90(x),
    "turned by 180 degrees": lambda x, _: np.rot90(x, 2),
    "mirrored": lambda x, _: np.fliplr(x),
    "inverted": lambda x, _: 255 - x,
    "window: gamma 0.5": lambda x, _: 255 * (x / 255) ** 0.5,
    "window: gamma 2": lambda x, _: 255 * (x / 255) ** 2,
    "window: 5 % cut off a side": window(5, 95),
    "window: 20 % cut off a side": window(20, 80),
    "cropped to 0.95 of a side": crop(0.95),
    "cropped to 0.9": crop(0.9),
    "cropped to 0.8": crop(0.8),
    "cropped to 0.7": crop(0.7),
    "cropped to 0.5": crop(0.5),
}


def hashed(greys: list[Image.Image]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return perceptual hashes, shape (pictures,), and variants' hashes, shape (pictures, variants)."""
    return phash(np.stack([phash_thumbnail(grey) for grey in greys])), variant_hashes(greys)


def least_bits(
    left: tuple[NDArray[np.uint64], NDArray[np.uint64]], right: tuple[NDArray[np.uint64], NDArray[np.uint64]]
) -> NDArray[np.int64]:
    """Return the bits of the closest comparison of each pair of pictures."""
    one = np.bitwise_count(left[0][:, None] ^ right[1][:, 1:]).min(axis=1)
    other = np.bitwise_count(right[0][:, None] ^ left[1][:, 1:]).min(axis=1)
    ranks = np.bitwise_count(left[1][:, 0] ^ right[1][:, 0])
    least: NDArray[np.int64] = np.minimum(np.minimum(one, other), ranks).astype(np.int64)
    return least


def main() -> None:
    """Print recall by change and radius, and the share of false pairs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=200)
    options = parser.parse_args()
    store = ImageStore([options.folder])
    rng = np.random.default_rng(0)
    ids = [store.ids()[place] for place in rng.permutation(len(store))[: options.pictures]]
    group_of = dict(read_index([options.folder]).select("image_id", "group_id").iter_rows())
    pixels = [np.asarray(store.image(image_id).convert("L"), dtype=np.float64) for image_id in ids]
    originals = hashed([Image.fromarray(one.astype(np.uint8)) for one in pixels])
    print(f"{len(ids)} pictures of {options.folder}; recall at radius " + " ".join(f"{r:>6}" for r in RADII))
    for name, change in CHANGES.items():
        copies = [np.clip(change(one, rng), 0, 255).astype(np.uint8) for one in pixels]
        changed = hashed([Image.fromarray(np.ascontiguousarray(one)) for one in copies])
        bits = least_bits(originals, changed)
        plain = np.bitwise_count(originals[0] ^ changed[0])
        found = " ".join(f"{(bits <= radius).mean():6.2f}" for radius in RADII)
        alone = " ".join(f"{(plain <= radius).mean():6.2f}" for radius in RADII)
        print(f"{name:32}{found}   perceptual hash alone {alone}")
    pairs = [(a, b) for a in range(len(ids)) for b in range(a) if group_of[ids[a]] != group_of[ids[b]]]
    left, right = np.array(list(islice(pairs, 200_000))).T
    bits = least_bits((originals[0][left], originals[1][left]), (originals[0][right], originals[1][right]))
    print(
        f"{'false among ' + format(len(bits), ',') + ' pairs':32}"
        + " ".join(f"{(bits <= r).mean():6.4f}" for r in RADII)
    )


if __name__ == "__main__":
    main()
