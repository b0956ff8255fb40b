"""Row shape `labels`: pictures and volumes of a raw imaging source, with labels and boxes as facts, for synthesis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lingshu.core.errors import UserError
from lingshu.core.images import encode_png
from lingshu.core.shown import Pixels
from lingshu.facts.vocabulary import check_facts
from lingshu.intake.archive import NoRoomError
from lingshu.intake.arrays import ArrayPart
from lingshu.intake.errors import Reason, RowError
from lingshu.intake.lfs import check_file
from lingshu.intake.pictures import LocatedPicture, StoredPicture
from lingshu.sources.annotations import Annotations, Masks
from lingshu.sources.decoding import decode_values, read_header, shown
from lingshu.sources.frames import Facts, shrunk
from lingshu.sources.labelled_volumes import VOLUMES, VolumeFile, volume_slices
from lingshu.sources.labels import Region
from lingshu.sources.matlab import matlab_array
from lingshu.sources.regions import mask_regions, outline_region
from lingshu.sources.stills import StillLimits, bytes_of, still_of
from lingshu.sources.told import Mask, Told

_MOST_MAPS = 64  # values a pixel of a mask


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture as it will be stored, and what is true of it; `part` tells the pictures of one row apart."""

    data: bytes
    format: str
    width: int
    height: int
    part: str
    facts: Facts
    changed: str = ""


def shots(told: Told, pictures: Sequence[Any], annotations: Annotations, limits: StillLimits) -> list[Shot]:
    """Return the pictures of a row with boxes in their pixels; of a volume its slices.

    A plain PNG or JPEG keeps its bytes; what has a window, an array and a slice becomes a PNG.

    Args:
        told: what the row says of them.
        pictures: files, members of archives, or parts of arrays.
        annotations: of the form.
        limits: what a picture may be.

    Raises:
        RowError: a mask or a picture can't be read, or is of another size.
        UserError: the record states a fact that is not of the vocabulary.
    """
    found: list[Shot] = []
    for number, picture in enumerate(pictures, start=1):
        part = "" if len(pictures) == 1 else f"/{number}"
        if picture.name.lower().endswith(VOLUMES):
            masks = [(spec, _on_disk(mask, "mask ")) for spec, masks in told.masks for mask in masks]
            for one in volume_slices(_volume(picture), masks, annotations, told.window):
                seen = told.facts | {"plane": one.plane}
                found.append(_drawn(one.pixels, one.regions, f"{part}#{one.plane}-{one.index:03d}", seen, limits))
            continue
        found.append(_still(told, picture, annotations, limits, part))
    return found


def _still(told: Told, picture: Any, annotations: Annotations, limits: StillLimits, part: str) -> Shot:
    array = isinstance(picture, ArrayPart)
    if array or told.window is not None:
        pixels = shown(
            picture.read() if array else decode_values(bytes_of(picture, limits), picture.name),
            told.window,
            annotations.offset,
        )
        regions, counted = _regions(told, pixels.shape[:2])
        return _drawn(pixels, regions, part, told.facts | counted, limits)
    data = bytes_of(picture, limits)
    header = read_header(data, picture.name)
    before = (header.height, header.width)
    regions, counted = _regions(told, before)
    still = still_of(data, picture.name, limits)
    if regions and header.turned:
        raise RowError(Reason.UNREADABLE_PICTURE, f"{picture.name}: turned by its EXIF tag, so boxes can't be placed")
    boxes = _boxes(regions, before, (still.height, still.width))
    known = _checked(told.facts | counted | boxes, picture.name)
    return Shot(still.data, still.format, still.width, still.height, part, known, still.changed)


def _drawn(pixels: Pixels, regions: list[Region], part: str, facts: Facts, limits: StillLimits) -> Shot:
    small = shrunk(pixels, limits.max_side)
    height, width = small.shape[:2]
    known = _checked(facts | _boxes(regions, pixels.shape, small.shape), part)
    return Shot(encode_png(small), "PNG", width, height, part, known, "was no 8-bit picture")


def _checked(facts: Facts, where: str) -> Facts:
    check_facts(facts, where)
    return facts


def _volume(picture: Any) -> VolumeFile:
    if not isinstance(picture, StoredPicture | LocatedPicture):
        raise RowError(Reason.UNREADABLE_PICTURE, f"{picture.name}: a volume inside an archive is not read; unpack it")
    return _on_disk(picture)


def _on_disk(file: Any, kind: str = "") -> VolumeFile:
    """Return a file of a volume; one that can't be had is its row's fault, not the source's."""
    try:
        path = file.path()
        check_file(path, file.name)
    except NoRoomError:
        raise
    except UserError as error:
        raise RowError(Reason.UNREADABLE_PICTURE, f"{kind}{error.what}") from None
    except OSError as error:
        raise RowError(Reason.UNREADABLE_PICTURE, f"{kind}{file.name}: can't be read: {error.strerror}") from None
    return VolumeFile(file.name, path)


def _regions(told: Told, shape: tuple[int, ...]) -> tuple[list[Region], Facts]:
    """Return the regions of boxes and masks, and the facts that count them."""
    found = told.boxes
    counted: Facts = {}
    for spec, masks in told.masks:
        regions = [region for mask in masks for region in _of_mask(mask, spec, shape)]
        if spec.count:
            counted[spec.count] = len(regions)
        found = [*found, *regions]
    return found, counted


def _of_mask(mask: Mask, spec: Masks, shape: tuple[int, ...]) -> list[Region]:
    """Return the regions of one mask in pixels of a picture of `shape` (height, width)."""
    name = mask.name
    if isinstance(mask, ArrayPart):
        values = mask.read()
    else:
        data = _mask_bytes(mask)
        if spec.kind in ("outline", "polygon"):
            return outline_region(data.decode("utf-8", "replace"), spec, name)
        most = _MOST_MAPS * shape[0] * shape[1]
        values = matlab_array(data, spec.array, name, most) if spec.array else decode_values(data, name)
    size = values.shape[:2]
    if size != tuple(shape) and not spec.scaled:
        raise RowError(Reason.UNREADABLE_PICTURE, f"mask {name} is {size}, the picture {tuple(shape)}")
    high, wide = shape[0] / size[0], shape[1] / size[1]
    found = mask_regions(values, spec)
    return [(label, (box[0] * wide, box[1] * high, box[2] * wide, box[3] * high)) for label, box in found]


def _mask_bytes(mask: StoredPicture | LocatedPicture) -> bytes:
    """Return the bytes of a mask; one that can't be read is its row's fault, not the source's."""
    try:
        return mask.read()
    except NoRoomError:
        raise
    except UserError as error:
        raise RowError(Reason.UNREADABLE_PICTURE, f"mask {error.what}") from None


def _boxes(regions: list[Region], before: tuple[int, ...], after: tuple[int, ...]) -> Facts:
    """Return the regions as a fact, in pixels of the stored picture; those outside it are no boxes."""
    high, wide = after[0] / before[0], after[1] / before[1]
    found: list[Facts] = []
    for label, (left, top, right, bottom) in regions:
        first = [max(0, math.floor(left * wide)), max(0, math.floor(top * high))]
        last = [min(after[1], math.ceil(right * wide)), min(after[0], math.ceil(bottom * high))]
        if first[0] < last[0] and first[1] < last[1]:
            found.append({"label": label, "box": [*first, *last]})
    return {"boxes": found} if found else {}
