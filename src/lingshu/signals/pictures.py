"""What is measured on each picture, from one decode."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from lingshu.core.errors import UserError
from lingshu.core.hashes import dhash, dhash_thumbnail, phash, phash_thumbnail
from lingshu.core.parallel import ALONE, Workers, in_order
from lingshu.core.text import DIGEST_BYTES
from lingshu.signals.burned_in import NONE, burned_in, reader
from lingshu.signals.variants import variant_hashes

PICTURES_A_BATCH = 256
PICTURE_SCHEMA = pa.schema(
    [
        ("image_id", pa.string()),  # SHA-256 of the bytes: the byte digest
        ("width", pa.int32()),  # pixels
        ("height", pa.int32()),  # pixels
        ("min_side", pa.int32()),  # pixels
        ("sharpness", pa.float64()),  # variance of the Laplacian, grey levels squared
        ("entropy", pa.float64()),  # bits of the grey histogram, 0..8
        ("blank_share", pa.float64()),  # share of pixels at the commonest grey level, within the tolerance
        ("border_share", pa.float64()),  # share of the area in uniform margins
        ("colour_share", pa.float64()),  # share of pixels whose channels differ by more than the tolerance
        ("burned_in_lines", pa.int32()),  # of text read in the picture; null where no engine reads, like the next two
        ("burned_in_share", pa.float64()),  # share of the area under those lines
        ("burned_in_identifiers", pa.int32()),  # lines that may name a person: dates, names, long numbers, hospitals
        ("burned_in_claimed", pa.bool_()),  # a file of it says that text is burned in; null where tags were not noted
        ("identifying_tags", pa.list_(pa.string())),  # keywords of its files' attributes, see `sources.dicom_profile`
        ("pixel_digest", pa.string()),  # of size and RGB pixels: equal for lossless copies in another encoding
        ("phash", pa.uint64()),
        ("dhash", pa.uint64()),
        ("variants", pa.list_(pa.uint64())),  # see `signals.variants`; null where they are not asked for
    ]
)


Encoded = tuple[str, bytes]  # image_id and bytes


def measure_pictures(
    pictures: Iterable[Encoded], tolerance: int, workers: Workers = ALONE, engine: str = NONE, variants: bool = False
) -> Iterator[pa.Table]:
    """Yield tables of `PICTURE_SCHEMA`, in the order given, whoever measures them; tags are left null.

    Args:
        pictures: ids and encoded bytes.
        tolerance: grey levels that count as the same.
        workers: who measures.
        engine: reads burned-in text, see `signals.burned_in.reader`.
        variants: whether hashes of turned, cropped and other copies are computed too.

    Raises:
        UserError: a picture's bytes can't be decoded, or the engine's package is not installed.
    """
    yield from in_order(partial(_measure_batch, tolerance, engine, variants), _batches(pictures), workers)


def _batches(pictures: Iterable[Encoded]) -> Iterator[list[Encoded]]:
    rest = iter(pictures)
    while batch := list(islice(rest, PICTURES_A_BATCH)):
        yield batch


def _measure_batch(tolerance: int, engine: str, variants: bool, batch: Sequence[Encoded]) -> pa.Table:
    rows, large, small = [], [], []
    read = reader(engine)
    for image_id, data in batch:
        colour = decode(image_id, data)
        grey = colour.convert("L")
        text = burned_in(read, np.asarray(colour))
        rows.append({"image_id": image_id, **_measure(colour, grey, tolerance), **text})
        large.append(phash_thumbnail(grey))
        small.append(dhash_thumbnail(grey))
        rows[-1]["variants"] = variant_hashes([grey])[0].tolist() if variants else None
    for row, perceptual, difference in zip(rows, phash(np.stack(large)), dhash(np.stack(small)), strict=True):
        row.update(phash=perceptual, dhash=difference)
    return pa.Table.from_pylist(rows, schema=PICTURE_SCHEMA)


def decode(image_id: str, data: bytes) -> Image.Image:
    """Return the picture of encoded bytes, mode RGB.

    Raises:
        UserError: they can't be decoded.
    """
    try:
        with Image.open(io.BytesIO(data)) as opened:
            return opened.convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(f"picture {image_id}: can't be decoded: {error}", "run `dvc repro normalize` again") from error


def _measure(colour: Image.Image, grey: Image.Image, tolerance: int) -> dict[str, Any]:
    width, height = grey.size
    levels = np.asarray(grey)
    pixels = np.asarray(colour)
    histogram = np.array(grey.histogram(), dtype=np.int64)
    spread = pixels.max(axis=2) - pixels.min(axis=2)
    digest = hashlib.blake2b(f"{width}x{height}:".encode(), digest_size=DIGEST_BYTES)
    digest.update(pixels.tobytes())
    return {
        "width": width,
        "height": height,
        "min_side": min(width, height),
        "sharpness": sharpness(levels),
        "entropy": entropy(histogram),
        "blank_share": blank_share(histogram, tolerance),
        "border_share": border_share(levels, tolerance),
        "colour_share": float(np.count_nonzero(spread > tolerance) / levels.size),
        "pixel_digest": digest.hexdigest(),
    }


def sharpness(grey: NDArray[np.uint8]) -> float:
    """Return the variance of the 4-neighbour Laplacian over inner pixels; 0 for a picture below 3 x 3."""
    if min(grey.shape) < 3:
        return 0.0
    levels = grey.astype(np.int16)
    across = levels[1:-1, :-2] + levels[1:-1, 2:]
    along = levels[:-2, 1:-1] + levels[2:, 1:-1]
    return float(np.var(across + along - 4 * levels[1:-1, 1:-1], dtype=np.float64))


def entropy(histogram: NDArray[np.int64]) -> float:
    """Return the Shannon entropy in bits of a histogram of shape (256,)."""
    shares = histogram[histogram > 0] / histogram.sum()
    return float(max(0.0, -(shares * np.log2(shares)).sum()))


def blank_share(histogram: NDArray[np.int64], tolerance: int) -> float:
    """Return the share of pixels within `tolerance` grey levels of the commonest level."""
    level = int(histogram.argmax())
    return float(histogram[max(0, level - tolerance) : level + tolerance + 1].sum() / histogram.sum())


def border_share(grey: NDArray[np.uint8], tolerance: int) -> float:
    """Return the share of the area in rows and columns, from the edges inwards, that are uniform within `tolerance`."""
    rows = _inner(np.ptp(grey, axis=1) <= tolerance)
    columns = _inner(np.ptp(grey, axis=0) <= tolerance)
    return 1.0 - rows * columns / grey.size


def _inner(uniform: NDArray[np.bool_]) -> int:
    """Return how many lines lie between the first and the last line that is not uniform, both included."""
    content = np.flatnonzero(~uniform)
    return int(content[-1] - content[0] + 1) if content.size else 0
