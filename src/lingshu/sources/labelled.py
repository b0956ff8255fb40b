"""Row shape `labels`: pictures and volumes of a raw imaging source, with labels and boxes as facts, for synthesis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingshu.core.question import PictureFile
from lingshu.intake.arrays import ArrayPart
from lingshu.intake.errors import Reason, RowError
from lingshu.intake.pictures import StoredPicture
from lingshu.intake.places import Files
from lingshu.intake.values import Row, value_at
from lingshu.sources.annotations import Annotations, Masks
from lingshu.sources.decoding import decode_values, shown
from lingshu.sources.frames import Facts, Frame, Pixels, shrunk
from lingshu.sources.labelled_volumes import VOLUMES, volume_frames
from lingshu.sources.labels import Region, row_boxes, row_facts
from lingshu.sources.params import NormalizeParams
from lingshu.sources.regions import mask_regions, outline_region


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """A row of form `labels`, with what names its pictures.

    Attributes:
        row: as read.
        pictures: of the row.
        origin: names the row in ids.
        group: what no split cuts.
    """

    row: Row
    pictures: tuple[PictureFile, ...]
    origin: str
    group: str


def labelled_frames(
    given: LabelledRow, annotations: Annotations, files: Files, params: NormalizeParams
) -> Iterator[Frame]:
    """Yield the pictures of a row, boxes in their pixels; of a volume its slices, see `volume_frames`.

    Raises:
        RowError: a label, a box, a mask or a picture is missing or can't be read.
        Refused: a volume can't be read, or shows nothing.
    """
    facts = row_facts(given.row, annotations)
    for number, picture in enumerate(given.pictures, start=1):
        origin = given.origin if len(given.pictures) == 1 else f"{given.origin}/{number}"
        if picture.name.lower().endswith(VOLUMES):
            found = volume_frames(_path(picture), _volume_masks(given, annotations, files), annotations, params)
            for name, pixels, regions, seen in found:
                small, boxes = _stored(pixels, regions, params.max_side_px)
                yield Frame(small, f"{origin}#{name}", given.group, facts | seen | boxes)
            continue
        pixels = shown(_values(picture), annotations.window, annotations.offset)
        regions, counted = _regions(given, annotations, files, pixels.shape[:2])
        small, boxes = _stored(pixels, regions, params.max_side_px)
        yield Frame(small, origin, given.group, facts | counted | boxes)


def _values(picture: Any) -> NDArray[Any]:
    """Return the values of a picture: of a file decoded, of an array as they are."""
    return picture.read() if isinstance(picture, ArrayPart) else decode_values(picture.read(), picture.name)


def _path(picture: PictureFile) -> Any:
    if not isinstance(picture, StoredPicture):
        raise RowError(Reason.UNREADABLE_PICTURE, f"{picture.name}: a volume inside an archive is not read; unpack it")
    return picture.files.path(picture.name)


def _regions(
    given: LabelledRow, annotations: Annotations, files: Files, shape: tuple[int, ...]
) -> tuple[list[Region], Facts]:
    """Return the regions of boxes and masks, and the facts that count them."""
    found = row_boxes(given.row, annotations.boxes) if annotations.boxes else []
    counted: Facts = {}
    for spec in annotations.masks:
        regions = [region for mask in _masks(given, spec, files) for region in _of_mask(mask, spec, files, shape)]
        if spec.count:
            counted[spec.count] = len(regions)
        found = [*found, *regions]
    return found, counted


def _masks(given: LabelledRow, spec: Masks, files: Files) -> list[Any]:
    """Return the masks of a row: names of files, or the array in the row.

    Raises:
        RowError: there is none, and there must be.
    """
    if spec.field:
        return [value_at(given.row, spec.field)]
    try:
        pattern = spec.file.format_map({key: str(value) for key, value in given.row.items()})
    except (KeyError, ValueError, IndexError) as error:
        raise RowError(Reason.MISSING_PICTURE, f"{spec.file!r} can't be written: {error!r}") from None
    names = files.match(pattern)
    if not names and not spec.optional:
        raise RowError(Reason.MISSING_PICTURE, f"no mask {pattern} in {files.label}")
    return list(names)


def _of_mask(mask: Any, spec: Masks, files: Files, shape: tuple[int, ...]) -> Iterator[Region]:
    if isinstance(mask, str):
        data = files.path(mask).read_bytes()
        if spec.kind in ("outline", "polygon"):
            yield from outline_region(data.decode("utf-8", "replace"), spec, mask)
            return
        values, name = decode_values(data, mask), mask
    else:
        values, name = mask.read(), mask.name
    if values.shape[:2] != shape:
        raise RowError(Reason.UNREADABLE_PICTURE, f"mask {name} is {values.shape[:2]}, the picture {shape}")
    yield from mask_regions(values, spec)


def _volume_masks(given: LabelledRow, annotations: Annotations, files: Files) -> list[tuple[Masks, Any]]:
    named = [(spec, name) for spec in annotations.masks for name in _masks(given, spec, files)]
    return [(spec, files.path(name)) for spec, name in named]


def _stored(pixels: Pixels, regions: list[Region], max_side_px: int) -> tuple[Pixels, Facts]:
    """Return the picture as it will be stored, and the boxes of its regions as a fact."""
    small = shrunk(pixels, max_side_px)
    boxes = [box for label, corners in regions if (box := _box(label, corners, pixels.shape, small.shape)) is not None]
    return small, {"boxes": boxes} if boxes else {}


def _box(label: str, corners: tuple[float, ...], shape: tuple[int, ...], stored: tuple[int, ...]) -> Facts | None:
    """Return a box in pixels of the stored picture, or None for one that lies outside."""
    high, wide = stored[0] / shape[0], stored[1] / shape[1]
    left, top, right, bottom = corners
    box = [
        max(0, int(np.floor(left * wide))),
        max(0, int(np.floor(top * high))),
        min(stored[1], int(np.ceil(right * wide))),
        min(stored[0], int(np.ceil(bottom * high))),
    ]
    return {"label": label, "box": box} if box[0] < box[2] and box[1] < box[3] else None
