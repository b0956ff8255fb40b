"""Perceptual hashes: against SciPy's DCT, and what they must survive."""

import io

import numpy as np
import pytest
import scipy.fft
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lingshu.core.hashes import dhash, dhash_thumbnail, phash, phash_thumbnail


def scene(seed: int, side: int = 160) -> Image.Image:
    """Random blobs of several sizes, coarse ones stronger: a spectrum like a real picture's."""
    rng = np.random.default_rng(seed)
    total = np.zeros((side, side))
    for cells in (3, 6, 12, 24):
        grid = Image.fromarray(rng.normal(size=(cells, cells)).astype(np.float32))
        total += np.asarray(grid.resize((side, side), Image.Resampling.BICUBIC)) / cells
    return Image.fromarray((255 * (total - total.min()) / np.ptp(total)).astype(np.uint8))


def phash_of(picture: Image.Image) -> int:
    return int(phash(phash_thumbnail(picture)[None])[0])


def dhash_of(picture: Image.Image) -> int:
    return int(dhash(dhash_thumbnail(picture)[None])[0])


@given(st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_phash_equals_the_definition(seed: int) -> None:
    thumbnail = np.random.default_rng(seed).integers(0, 256, (32, 32), dtype=np.uint8)
    low = scipy.fft.dctn(thumbnail.astype(float), type=2)[:8, :8]
    bits = (low > np.median(low)).ravel()
    assert int(phash(thumbnail[None])[0]) == int("".join("01"[b] for b in bits.astype(int)), 2)


def test_dhash_equals_the_definition() -> None:
    row = np.array([3, 5, 5, 4, 9, 9, 8, 20, 21], dtype=np.uint8)
    assert int(dhash(np.tile(row, (8, 1))[None])[0]) == int("10010011" * 8, 2)


def dimmed(picture: Image.Image) -> Image.Image:
    return Image.fromarray((np.asarray(picture, dtype=float) * 0.7 + 20).astype(np.uint8))


def shrunk(picture: Image.Image) -> Image.Image:
    return picture.resize((112, 112), Image.Resampling.LANCZOS)


def reencoded(picture: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=75)
    return Image.open(buffer).convert("L")


@pytest.mark.parametrize("change", [dimmed, shrunk, reencoded])
@pytest.mark.parametrize("hash_of", [phash_of, dhash_of])
def test_brightness_size_and_encoding_change_few_bits(change, hash_of) -> None:
    pairs = [(picture, change(picture)) for picture in map(scene, range(60))]
    distances = np.array([(hash_of(a) ^ hash_of(b)).bit_count() for a, b in pairs])
    assert distances.max() <= 6
    assert (distances <= 2).mean() >= 0.9


def test_different_scenes_are_far_apart() -> None:
    hashes = phash(np.stack([phash_thumbnail(scene(seed)) for seed in range(40)]))
    distances = [(int(a) ^ int(b)).bit_count() for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(distances) >= 10


@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_picture_without_content_has_one_hash(level: int) -> None:
    flat = Image.fromarray(np.full((50, 70), level, dtype=np.uint8))
    assert phash_of(flat) in (0, 1 << 63)
    assert dhash_of(flat) == 0


def test_hashing_together_is_hashing_apart() -> None:
    thumbnails = np.stack([phash_thumbnail(scene(seed)) for seed in range(5)])
    assert phash(thumbnails).tolist() == [int(phash(one[None])[0]) for one in thumbnails]
