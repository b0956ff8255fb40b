"""Rows and passages of files of anyone's data, in file order; what can't be read of them is noted in the tally.

Each generator takes where the file lies and what it is called.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree

import pyarrow as pa

from lingshu.decontam.records import Record, Tally
from lingshu.intake.csv_rows import CsvFault, csv_rows
from lingshu.intake.json_stream import JsonStream, JsonStreamError
from lingshu.intake.tables import bounded_lines

CELL_CHARACTERS = 1 << 24
LONG_TEXT = 1 << 22  # characters of a text file taken at once
LAP = 1 << 14  # characters of it that two takes share, so that no passage is cut
LINE_BYTES = 1 << 28  # of a row, its pictures included
OBJECT_CHARACTERS = 1 << 29  # of one JSON value
WHOLE_BYTES = 1 << 28  # of a file that is read at once
HEADER_WORDS = 8  # of a column's name, at most
SEPARATORS = {".csv": ",", ".tsv": "\t"}


def json_lines(path: Path, name: str, tally: Tally) -> Iterator[tuple[int, Any]]:
    """Yield (line number, value) of each line that is not empty."""
    with path.open("rb") as handle:
        for number, line in enumerate(bounded_lines(handle, LINE_BYTES), start=1):
            if line is None:
                tally.problem(f"{name}:{number}", f"a line of more than {LINE_BYTES} bytes")
            elif line.strip():
                try:
                    yield number, json.loads(line.decode("utf-8-sig"))
                except (ValueError, RecursionError) as error:
                    tally.problem(f"{name}:{number}", f"not JSON: {error}")


def json_rows(path: Path, name: str, tally: Tally) -> Iterator[tuple[int, Any]]:
    """Yield (number from 1, value) of a list, of the one list in an object, or of an object of rows by id.

    JSON lines are often called JSON, and are read as such. Of what is damaged the rows before are yielded.
    """
    if _is_lines(path):
        yield from json_lines(path, name, tally)
        return
    with path.open("rb") as handle:
        stream = JsonStream(handle, OBJECT_CHARACTERS)
        try:
            yield from enumerate(_json_values(stream), start=1)
        except (JsonStreamError, UnicodeDecodeError) as error:
            tally.problem(name, f"not JSON from here on: {error}")


def _is_lines(path: Path) -> bool:
    """Return whether a file has an object on its first line, and more below."""
    with path.open("rb") as handle:
        lines = bounded_lines(handle, LINE_BYTES)
        first = next(lines, None) or b""
        try:
            found = isinstance(json.loads(first.decode("utf-8-sig")), dict)
        except (ValueError, RecursionError):
            return False
        return found and any(line is None or line.strip() for line in lines)


def _json_values(stream: JsonStream) -> Iterator[Any]:
    if not stream.first():
        raise JsonStreamError(1, "the file is empty")
    if stream.first() == "[":
        yield from stream.array()
        return
    values = stream.values()
    first = next(values, None)
    if stream.first() or not isinstance(first, Mapping):
        yield from () if first is None else (first,)
        yield from values
        return
    lists = [value for value in first.values() if isinstance(value, list)]
    if len(lists) == 1 and len(first) <= 4 and all(isinstance(row, Mapping) for row in lists[0]):
        yield from lists[0]
    elif first and all(isinstance(row, Mapping) for row in first.values()):
        yield from ({"id": key, **row} for key, row in first.items())
    else:
        yield first


def table_rows(path: Path, name: str, delimiter: str, tally: Tally) -> Iterator[tuple[int, Any]]:
    """Yield (row number, values by column); a header is not counted.

    A line that can't be read as cells is told, and compared as it stands.
    """
    csv.field_size_limit(CELL_CHARACTERS)
    columns: list[str] = []
    number = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            for line, row in csv_rows(_short_lines(handle, name, tally), delimiter=delimiter):
                if isinstance(row, CsvFault):
                    tally.problem(f"{name}, line {line}", f"{row.problem}; the line is compared as it stands")
                    number += 1
                    yield number, row.first_line.strip()
                    continue
                if not columns and row:
                    columns = _columns(row)
                    if columns is row:
                        continue
                if row:
                    number += 1
                    if len(row) != len(columns):
                        tally.problem(f"{name}:{number}", f"not {len(columns)} columns")
                    yield number, dict(zip(columns, row, strict=False))
    except UnicodeDecodeError as error:
        tally.problem(name, f"not CSV in UTF-8 from here on: {error}")


def _short_lines(handle: IO[str], name: str, tally: Tally) -> Iterator[str]:
    while line := handle.readline(LINE_BYTES + 1):
        if len(line) > LINE_BYTES:
            tally.problem(name, f"not read from a line of more than {LINE_BYTES} characters on")
            return
        yield line


def _is_sentence(cell: str) -> bool:
    return len(cell.split()) > HEADER_WORDS or cell.rstrip().endswith("?")


def _is_question(first: list[str]) -> bool:
    """Return whether the cells are a question, options and the right one's letter, as in MMLU's files."""
    options = len(first) - 2
    return 2 <= options <= 10 and len(first[0].split()) > 2 and re.fullmatch(r"[A-J]", first[-1].strip()) is not None


def _columns(first: list[str]) -> list[str]:
    """Return the first row if it is a header, else names of our own."""
    if _is_question(first):
        return ["question", *"abcdefghij"[: len(first) - 2], "answer"]
    if any(_is_sentence(cell) for cell in first):
        return [f"column{number}" for number in range(1, len(first) + 1)]
    return first


def text_file(path: Path, name: str, tally: Tally) -> Iterator[Record]:
    """Yield each paragraph (where blank lines part them) or line, and the whole file, in laps if it is long."""
    if _too_long(path, name, tally):
        return
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        tally.problem(name, f"not UTF-8: {error.reason} at byte {error.start}")
        return
    units = list(_units(text))
    if len(units) > 1:
        for line, unit in units:
            yield Record(f"{name}:{line}", texts=(unit,))
    for start in range(0, max(1, len(text) - LAP), LONG_TEXT - LAP):
        if part := text[start : start + LONG_TEXT].strip():
            yield Record(name, texts=(part,))


def _too_long(path: Path, name: str, tally: Tally) -> bool:
    """Tell the tally of a file that is too long to be read at once."""
    size = path.stat().st_size
    if size > WHOLE_BYTES:
        tally.problem(name, f"a text of {size} bytes, more than the {WHOLE_BYTES} that are read at once: split it")
    return size > WHOLE_BYTES


def _units(text: str) -> Iterator[tuple[int, str]]:
    lines = text.split("\n")
    stripped = text.strip("\n")
    if "\n\n" not in stripped.replace("\r", ""):
        yield from ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
        return
    held: list[str] = []
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip():
            held.append(line)
        elif held:
            yield number - len(held), "\n".join(held)
            held = []


def xml_file(path: Path, name: str, tally: Tally) -> Iterator[Record]:
    """Yield each element's own text, numbered as they open, and all of the file's."""
    if _too_long(path, name, tally):
        return
    try:
        elements = list(ElementTree.parse(path).getroot().iter())
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        tally.problem(name, f"not XML: {error}")
        return
    texts = [(number, (element.text or "").strip()) for number, element in enumerate(elements, start=1)]
    yield from (Record(f"{name}:{number}", texts=(text,)) for number, text in texts if text)
    if whole := "\n".join(text for _, text in texts if text):
        yield Record(name, texts=(whole,))


@dataclass(slots=True)
class MappedPicture:
    """A picture of a shard that no store has opened."""

    name: str
    batch: pa.RecordBatch = field(repr=False)
    row: int

    def read(self) -> bytes:
        """See `PictureFile.read`."""
        value = self.batch.column("bytes")[self.row].as_py()
        assert isinstance(value, bytes)
        return value


def shard_pictures(path: Path, name: str, tally: Tally) -> Iterator[Record]:
    """Yield the pictures of a shard of a lingshu project."""
    try:
        batches = pa.ipc.open_file(pa.memory_map(str(path)))
    except (pa.ArrowInvalid, OSError) as error:
        tally.problem(name, f"not a picture shard that can be read: {error}")
        return
    for number in range(batches.num_record_batches):
        batch = batches.get_batch(number)
        for row, image_id in enumerate(batch.column("image_id").to_pylist()):
            yield Record(image_id, pictures=((image_id, MappedPicture(image_id, batch, row)),))
