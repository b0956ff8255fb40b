"""CPU seconds and memory of `dedup.variants` on invented hashes: `python perf/variants_scale.py [PICTURES …]`.

Each picture has 72 hashes, of which ten are within 6 bits of its perceptual hash, as those of slight crops are, and the
others anywhere; one in twenty has a turned copy in another group. `--blank N` adds N blank slices of one volume: all
their hashes are one, and none is a copy, as a group is never thinned by itself. Each size is a process of its own.

    python perf/variants_scale.py 100000 300000
    python perf/variants_scale.py 1000 --blank 1000
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

import numpy as np
from numpy.typing import NDArray

VARIANTS = 72
RADIUS = 6
NEAR = 10
PROCESS_MIB = 2**10  # ru_maxrss is in KiB


def invented(pictures: int, blank: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64]]:
    """Return perceptual hashes, variants' hashes and groups."""
    rng = np.random.default_rng(1)
    hashes = rng.integers(0, 2**64, pictures, dtype=np.uint64, endpoint=False)
    variants = rng.integers(0, 2**64, (pictures, VARIANTS), dtype=np.uint64, endpoint=False)
    for place in range(1, NEAR + 1):
        variants[:, place] = hashes
        for _ in range(RADIUS // 2):
            variants[:, place] ^= np.uint64(1) << rng.integers(0, 64, pictures, dtype=np.uint64)
    turned = np.arange(19, pictures, 20)
    hashes[turned] = variants[turned - 7, NEAR + 1]
    empty = np.full((blank, VARIANTS), 0, dtype=np.uint64)
    groups = np.concatenate([np.arange(pictures), np.full(blank, pictures)])
    return np.concatenate([hashes, empty[:, 0]]), np.concatenate([variants, empty]), groups


def measure(pictures: int, blank: int) -> None:
    """Print one line of figures, of this process."""
    from lingshu.dedup.variants import variant_copies  # noqa: PLC0415 (imported by the process that measures)

    variant_copies(np.arange(2), *_small(), None, RADIUS)  # compiles, or loads what was compiled
    hashes, variants, groups = invented(pictures, blank)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    copies = variant_copies(np.arange(len(hashes)), hashes, variants, groups, RADIUS)
    seconds = time.process_time() - start
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(
        f"{pictures:>9,} pictures  {blank:>7,} blank  {len(copies):>7,} copies  {seconds:7.1f} CPU-s  "
        f"{more / PROCESS_MIB:8,.0f} MiB over {variants.nbytes / 2**20:,.0f} MiB of hashes"
    )


def _small() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    return np.arange(2, dtype=np.uint64), np.arange(2 * VARIANTS, dtype=np.uint64).reshape(2, VARIANTS)


def main() -> None:
    """Read the command line; measure each size in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=int, nargs="*", default=[10_000, 100_000, 300_000])
    parser.add_argument("--blank", type=int, default=0, help="blank slices of one volume, beside the pictures")
    asked = parser.parse_args()
    if len(asked.pictures) == 1:
        measure(asked.pictures[0], asked.blank)
        return
    for pictures in asked.pictures:
        subprocess.run([sys.executable, __file__, str(pictures), "--blank", str(asked.blank)], check=True)


if __name__ == "__main__":
    main()
