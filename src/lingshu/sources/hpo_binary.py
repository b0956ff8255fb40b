"""The Human Phenotype Ontology in the binary layout of the Rust crate `hpo`, as package `hpo3` compiles it in.

The layout is version 3, published with the crate (docs.rs/crate/hpo/0.12.0, `src/parser/binary/` and
`src/term/internal.rs`). It starts at the bytes `HPO` and 3, wherever in the file they lie; numbers are big-endian:

* the release: year (u16), month (u8), day (u8);
* the length of the term section in bytes (u32), then its records: length of the whole record in bytes (u32), id (u32),
  length of the name in bytes (u8), name (UTF-8, cut after 255 bytes), flags (u8; 1 is obsolete), replacement id (u32);
* the length of the parent section in bytes (u32), then its records: number of parents (u32), id (u32), their ids (u32).

Genes and diseases follow; they are not read, and neither are replacement ids. No code of the file is run.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from lingshu.core.errors import UserError

RECORD = "catalog/sources/terminology.yaml"
MAGIC = b"HPO\x03"
IN_USE, OBSOLETE = 0, 1  # the flags of a term
NUMBER = 4  # bytes of an id, a length or a count


@dataclass(frozen=True, slots=True)
class StoredTerm:
    """A term as it is stored: name, whether it is obsolete, and the ids of its parents in the file's order."""

    name: str
    obsolete: bool
    parents: tuple[int, ...]


@dataclass(slots=True)
class _Stretch:
    """Bytes `at` to `end` of a file, read from the front and never past their end; `what` names them in errors."""

    path: Path
    data: bytes
    at: int
    end: int
    what: str

    @property
    def left(self) -> int:
        """Number of bytes that were not read yet."""
        return self.end - self.at

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes; raises UserError where fewer are left, or `size` is below nought."""
        if not 0 <= size <= self.left:
            raise damaged(self.path, f"{self.what}: {size} bytes wanted at byte {self.at}, {self.left} are left")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int = NUMBER) -> int:
        """Return the next `size` bytes as an unsigned big-endian number; errors as `take`."""
        return int.from_bytes(self.take(size), "big")

    def part(self, size: int, what: str) -> _Stretch:
        """Return the next `size` bytes as a stretch of their own; errors as `take`."""
        start = self.at
        self.take(size)
        return _Stretch(self.path, self.data, start, start + size, what)


def read_layout(path: Path) -> tuple[date, dict[int, StoredTerm]]:
    """Return the release and every term by its number (118 for HP:0000118), obsolete ones too, in the file's order.

    Raises:
        UserError: the file holds no ontology of this layout, or it is damaged: a section or a record is cut short; a
            record has another length than it states, unknown flags or a name that is not text; a term is there twice
            or has parents and no name; the release is no date. Whether parents exist is left to the caller.
    """
    data = path.read_bytes()
    start = data.find(MAGIC)
    if start < 0:
        raise UserError(
            f"{path}: holds no HPO in the binary layout of version {MAGIC[-1]}",
            f"check package and inner path in {RECORD}: the ontology lies in the extension module of hpo3",
        )
    stored = _Stretch(path, data, start + len(MAGIC), len(data), "the ontology")
    release = _release(stored)
    terms = _terms(stored.part(stored.number(), "the term section"))
    parents = _parents(stored.part(stored.number(), "the parent section"))
    if strangers := sorted(parents.keys() - terms.keys()):
        raise damaged(path, f"term {strangers[0]} has parents and no name")
    return release, {
        number: StoredTerm(name, obsolete, parents.get(number, ())) for number, (name, obsolete) in terms.items()
    }


def damaged(path: Path, what: str) -> UserError:
    """Return the error for a file that holds the ontology, but not a sound one."""
    return UserError(
        f"{path}: the HPO in it is damaged: {what}",
        f"delete data/raw/terminology and run `dvc repro` again; if it stays, name hpo3 1.5.1 in {RECORD}",
    )


def _release(stored: _Stretch) -> date:
    year, month, day = stored.number(2), stored.number(1), stored.number(1)
    try:
        return date(year, month, day)
    except ValueError:
        raise damaged(stored.path, f"the release {year}-{month}-{day} is no date") from None


def _terms(section: _Stretch) -> dict[int, tuple[str, bool]]:
    """Return name and whether it is obsolete of every term of the term section."""
    found: dict[int, tuple[str, bool]] = {}
    while section.left:
        what = f"the term record at byte {section.at}"
        size = section.number()
        record = section.part(size - NUMBER, what)
        number, name, flags = record.number(), _name(record), record.number(1)
        record.take(NUMBER)  # the replacement id
        if record.left:
            raise damaged(section.path, f"{what} states {size} bytes, {record.left} more than it has")
        if flags not in (IN_USE, OBSOLETE):
            raise damaged(section.path, f"{what} has the unknown flags {flags}")
        if number in found:
            raise damaged(section.path, f"{what} is a second one of term {number}")
        found[number] = (name, flags == OBSOLETE)
    return found


def _name(record: _Stretch) -> str:
    raw = record.take(record.number(1))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise damaged(record.path, f"{record.what} has a name that is not UTF-8: {raw!r}") from None


def _parents(section: _Stretch) -> dict[int, tuple[int, ...]]:
    """Return the ids of the parents of every term of the parent section."""
    found: dict[int, tuple[int, ...]] = {}
    while section.left:
        what = f"the parent record at byte {section.at}"
        count, number = section.number(), section.number()
        record = section.part(count * NUMBER, what)
        if number in found:
            raise damaged(section.path, f"{what} is a second one of term {number}")
        found[number] = tuple(record.number() for _ in range(count))
    return found
