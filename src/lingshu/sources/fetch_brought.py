"""A folder that the user brings: read where it lies, its digests recorded, nothing of it copied."""

from __future__ import annotations

from pathlib import Path

from lingshu.core.errors import UserError
from lingshu.core.progress import track
from lingshu.intake.digests import Digests
from lingshu.intake.listing import chosen
from lingshu.intake.place import Place
from lingshu.intake.places import walk
from lingshu.sources.pulled import BROUGHT, Origin


def brought_origin(name: str, place: Place, cache: Path, root: Path) -> Origin:
    """Return the digests of what the user brought for a source, in `data/brought/<name>`.

    Args:
        name: of the source.
        place: what is to be brought, and patterns of its files.
        cache: folder that remembers the digests.
        root: where `data/` lies.

    Raises:
        UserError: the folder is not there, lacks a file of the record, or can't be read; says what to bring.
    """
    folder = root / BROUGHT / name
    if not folder.is_dir():
        raise UserError(
            f"{name}: {folder}: no such folder. Bring {place.bring}",
            f"put the files there, or `lingshu pull {name} --raw FOLDER`, which makes a link to where they lie",
        )
    try:
        names = chosen(f"{name}: {folder}", walk(folder), place.files)
        with Digests(cache / "bring" / f"{name}.json", folder) as digests:
            files = {file: digests.of(file) for file in track(names, f"pull {name}", len(names))}
    except OSError as error:
        raise UserError(
            f"{name}: {error.filename}: can't be read: {error.strerror}", "mend it, then run again"
        ) from None
    return Origin(kind="bring", place=place.label, files=files)


def bring(name: str, folder: Path, root: Path = Path()) -> None:
    """Make `data/brought/<name>` a link to a folder of this machine.

    Raises:
        UserError: there is no such folder, or files lie in `data/brought/<name>` already.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder", "name the folder that holds the files")
    link = root / BROUGHT / name
    if link.exists() and not link.is_symlink():
        if link.samefile(folder):
            return
        raise UserError(f"{link}: files lie there already", "move them away, or pull without --raw")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(folder.resolve(), target_is_directory=True)
