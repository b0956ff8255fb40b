"""Hashes from scaled decodes: equal to those of the full decode where no pixel is skipped, near it elsewhere."""

import io

import numpy as np
import pytest
from PIL import Image

from lingshu.core.errors import UserError
from lingshu.core.hashes import dhash, dhash_thumbnail, phash, phash_thumbnail
from lingshu.core.parallel import Workers
from lingshu.signals import hashing
from lingshu.signals.hashing import HASH_SCHEMA, grey_picture, hash_pictures
from tests.corpora import scene


def encoded(pixels: np.ndarray, form: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=form, **options)
    return buffer.getvalue()


def hashes(data: list[bytes], mode: str, processes: int = 1) -> np.ndarray:
    pictures = [(f"{number}", one) for number, one in enumerate(data)]
    tables = list(hash_pictures(pictures, mode, Workers(processes=processes)))
    assert all(table.schema == HASH_SCHEMA for table in tables)
    assert [name for table in tables for name in table["image_id"].to_pylist()] == [name for name, _ in pictures]
    return np.concatenate([table["phash"].to_numpy() for table in tables])


def test_full_hashes_are_those_that_measure_gives() -> None:
    pictures = [scene(seed, 700) for seed in range(5)]
    pictures.append(np.dstack([scene(7, 90), scene(8, 90), scene(9, 90)]))
    greys = [Image.fromarray(one).convert("RGB").convert("L") for one in pictures]
    [table] = hash_pictures([(str(n), encoded(one, "PNG")) for n, one in enumerate(pictures)], "full")
    assert table["phash"].to_pylist() == phash(np.stack([phash_thumbnail(grey) for grey in greys])).tolist()
    assert table["dhash"].to_pylist() == dhash(np.stack([dhash_thumbnail(grey) for grey in greys])).tolist()


@pytest.mark.parametrize(("mode", "most"), [("scaled", 2), ("fast", 6)])
def test_a_jpeg_decoded_small_is_near_its_full_hash(mode: str, most: int) -> None:
    rng = np.random.default_rng(0)
    shapes = [(int(h), int(w)) for h, w in rng.integers(300, 1100, (30, 2))]
    data = []
    for seed, (height, width) in enumerate(shapes):
        pixels = np.asarray(Image.fromarray(scene(seed, 256)).resize((width, height), Image.Resampling.BICUBIC))
        data.append(encoded(pixels if seed % 2 else np.dstack([pixels] * 3), "JPEG", quality=85))
    distance = np.bitwise_count(hashes(data, "full") ^ hashes(data, mode))
    assert distance.max() <= most
    assert (distance == 0).mean() >= (0.8 if mode == "scaled" else 0.25)


def test_the_quick_decoder_gives_the_pixels_of_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    for height, width in [(31, 700), (63, 64), (255, 257), (257, 900), (511, 512), (513, 1025), (2049, 700), (1, 9)]:
        for channels in ((), (3,)):
            pixels = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, *channels), dtype=np.uint8)
            smooth = np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))
            data = encoded(smooth, "JPEG", quality=90)
            for mode in ("scaled", "fast"):
                quick, extent = grey_picture("quick", data, mode)
                with monkeypatch.context() as without:
                    without.setattr(hashing, "_small_jpeg", lambda *_: None)
                    plain, expected = grey_picture("plain", data, mode)
                assert (np.asarray(quick) == np.asarray(plain)).all(), (height, width, channels, mode)
                assert extent == expected


@pytest.mark.parametrize("mode", ["scaled", "fast"])
def test_a_copy_at_another_size_keeps_the_hash_of_a_jpeg_decoded_small(mode: str) -> None:
    rng = np.random.default_rng(2)
    originals, copies = [], []
    for seed in range(40):
        width, height = (int(side) for side in 8 * rng.integers(64, 128, 2) + rng.integers(1, 8, 2))
        picture = Image.fromarray(scene(seed, 300)).resize((width, height), Image.Resampling.BICUBIC)
        copy = picture.resize((round(0.7 * width), round(0.7 * height)), Image.Resampling.LANCZOS)
        originals.append(encoded(np.asarray(picture), "JPEG", quality=90))
        copies.append(encoded(np.asarray(copy), "JPEG", quality=80))
    distance = np.bitwise_count(hashes(originals, mode) ^ hashes(copies, mode))
    assert distance.max() <= 2
    assert (distance == 0).mean() >= 0.85


def test_processes_change_nothing() -> None:
    data = [encoded(scene(seed, 300), "JPEG") for seed in range(70)]
    assert (hashes(data, "scaled", processes=2) == hashes(data, "scaled")).all()


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_what_cannot_be_decoded_is_named(mode: str) -> None:
    whole = encoded(scene(1, 300), "JPEG")
    for data in (b"no picture", whole[: len(whole) // 2]):
        with pytest.raises(UserError, match=r"picture broken\.jpg: can't be decoded"):
            list(hash_pictures([("broken.jpg", data)], mode))
