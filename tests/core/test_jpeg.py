"""JPEG decoded without Pillow has Pillow's pixels, and what is odd about a file is left to Pillow."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lingshu.core import images
from lingshu.core.images import decoded
from lingshu.core.jpeg import decoded_jpeg


def drawn(width: int, height: int, mode: str = "RGB", **options: object) -> bytes:
    coarse = np.random.default_rng(width * height).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).convert(mode).save(
        buffer, "JPEG", **options
    )
    return buffer.getvalue()


def by_pillow(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as opened:
        return opened.convert("RGB")


@given(
    width=st.integers(1, 90),
    height=st.integers(1, 90),
    mode=st.sampled_from(["RGB", "L"]),
    options=st.fixed_dictionaries(
        {
            "quality": st.integers(1, 100),
            "subsampling": st.sampled_from([0, 1, 2]),
            "progressive": st.booleans(),
        }
    ),
)
def test_pixels_are_pillows(width: int, height: int, mode: str, options: dict[str, object]) -> None:
    data = drawn(width, height, mode, **options)
    found = decoded_jpeg(memoryview(data))
    assert found is not None and found.mode == "RGB"
    assert np.array_equal(np.asarray(found), np.asarray(by_pillow(data)))


def test_what_is_no_usual_jpeg_is_left_to_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    cmyk, whole = drawn(30, 20, "CMYK"), drawn(300, 200, quality=95)
    assert decoded_jpeg(cmyk) is None
    assert np.array_equal(np.asarray(decoded(cmyk)), np.asarray(by_pillow(cmyk)))
    assert decoded_jpeg(b"\x89PNG") is decoded_jpeg(b"\xff\xd8") is None
    assert decoded_jpeg(whole[: len(whole) // 2]) is None
    with pytest.raises(OSError, match="truncated"):
        decoded(whole[: len(whole) // 2])
    monkeypatch.setattr(images.Image, "MAX_IMAGE_PIXELS", 1000)
    assert decoded_jpeg(whole) is None
    with pytest.raises(Image.DecompressionBombError):
        decoded(whole)
