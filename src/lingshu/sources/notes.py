"""What a person saw in single files: catalog/notes/<source>.yaml, by package.

They lie beside the records, not in them, so that a note read by `normalize` never downloads anything again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from lingshu.core.errors import UserError
from lingshu.core.layout import CATALOG
from lingshu.core.params import Strict, read_yaml, validate
from lingshu.sources.catalog import SourceRecord, matches

NOTES = CATALOG / "notes"
Cut = Literal["whole", "regions", "tiles"]
FactValue = str | bool | int | None


class Note(Strict):
    """What a person saw in some files; it overrides what the files' own tags say.

    Attributes:
        paths: patterns of inner paths.
        seen: what the picture shows, in words.
        facts: facts that hold for every picture of these files; `null` takes back what a tag claims.
        refuse: UPPER_CASE reason why no picture is taken from them, else "".
        group: what they share and no split may cut (a patient, a study); "" leaves it to the reader.
        train_only: they are never held out, because they show too little to be tested on (`seen` says what).
        frames: take only this many frames from the start.
        planes: take only these planes of a volume.
        window: darkest and brightest value of a volume's slices; [] leaves it to the reader.
        pixel_mm: side of a stored pixel of a volume's slices; leaves `slice_pixel_mm` to the others.
        cut: take the picture whole, or its regions and their tiles, or its tiles.
        mask: inner path of the label mask of these files, whose labels are nuclei.
        atlas: inner paths of tissue maps of the same volume (0 to 255), by tissue.
    """

    paths: list[str] = Field(min_length=1)
    seen: str = Field(min_length=1)
    facts: dict[str, FactValue] = Field(default_factory=dict)
    refuse: str = Field(default="", pattern=r"^[A-Z_]*$")
    group: str = ""
    train_only: bool = False
    frames: int | None = Field(default=None, ge=1)
    planes: list[Literal["axial", "coronal", "sagittal"]] = Field(default_factory=list)
    pixel_mm: float | None = Field(default=None, gt=0)
    window: list[float] = Field(default_factory=list, max_length=2)
    cut: Cut = "whole"
    mask: str = ""
    atlas: dict[Literal["grey matter", "white matter"], str] = Field(default_factory=dict)

    @field_validator("window")
    @classmethod
    def _two_rising_values(cls, window: list[float]) -> list[float]:
        if window and not (len(window) == 2 and window[0] < window[1]):
            raise ValueError(f"{window} must be two values, the lower one first")
        return window


class PackageNotes(Strict):
    """The notes on one package's files, in order: the first that names a file counts."""

    notes: list[Note]

    def on(self, path: str) -> Note | None:
        """Return the note on an inner path, if there is one."""
        return next((n for n in self.notes if any(matches(pattern, path) for pattern in n.paths)), None)


NO_NOTES = PackageNotes(notes=[])


def read_notes(name: str, record: SourceRecord, root: Path = Path()) -> dict[str, PackageNotes]:
    """Return the notes of a pulled source by package; a package that is not in the file has none.

    Raises:
        UserError: the file is missing, names a package that the record has not, or a note has a wrong key or value.
    """
    path = root / NOTES / f"{name}.yaml"
    data = read_yaml(path)
    if not isinstance(data, dict):
        raise UserError(f"{path}: expected notes by package", "write `{}` if there is nothing to note")
    known = [package.name for package in record.packages]
    for package in data:
        if package not in known:
            raise UserError(f"{path}: {name} has no package {package!r}", f"use one of {', '.join(known)}")
    return {str(key): validate(PackageNotes, {"notes": notes}, f"{path}: {key}") for key, notes in data.items()}
