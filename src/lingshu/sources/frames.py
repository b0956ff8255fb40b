"""What every picture reader takes and gives: a raw file of the catalogue in, frames with their facts out."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lingshu.core.images import encode_png
from lingshu.core.shown import Pixels
from lingshu.sources.catalog import Package
from lingshu.sources.dicom_profile import Identifying
from lingshu.sources.notes import Note

Facts = dict[str, Any]
# Pixels or voxels that one file may make: 1 GiB as float32. A header can claim any number, so it is asked before
# anything is allocated; every imaging file of the paper's sources stays below it.
MAX_VALUES = 1 << 28
# What parsers stumble over in a broken file, whatever the library; never a reason to stop a run.
BROKEN = (
    OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError, AttributeError, AssertionError,
    RuntimeError, EOFError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip
DETAIL_CHARS = 200


class Refused(Exception):
    """A file from which no picture is taken: it becomes a verdict, not a crash.

    Args:
        reason: UPPER_CASE word.
        detail: what was found, for the verdict.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")

    def __reduce__(self) -> tuple[type[Refused], tuple[str, str]]:
        """Pickle what made it, so that it comes out of another process as it went in."""
        return type(self), (self.reason, self.detail)


@dataclass(frozen=True, slots=True)
class RawFile:
    """A pulled file.

    Attributes:
        source: name in the catalogue.
        package: where it is from.
        folder: where the package was unpacked.
        inner: the file's path in the package.
        note: what a person saw in the file, if the catalogue says.
    """

    source: str
    package: Package
    folder: Path
    inner: str
    note: Note | None = None

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self.folder / self.inner

    @property
    def origin(self) -> str:
        """Package and inner path: names the file in verdicts and ids."""
        return f"{self.package.name}/{self.inner}"

    @property
    def train_only(self) -> bool:
        """Whether the catalogue keeps its pictures out of the held-out split."""
        return self.note is not None and self.note.train_only

    def companion(self, inner: str) -> Path:
        """Return where a mask or an atlas of the same package lies."""
        return self.folder / inner


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture: uint8 pixels (height, width) or (height, width, 3), where it is from, and what is true of it.

    `identifying` is what its file says about a person, where params ask for it and the format can say.
    """

    pixels: Pixels
    origin: str
    group: str
    facts: Facts
    identifying: Identifying | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Pictures of a file that were not taken, by design: every n-th frame, slices and tiles without tissue."""

    reason: str
    number: int


Readings = Iterator[Frame | LeftOut]


def undecodable(error: Exception, path: Path) -> Refused:
    """Return the refusal of a file that a parser failed on, with the first words of what it said.

    The file is called by its name, so that a verdict is the same wherever the file lies.
    """
    said = " ".join(str(error).replace(str(path), path.name).split())
    return Refused("UNDECODABLE", f"{type(error).__name__}: {said}"[:DETAIL_CHARS])


def check_size(number: int, what: str) -> None:
    """Raise Refused TOO_LARGE if a file claims more values than `MAX_VALUES`; `what` describes them."""
    if number > MAX_VALUES:
        raise Refused("TOO_LARGE", f"{what}: more than {MAX_VALUES:,} values")


def with_note(facts: Mapping[str, Any], note: Note | None) -> Facts:
    """Return the facts with what a person saw laid over them; a fact seen to be wrong (`null`) is taken back."""
    seen = note.facts if note else {}
    return {key: value for key, value in {**facts, **seen}.items() if value is not None}


def shrunk(pixels: Pixels, max_side: int) -> Pixels:
    """Return the picture with its longer side at most `max_side` pixels, by area averaging; never enlarged."""
    height, width = pixels.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1.0:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


def png(pixels: Pixels) -> bytes:
    """Return the picture as PNG; three equal channels are stored as one."""
    if pixels.ndim == 3 and (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 0] == pixels[..., 2]).all():
        pixels = pixels[..., 0]
    return encode_png(np.ascontiguousarray(pixels))
