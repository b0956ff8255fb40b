"""Pictures of the sample browser: each once, no larger than it is shown."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from PIL import Image

from lingshu.core.errors import UserError
from lingshu.core.files import write_bytes
from lingshu.core.ids import sha256_bytes
from lingshu.core.picture_errors import said
from lingshu.core.question import PictureFile

FOLDER = "pictures"
QUALITY = 88
NAMED_FIX = "put it where `pictures` of the line says, or pass --questions FILE or --folder NAME=DIR"
KEPT_FORMATS = {"JPEG": "jpg", "PNG": "png"}  # written as they are if they are small enough


@dataclass(slots=True)
class NamedPicture:
    """A file that a response line names; `name` is its path."""

    name: str

    def read(self) -> bytes:
        """See `PictureFile.read`."""
        try:
            return Path(self.name).read_bytes()
        except OSError as error:
            raise UserError(f"{self.name}: {error.strerror}", NAMED_FIX) from None


@dataclass(slots=True)
class Keeper:
    """Writes pictures under `folder`; one that can't be had is a line of `problems`, and the page goes without it."""

    folder: Path
    longest_px: int
    _problems: dict[str, None] = field(default_factory=dict)
    _kept: dict[str, str] = field(default_factory=dict)

    @property
    def problems(self) -> list[str]:
        """What could not be had, each once, and what to do about it; files by their names, not by where they lie."""
        return list(self._problems)

    def keep(self, pictures: Iterable[PictureFile], where: str) -> list[str]:
        """Return the address of each picture, from the page; `where` says whose pictures they are."""
        found: list[str] = []
        for picture in pictures:
            try:
                found.append(self._address(picture))
            except UserError as error:
                self.tell(f"{where}: {_short(error.what, picture.name)}: {error.fix}")
        return found

    def tell(self, problem: str) -> None:
        """Note a problem, once."""
        self._problems[problem] = None

    def _address(self, picture: PictureFile) -> str:
        data = picture.read()
        digest = sha256_bytes(data)
        if digest not in self._kept:
            shown, suffix = _shown(data, picture.name, self.longest_px)
            self._kept[digest] = f"{FOLDER}/{digest[:20]}.{suffix}"
            write_bytes(self.folder / self._kept[digest], shown)
        return self._kept[digest]


def _short(what: str, name: str) -> str:
    """Return a message about the file `name` with its last part alone: the page is for other machines, too."""
    _, found, reason = what.rpartition(name)
    return f"{PurePath(name).name}{reason}" if found else what


def _shown(data: bytes, name: str, longest_px: int) -> tuple[bytes, str]:
    """Return a picture's bytes as a browser shows them, reduced if its longer side is above `longest_px`."""
    try:
        with Image.open(io.BytesIO(data)) as opened:
            suffix = KEPT_FORMATS.get(opened.format or "")
            if suffix and max(opened.size) <= longest_px:
                opened.verify()
                return data, suffix
            picture = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"{name}: not a picture that can be read: {said(error)}", "check the file") from None
    picture.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=QUALITY)
    return buffer.getvalue(), "jpg"
