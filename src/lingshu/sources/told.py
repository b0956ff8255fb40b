"""What a row of a raw imaging source says of its pictures: facts, boxes, the window, and where its masks are."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from lingshu.intake.arrays import ArrayPart
from lingshu.intake.carried import carried, located
from lingshu.intake.errors import Reason, RowError
from lingshu.intake.pictures import LocatedPicture, StoredPicture
from lingshu.intake.places import Files
from lingshu.intake.values import Row, value_at
from lingshu.sources.annotations import Annotations, Masks
from lingshu.sources.frames import Facts
from lingshu.sources.labels import Region, row_boxes, row_facts

Window = tuple[float, float]
Mask = StoredPicture | LocatedPicture | ArrayPart


@dataclass(frozen=True, slots=True)
class Told:
    """What holds for all pictures of a row.

    Attributes:
        facts: without boxes.
        window: values shown as black and white, if any are stated.
        boxes: in pixels of the file.
        masks: those of each of the record's specifications.
    """

    facts: Facts
    window: Window | None
    boxes: list[Region]
    masks: list[tuple[Masks, list[Mask]]]

    def carried(self, most_bytes: int) -> Told:
        """Return this with masks that another process can read; see `intake.carried`."""

        def sent(mask: Mask) -> Mask:
            return carried(mask, most_bytes) if isinstance(mask, ArrayPart) else located(mask)

        return replace(self, masks=[(spec, list(map(sent, masks))) for spec, masks in self.masks])


def told_by(row: Row, annotations: Annotations, files: Files) -> Told:
    """Return what a row says of its pictures.

    Raises:
        RowError: a label, a box, a window or a mask is missing or of no known form.
    """
    facts = row_facts(row, annotations)
    window = _window(row, annotations)
    boxes = row_boxes(row, annotations.boxes) if annotations.boxes else []
    return Told(facts, window, boxes, [(spec, _masks(row, spec, files)) for spec in annotations.masks])


def _window(row: Row, annotations: Annotations) -> Window | None:
    if not annotations.window_field:
        return annotations.window
    given = value_at(row, annotations.window_field)
    numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", str(given))]
    if len(numbers) != 2 or numbers[0] >= numbers[1]:
        raise RowError(Reason.MISSING_FIELD, f"{annotations.window_field!r} is {given!r:.60}, not two values")
    return numbers[0], numbers[1]


def _masks(row: Row, spec: Masks, files: Files) -> list[Any]:
    """Return the masks of a row: files, or the array in the row.

    Raises:
        RowError: there is none, and there must be.
    """
    if spec.field:
        return [value_at(row, spec.field)]
    try:
        pattern = spec.file.format_map({key: str(value) for key, value in row.items()})
    except (KeyError, ValueError, IndexError) as error:
        raise RowError(Reason.MISSING_PICTURE, f"{spec.file!r} can't be written: {error!r}") from None
    names = files.match(pattern)
    if not names and not spec.optional:
        raise RowError(Reason.MISSING_PICTURE, f"no mask {pattern} in {files.label}")
    return [StoredPicture(name, files) for name in names]
