"""Where files are: a folder, some URLs, or a repository of the hub, behind one interface.

Names are paths with forward slashes, relative to the place. Nothing is downloaded before it is asked for.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import Protocol

from lingshu.core.errors import UserError
from lingshu.intake.download import download
from lingshu.intake.place import Place


class Files(Protocol):
    """Files of a place.

    Attributes:
        label: the place in words, for messages.
    """

    label: str

    def match(self, pattern: str) -> list[str]:
        """Return the names that a pattern finds, sorted: `*` stays within a folder, `**/` is any depth."""
        ...

    def has(self, name: str) -> bool:
        """Return whether there is a file of exactly this name."""
        ...

    def path(self, name: str) -> Path:
        """Return the file on this disk, downloading it if need be.

        Raises:
            UserError: there is no such file, or it can't be had.
        """
        ...


@lru_cache(maxsize=1024)
def pattern_of(glob: str) -> re.Pattern[str]:
    """Return a regular expression for a whole path: `*` and `?` stay within a folder, `**/` is any depth, or none."""
    return re.compile(_expression(glob))


def _expression(glob: str) -> str:
    found = re.split(r"(\*\*/|\*|\?)", glob)
    parts = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    return "".join(parts.get(part, re.escape(part)) for part in found)


def matching(names: Iterable[str], glob: str) -> list[str]:
    """Return the names that a pattern finds, sorted; none of what a Mac puts beside files and into archives."""
    pattern = pattern_of(glob)
    return sorted(name for name in names if pattern.fullmatch(name) and not _OF_A_MAC.search(name))


_OF_A_MAC = re.compile(r"(?:^|/)(?:__MACOSX/|\._[^/]*$)")


def also_named(name: str) -> tuple[str, ...]:
    """Return a file's name, and what a packed text or a Parquet file of a user's is called in the layout of records.

    The hub's conversion writes `default/train/0000.parquet`, people write `train.parquet`, `my_train.parquet` or
    `train/part-00000.parquet`, and `datasets` writes `train/data-00000-of-00001.arrow`; records say
    `data/train-*.parquet`, `ANATOMY/test-*.parquet` or `**/*.parquet` with a split before a number.
    """
    if name.lower().endswith(_PACKED):
        return (name, name[: -len(".gz")])
    found = _OF_A_SPLIT.fullmatch(name)
    if found is None:
        return (name,)
    above, number = (found["above"] or "").removesuffix("default/"), found["number"] or "0"
    split = _SPLITS.get(found["split"].lower(), found["split"].lower())
    return (name, f"{above}{split}-{number}.parquet", f"{above}data/{split}-{number}.parquet")


_OF_A_SPLIT = re.compile(
    r"(?P<above>(?:.*/)?)(?P<own>[^/]*[_.-])?(?P<split>train|validation|valid|val|dev|test)"
    r"(?:(?(own)[/_-]|[/_])(?:part-|data-)?(?P<number>\d+)[^/]*)?\.(?:parquet|arrow)",
    re.IGNORECASE,
)
_TEXTS = (".json", ".jsonl", ".csv", ".tsv", ".txt", ".xml")
_PACKED = tuple(f"{ending}.gz" for ending in _TEXTS)
_SPLITS = {"valid": "validation", "val": "validation", "dev": "validation"}


class OwnNames:
    """The names of a user's files, found without regard to capitals.

    They are kept in order, so that a pattern asked for each row of a table costs no look at every name.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._exact = set(names)
        self._names = sorted((name for name in self._exact if not _OF_A_MAC.search(name)), key=_order)
        self._folded = [name.casefold() for name in self._names]

    def match(self, glob: str) -> list[str]:
        """Return the names that a pattern finds, sorted; if none, those found by another name (`also_named`).

        What a Mac puts beside files and into archives is found by its whole name only.
        """
        if "*" not in glob and "?" not in glob and glob in self._exact:
            return [glob]
        begin = re.split(r"[*?]", glob, maxsplit=1)[0].casefold()
        first = bisect_left(self._folded, begin)
        last = bisect_left(self._folded, begin + _LAST_CHARACTER, first)
        pattern = _any_case(glob)
        found = sorted(filter(pattern.fullmatch, self._names[first:last]))
        if not found and glob.lower().endswith(_TEXTS):
            return self.match(f"{glob}.gz")
        if found or not glob.endswith(".parquet"):
            return found
        return [name for name in matching(self._names, "**/*") if any(map(pattern.fullmatch, also_named(name)))]


