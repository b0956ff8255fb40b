"""Picture signals on pictures whose values are known."""

import io

import numpy as np
import pytest
from PIL import Image

from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_bytes
from lingshu.core.images import encode_png
from lingshu.core.parallel import Workers
from lingshu.signals.pictures import PICTURE_SCHEMA, measure_pictures


def measure(*pixels: np.ndarray) -> list[dict]:
    encoded = [encode_png(one) for one in pixels]
    tables = list(measure_pictures([(sha256_bytes(data), data) for data in encoded], tolerance=6))
    assert all(table.schema == PICTURE_SCHEMA for table in tables)
    return [row for table in tables for row in table.to_pylist()]


def test_a_flat_picture() -> None:
    (row,) = measure(np.full((40, 60), 17, dtype=np.uint8))
    assert (row["width"], row["height"], row["min_side"]) == (60, 40, 40)
    assert row["sharpness"] == row["entropy"] == row["colour_share"] == 0.0
    assert row["blank_share"] == row["border_share"] == 1.0


def test_a_square_on_a_background() -> None:
    grey = np.zeros((100, 100), dtype=np.uint8)
    grey[20:70, 30:80] = 200
    (row,) = measure(grey)
    assert row["blank_share"] == pytest.approx(0.75)
    assert row["border_share"] == pytest.approx(0.75)
    assert row["entropy"] == pytest.approx(0.811278, abs=1e-6)


def test_a_uniform_stripe_inside_is_no_border() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (60, 60), dtype=np.uint8)
    grey[25:35] = 128
    assert measure(grey)[0]["border_share"] == 0.0


def test_noise_is_sharper_than_a_ramp() -> None:
    ramp = np.tile(np.arange(128, dtype=np.uint8), (128, 1))
    noise = np.random.default_rng(1).integers(0, 256, (128, 128), dtype=np.uint8)
    smooth, rough = measure(ramp, noise)
    assert smooth["sharpness"] == 0.0
    assert rough["sharpness"] > 10_000
    assert rough["entropy"] > 7.9
    assert smooth["entropy"] == pytest.approx(7.0)


def test_colour_is_told_from_grey() -> None:
    colour = np.zeros((64, 64, 3), dtype=np.uint8)
    colour[:, :32] = (200, 20, 20)
    grey = np.full((64, 64, 3), 90, dtype=np.uint8)
    assert [row["colour_share"] for row in measure(colour, grey)] == [0.5, 0.0]


def test_pixel_digest_sees_pixels_and_size_not_encoding() -> None:
    grey = np.random.default_rng(2).integers(0, 256, (30, 40), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, format="PNG", compress_level=0)
    (table,) = measure_pictures([("a", encode_png(grey)), ("b", buffer.getvalue())], tolerance=6)
    again, packed = table.column("pixel_digest").to_pylist()
    assert again == packed
    (turned,) = measure(np.ascontiguousarray(grey.reshape(40, 30)))
    assert turned["pixel_digest"] != again


def test_many_pictures_keep_their_order() -> None:
    pictures = [np.full((8, 8), level % 251, dtype=np.uint8) for level in range(1100)]
    encoded = [(f"{number:04d}", encode_png(one)) for number, one in enumerate(pictures)]
    tables = list(measure_pictures(encoded, tolerance=6))
    assert [table.num_rows for table in tables] == [256, 256, 256, 256, 76]
    assert [i for table in tables for i in table.column("image_id").to_pylist()] == [i for i, _ in encoded]
    assert list(measure_pictures(encoded, tolerance=6, workers=Workers(processes=2))) == tables


def test_broken_bytes_name_the_picture() -> None:
    data = encode_png(np.zeros((64, 64), dtype=np.uint8))
    with pytest.raises(UserError, match="picture abc: can't be decoded"):
        list(measure_pictures([("abc", data[: len(data) // 2])], tolerance=6))
