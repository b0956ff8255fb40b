"""The picture store: bytes come back as they were, equal ones are kept once, every origin stays in the index."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lingshu.core import images
from lingshu.core.images import ImageStore, Picture, encode_png, read_index, write_images


def picture(value: int, origin: str = "film", width: int = 5, height: int = 3) -> Picture:
    data = encode_png(np.full((height, width), value, dtype=np.uint8))
    return Picture(data, "PNG", width, height, "films", origin, "patient", "train", "CC0-1.0", {"value": value})


@given(values=st.lists(st.integers(0, 255), max_size=12))
def test_every_picture_comes_back_and_equal_ones_are_stored_once(values: list[int]) -> None:
    pictures = [picture(value, origin=f"film-{place}") for place, value in enumerate(values)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        assert write_images(folder, pictures) == len(set(values))
        store = ImageStore([folder])
        index = read_index([folder])
        assert len(store) == len(set(values))
        assert store.ids() == sorted({p.image_id for p in pictures})
        assert all(store.data(p.image_id) == store.view(p.image_id) == p.data for p in pictures)
    assert index["origin_id"].to_list() == [p.origin_id for p in pictures]
    assert [json.loads(facts) for facts in index["facts"]] == [p.facts for p in pictures]


def test_shards_are_cut_by_size_and_read_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [picture(value) for value in range(7)]
    monkeypatch.setattr(images, "SHARD_BYTES", 2 * len(pictures[0].data))
    write_images(tmp_path, pictures)
    assert [path.name for path in sorted(tmp_path.glob("*.arrow"))] == [f"shard-0000{i}.arrow" for i in range(4)]
    store = ImageStore([tmp_path])
    assert [store.data(p.image_id) for p in pictures] == [p.data for p in pictures]


def test_the_same_pictures_give_the_same_files(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_images(tmp_path / name, [picture(value) for value in range(5)])
    left, right = (sorted((tmp_path / name).iterdir()) for name in ("first", "second"))
    assert [path.read_bytes() for path in left] == [path.read_bytes() for path in right]


def test_pictures_decode_to_rgb(tmp_path: Path) -> None:
    write_images(tmp_path, [picture(200)])
    store = ImageStore([tmp_path])
    decoded = store.image(store.ids()[0])
    assert (decoded.mode, decoded.size) == ("RGB", (5, 3))
    assert np.unique(np.asarray(decoded)).tolist() == [200]


@given(seed=st.integers(0, 99), colour=st.booleans())
def test_png_is_lossless_and_repeatable(seed: int, colour: bool) -> None:
    shape = (4, 6, 3) if colour else (4, 6)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    data = encode_png(pixels)
    assert data == encode_png(pixels.copy())
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)


def test_an_unknown_picture_is_a_key_error(tmp_path: Path) -> None:
    write_images(tmp_path, [])
    store = ImageStore([tmp_path])
    assert "0" * 64 not in store
    with pytest.raises(KeyError):
        store.data("0" * 64)
    assert read_index([tmp_path]).height == 0
