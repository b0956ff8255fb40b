"""Files found by the end of their path, as the rows of a data set name them, written as other systems write names."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath


class NameEnds:
    """Names of files by their last part."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_last: dict[str, list[str]] = {}
        for name in names:
            self._by_last.setdefault(_folded(PurePosixPath(name).name), []).append(name)

    def find(self, end: str) -> list[str]:
        """Return the names that are or end with `end`, by whole parts.

        If there are none, those that do but for capitals or the Unicode form: Windows and macOS keep names of their own
        spelling (`.JPG`, decomposed accents), and find a file by any.
        """
        known = self._by_last.get(_folded(PurePosixPath(end).name), [])
        parts = PurePosixPath(end).parts
        exact = [name for name in known if PurePosixPath(name).parts[-len(parts) :] == parts]
        if exact:
            return exact
        folded = PurePosixPath(_folded(end)).parts
        return [name for name in known if PurePosixPath(_folded(name)).parts[-len(folded) :] == folded]


def _folded(name: str) -> str:
    return name.casefold() if name.isascii() else unicodedata.normalize("NFC", name).casefold()
