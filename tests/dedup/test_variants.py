"""`dedup.variants` finds what comparing every pair of rows finds, in memory that blank slices do not fill."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from lingshu.dedup import variants
from lingshu.dedup.variants import variant_copies


def invented(seed: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64]]:
    """Return hashes, variants' hashes and groups of up to 60 rows of a few clusters, some bits flipped."""
    rng = np.random.default_rng(seed)
    rows, columns, clusters = (int(rng.integers(*ends)) for ends in ((1, 60), (2, 8), (1, 12)))
    base = rng.integers(0, 2**64, (clusters, columns), dtype=np.uint64, endpoint=False)
    values = base[rng.integers(0, clusters, rows)]
    for _ in range(int(rng.integers(0, 5))):
        flipped = values ^ (np.uint64(1) << rng.integers(0, 64, values.shape, dtype=np.uint64))
        values = np.where(rng.random(values.shape) < 0.5, flipped, values)
    hashes = base[rng.integers(0, clusters, rows), rng.integers(0, columns, rows)]
    return hashes, values, rng.integers(0, 1 + rows // 4, rows)


def by_every_pair(
    hashes: NDArray[np.uint64], looks: NDArray[np.uint64], groups: NDArray[np.int64], radius: int
) -> list[tuple[int, int, int]]:
    """Return (row, kept twin, bits) of each copy."""
    dropped: dict[int, tuple[int, int, int]] = {}
    for row in range(len(hashes)):
        near = []
        for other in range(row):
            if other in dropped or groups[other] == groups[row]:
                continue
            one, two = looks[row, 1:] ^ hashes[other], looks[other, 1:] ^ hashes[row]
            bits = min(int(value).bit_count() for value in (*one, *two, looks[row, 0] ^ looks[other, 0]))
            near += [(bits, other)] if bits <= radius else []
        if near:
            bits, other = min(near)
            dropped[row] = (row, other, bits)
    return list(dropped.values())


@pytest.mark.parametrize("at_once", [3, variants.LOOKS_AT_ONCE])
def test_copies_are_those_of_comparing_every_pair(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "LOOKS_AT_ONCE", at_once)
    found = 0
    for seed in range(40):
        hashes, looks, groups = invented(seed)
        rows = np.arange(len(hashes))
        for own in (None, groups):
            copies = variant_copies(rows, hashes, looks, own, seed % 7)
            pairs = zip(copies.rows, copies.kept, copies.distance, strict=True)
            expected = by_every_pair(hashes, looks, rows if own is None else groups, seed % 7)
            assert [(int(a), int(b), int(bits)) for a, b, bits in pairs] == expected
            found += len(expected)
    assert found > 200


def test_blank_slices_of_one_volume_are_kept_in_little_memory() -> None:
    """Every pair of their 72 hashes would be 284 million; each slice is near every other, and in its group."""
    blank, other = 2_000, np.full((1, 72), 2**64 - 1, dtype=np.uint64)
    looks = np.concatenate([np.zeros((blank, 72), dtype=np.uint64), other])
    groups = np.concatenate([np.zeros(blank, dtype=np.int64), [1]])
    rows = np.arange(blank + 1)
    variant_copies(rows[:2], looks[:2, 0].copy(), looks[:2], groups, 6)
    tracemalloc.start()
    copies = variant_copies(rows, looks[:, 0].copy(), looks, groups, 6)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(copies) == 0
    assert peak < 12 * looks.nbytes
