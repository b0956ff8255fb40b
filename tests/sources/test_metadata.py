"""Metadata of kept pictures: cut out of the file, with the coded pixels and what shows them left alone."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from lingshu.sources.metadata import without_metadata
from lingshu.sources.stills import StillLimits, still_of

LIMITS = StillLimits(max_side=128, max_pixels=1 << 20, max_bytes=1 << 20)
NAME = "Invented^Mary"


def drawn(kind: str, **more: Any) -> bytes:
    pixels = np.random.default_rng(3).integers(0, 256, (40, 44, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=kind, **more)
    return buffer.getvalue()


def told() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E] = NAME  # ImageDescription
    exif[0x0112] = 1  # Orientation: upright
    exif.get_ifd(0x8825)[1] = "N"  # GPSLatitudeRef
    return exif


def png_text() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", NAME)
    info.add_itxt("Author", NAME)
    info.add_text("Packed", NAME, zip=True)
    return info


PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
CASES = {
    "exif": (drawn("JPEG", exif=told()), drawn("JPEG")),
    "comment": (drawn("JPEG", comment=NAME, progressive=True), drawn("JPEG", progressive=True)),
    "xmp": (drawn("JPEG", xmp=NAME.encode()), drawn("JPEG")),
    "profile": (drawn("JPEG", icc_profile=PROFILE, exif=told()), drawn("JPEG", icc_profile=PROFILE)),
    "png": (drawn("PNG", pnginfo=png_text(), exif=told()), drawn("PNG")),
    "png profile": (drawn("PNG", icc_profile=PROFILE, pnginfo=png_text()), drawn("PNG", icc_profile=PROFILE)),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_left_is_the_file_without(case: str) -> None:
    full, bare = CASES[case]
    assert full != bare
    assert without_metadata(full) == bare
    assert without_metadata(bare) is bare


@pytest.mark.parametrize("case", CASES)
def test_stored_pictures_have_none(case: str) -> None:
    full, bare = CASES[case]
    still = still_of(full, "a", LIMITS)
    assert (still.data, still.changed) == (bare, "had metadata")
    assert NAME.encode() not in still.data
    assert still_of(bare, "a", LIMITS).changed == ""


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_file_cut_anywhere_is_refused_or_whole(kind: str) -> None:
    data = drawn(kind, exif=told())
    whole = without_metadata(data)
    for end in range(len(data)):
        try:
            bare = without_metadata(data[:end])
        except ValueError:
            continue
        assert whole.startswith(bare)


def test_filled_markers_and_markers_without_length() -> None:
    data = drawn("JPEG", comment=NAME)
    place = data.index(b"\xff\xfe")
    filled = data[:place] + b"\xff\xff" + data[place:]
    assert without_metadata(filled) == drawn("JPEG")
    assert without_metadata(data[:place] + b"\xff\x01" + data[place:]) == (
        drawn("JPEG")[:place] + b"\xff\x01" + drawn("JPEG")[place:]
    )