_LAST_CHARACTER = chr(0x10FFFF)


def _order(name: str) -> tuple[str, str]:
    return name.casefold(), name


@lru_cache(maxsize=1024)
def _any_case(glob: str) -> re.Pattern[str]:
    return re.compile(_expression(glob), re.IGNORECASE)


def walk(folder: Path) -> Iterator[str]:
    """Yield the names of all files below a folder, as `match` names them.

    Links are followed, and no folder is entered twice. A link that leads to no file is among the names: whoever opens
    it finds that out, and a data set that lacks a file is not taken for a whole one.

    Raises:
        UserError: a folder can't be listed or entered.
    """
    entered: set[str] = set()
    for place, folders, names in os.walk(folder, onerror=_not_listed, followlinks=True):
        real = os.path.realpath(place)
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        folders.sort()
        for name in sorted(names):
            path = Path(place) / name
            if _is_entry(path):
                yield path.relative_to(folder).as_posix()


def _is_entry(path: Path) -> bool:
    try:
        return path.is_file() or path.is_symlink()
    except PermissionError as error:
        raise UserError(
            f"{path.parent}: can't be entered: {error.strerror}", "let yourself read it, or move it away"
        ) from None


def _not_listed(error: OSError) -> None:
    raise UserError(f"{error.filename}: can't be listed: {error.strerror}", "let yourself read it, or move it away")


def leads_nowhere(path: Path) -> bool:
    """Return whether a path is a link to what is not there: a data set that was moved or never fetched as a whole."""
    return path.is_symlink() and not path.exists()


class FolderFiles:
    """A folder of the user."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise UserError(f"{folder}: no such folder", "give the folder that holds the files")
        self.folder = folder
        self.label = str(folder)

    @cached_property
    def _names(self) -> OwnNames:
        return OwnNames(walk(self.folder))

    def match(self, pattern: str) -> list[str]:
        """See `Files.match`."""
        if "*" not in pattern and "?" not in pattern and self.has(pattern):
            return [pattern]
        return self._names.match(pattern)

    def has(self, name: str) -> bool:
        """See `Files.has`; a name from a data file that leads out of the folder is none of its files."""
        path = PurePosixPath(name)
        # os.path: what no file can be called (too long, with a NUL) is no file, and no error.
        return not path.is_absolute() and ".." not in path.parts and os.path.isfile(self.folder / name)  # noqa: PTH113

    def path(self, name: str) -> Path:
        """See `Files.path`."""
        if not self.has(name):
            what = "a link that leads nowhere" if leads_nowhere(self.folder / name) else "no such file"
            raise UserError(f"{self.folder / name}: {what}", "check that the folder is complete")
        return self.folder / name


class UrlFiles:
    """Single files behind URLs, kept in a cache."""

    def __init__(self, places: Sequence[Place], cache_folder: Path) -> None:
        self._places = {place.file: place for place in places}
        self._cache = cache_folder
        self.label = ", ".join(place.url for place in places)

    def match(self, pattern: str) -> list[str]:
        """See `Files.match`."""
        return matching(self._places, pattern)

    def has(self, name: str) -> bool:
        """See `Files.has`."""
        return name in self._places

    def path(self, name: str) -> Path:
        """See `Files.path`."""
        place = self._places.get(name)
        if place is None:
            raise UserError(f"{name}: not among {self.label}", "correct the record")
        return download(place.url, self._cache / name, place.sha256, size=place.bytes)


class ChainedFiles:
    """Several places as one; the first that has a file gives it."""

    def __init__(self, places: Sequence[Files]) -> None:
        self._places = places
        self.label = " and ".join(place.label for place in places)

    def match(self, pattern: str) -> list[str]:
        """See `Files.match`."""
        return sorted({name for place in self._places for name in place.match(pattern)})

    def has(self, name: str) -> bool:
        """See `Files.has`."""
        return any(place.has(name) for place in self._places)

    def path(self, name: str) -> Path:
        """See `Files.path`."""
        for place in self._places:
            if place.has(name):
                return place.path(name)
        for place in self._places:
            if name in place.match("**/*"):
                return place.path(name)  # raises: it is listed, and can't be had
        raise UserError(f"{self.label}: no file {name}", "check the record, or pass a folder that has it")
