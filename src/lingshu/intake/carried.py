"""Pictures as another process can read them: the path of a file, or the bytes of what only an open file gives."""

from __future__ import annotations

from typing import overload

from lingshu.core.errors import UserError
from lingshu.intake.archive import NoRoomError
from lingshu.intake.arrays import ArrayPart
from lingshu.intake.parquet_rows import EmbeddedPicture
from lingshu.intake.pictures import FoundPicture, HeldPicture, LocatedPicture, StoredPicture, ZippedPicture


@overload
def carried(picture: FoundPicture, most_bytes: int) -> FoundPicture: ...
@overload
def carried(picture: ArrayPart, most_bytes: int) -> ArrayPart: ...
def carried(picture: FoundPicture | ArrayPart, most_bytes: int) -> FoundPicture | ArrayPart:
    """Return a picture as another process can read it; what is wrong with it is raised there, when it is read.

    Args:
        picture: any.
        most_bytes: a member of an archive that is larger is not read here: its reader refuses it by its size.

    Raises:
        NoRoomError: an archive can't be uncompressed for want of space.
    """
    if isinstance(picture, ArrayPart):
        return ArrayPart(picture.name, 0, picture.read()[None])
    if isinstance(picture, StoredPicture):
        return located(picture)
    if isinstance(picture, ZippedPicture | EmbeddedPicture):
        return _held(picture, most_bytes)
    return picture


def located(picture: StoredPicture | LocatedPicture) -> LocatedPicture:
    """Return a file by its path; why it can't be had is raised when it is read.

    Raises:
        NoRoomError: it can't be copied out of its archive for want of space.
    """
    if isinstance(picture, LocatedPicture):
        return picture
    try:
        return LocatedPicture(picture.name, picture.path())
    except NoRoomError:
        raise
    except UserError as error:
        return LocatedPicture(picture.name, error)


def _held(picture: ZippedPicture | EmbeddedPicture, most_bytes: int) -> HeldPicture:
    size: int | None = None
    try:
        size = picture.size()
        return HeldPicture(picture.name, size, b"" if size is not None and size > most_bytes else picture.read())
    except NoRoomError:
        raise
    except UserError as error:
        return HeldPicture(picture.name, size, error)
