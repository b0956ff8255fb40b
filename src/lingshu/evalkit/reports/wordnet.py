"""Synonyms from the files of WordNet (the database format of wndb(5WN), as releases 3.0 and 3.1 have it).

The user names a folder with index.*, data.* and *.exc of the four parts of speech: the Debian package wordnet-base puts
one at /usr/share/wordnet, and NLTK's corpus `wordnet` is one when unpacked. Words are looked up as NLTK 3.10
`wordnet.synsets` does: as they are, and by their exceptions or, without any, by the endings of MORPHOLOGY.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from lingshu.core.errors import UserError

PARTS = ("noun", "verb", "adj", "adv")
MORPHOLOGY: dict[str, tuple[tuple[str, str], ...]] = {
    "noun": (
        *(("s", ""), ("ses", "s"), ("ves", "f"), ("xes", "x"), ("zes", "z")),
        *(("ches", "ch"), ("shes", "sh"), ("men", "man"), ("ies", "y")),
    ),
    "verb": (
        *(("s", ""), ("ies", "y"), ("es", "e"), ("es", "")),
        *(("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", "")),
    ),
    "adj": (("er", ""), ("est", ""), ("er", "e"), ("est", "e")),
    "adv": (),
}
WORDS_KEPT = 1 << 17  # whose synonyms are remembered
_MARKER = re.compile(r"\([^()]*\)\Z")  # where an adjective may stand: "(a)", "(p)", "(ip)"


class WordNet:
    """The files of a folder in memory (about 30 MB); made by `load_wordnet`."""

    def __init__(
        self, index: dict[str, dict[str, bytes]], data: dict[str, bytes], exceptions: dict[str, dict[str, list[str]]]
    ) -> None:
        self._index = index
        self._data = data
        self._exceptions = exceptions
        self.synonyms = lru_cache(WORDS_KEPT)(self._synonyms)

    def _synonyms(self, word: str) -> frozenset[str]:
        """Return the word and all single words that share a sense with it, in the spelling of the files."""
        found = {word}
        for part in PARTS:
            for form in self._forms(word.lower(), part):
                for offset in _offsets(self._index[part][form]):
                    found.update(self._words(part, offset))
        return frozenset(found)

    def _forms(self, word: str, part: str) -> set[str]:
        exceptions = self._exceptions[part]
        rules = MORPHOLOGY[part]
        others = exceptions.get(word) or [word.removesuffix(old) + new for old, new in rules if word.endswith(old)]
        return {form for form in (word, *others) if form in self._index[part]}

    def _words(self, part: str, offset: int) -> list[str]:
        data = self._data[part]
        fields = data[offset : data.index(b"\n", offset)].decode().split(" ", 4)
        words = fields[4].split(" ")[0 : 2 * int(fields[3], 16) : 2]
        return [_MARKER.sub("", word) for word in words if "_" not in word]


def load_wordnet(folder: Path) -> WordNet:
    """Return WordNet from its files.

    Raises:
        UserError: a file is not there, or is not of the format (names it).
    """
    index = {part: _index(folder / f"index.{part}") for part in PARTS}
    data = {part: _read(folder / f"data.{part}") for part in PARTS}
    exceptions = {part: _exceptions(folder / f"{part}.exc") for part in PARTS}
    for part in PARTS:
        # Offsets of another release point into the middle of lines; every line begins with its own.
        last = next(reversed(index[part].values()), None)
        if last and any(data[part][place : place + 9] != b"%08d " % place for place in _offsets(last)):
            what = f"--wordnet: {folder}: index.{part} and data.{part} do not belong together"
            raise UserError(what, "name the folder of one release")
    return WordNet(index, data, exceptions)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        fix = "name a folder with WordNet's files, as /usr/share/wordnet of the Debian package wordnet-base"
        raise UserError(f"--wordnet: {path}: {error.strerror}", fix) from None


def _index(path: Path) -> dict[str, bytes]:
    """Return the line of each word; the licence stands first, in lines that begin with a blank."""
    lines = _read(path).splitlines()
    found = {line.partition(b" ")[0].decode(): line for line in lines if line and not line.startswith(b" ")}
    try:
        for line in found.values():
            _offsets(line)
    except (ValueError, IndexError):
        raise UserError(f"--wordnet: {path}: not an index of WordNet", "name the folder of a whole release") from None
    return found


def _offsets(line: bytes) -> list[int]:
    fields = line.split()
    return [int(one) for one in fields[len(fields) - int(fields[2]) :]]


def _exceptions(path: Path) -> dict[str, list[str]]:
    rows = [line.split() for line in _read(path).decode().splitlines()]
    return {row[0]: row[1:] for row in rows if row}
