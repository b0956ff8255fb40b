"""Records of anyone's data: a picture, a table, a text file, a lingshu samples folder, or a folder of such, nested.

Files are read in the order of their paths, rows as they come; what can't be read is noted and named, never left out in
silence.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lingshu.core.errors import UserError
from lingshu.core.images import ImageStore
from lingshu.core.question import PictureFile
from lingshu.core.sample import SAMPLE_SCHEMA, SCHEMA_VERSION, Sample, from_row
from lingshu.decontam.fields import Fields, is_picture_name, strings
from lingshu.decontam.records import Record, Tally
from lingshu.intake.csv_rows import CsvFault, csv_rows
from lingshu.intake.parquet_rows import ParquetBytes

ROWS_A_BATCH = 512
CELL_CHARACTERS = 1 << 24
LONG_TEXT = 1 << 22  # characters of a text file taken at once
LAP = 1 << 14  # characters of it that two takes share, so that no passage is cut
SEPARATORS = {".csv": ",", ".tsv": "\t"}
TEXT_SUFFIXES = (".txt", ".md")
VERSION_KEY = b"lingshu.schema_version"


@dataclass(slots=True)
class FilePicture:
    """A picture file, read when it is needed."""

    path: Path

    @property
    def name(self) -> str:
        """See `PictureFile.name`."""
        return str(self.path)

    def read(self) -> bytes:
        """See `PictureFile.read`."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise UserError(f"{self.path}: can't be read: {error.strerror}", "check the file") from None


@dataclass(slots=True)
class HeldPicture:
    """Bytes that a row holds; `again` reads them once more, so that they need not stay in memory."""

    name: str
    data: bytes | None = field(repr=False)
    again: Callable[[], bytes] | None = field(default=None, repr=False)

    def read(self) -> bytes:
        """See `PictureFile.read`."""
        if self.data is not None:
            return self.data
        assert self.again is not None
        return self.again()

    def release(self) -> None:
        """Let the bytes go, if they can be read again."""
        if self.again is not None:
            self.data = None


@dataclass(slots=True)
class ShardPicture:
    """A picture of the store of a lingshu project."""

    name: str
    store: ImageStore = field(repr=False)

    def read(self) -> bytes:
        """See `PictureFile.read`."""
        return self.store.data(self.name)


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


def read_input(path: Path, fields: Fields, tally: Tally) -> Iterator[Record]:
    """Yield the records of a file, or of all files of a folder and those below it.

    Args:
        path: as the user wrote it; names of records begin with it.
        fields: which fields of rows are what.
        tally: counts what was read, and takes what could not be.

    Raises:
        UserError: there is no such file or folder, or nothing in it can be compared.
    """
    if not path.exists():
        raise UserError(f"{path}: no such file or folder", "correct the path, or name a benchmark of the catalogue")
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    reader = _Reader(fields, tally, files if path.is_dir() else [*files, *sorted(path.parent.glob("*/*"))])
    for file in files:
        try:
            for record in reader.file(file, alone=path.is_file()):
                tally.records += 1
                yield record
        except OSError as error:
            tally.problem(str(file), f"can't be read: {error.strerror or error}")
    if path.is_dir():
        yield from reader.unnamed(files)
    if not tally.records:
        found = f"; {tally.problems[0].name}: {tally.problems[0].reason}" if tally.problems else ""
        raise UserError(
            f"{path}: holds nothing to compare{found}", "give pictures, .jsonl, .json, .csv, .parquet or .txt"
        )


class _Reader:
    """Reads files one after another; remembers which picture files rows have named."""

    def __init__(self, fields: Fields, tally: Tally, files: Sequence[Path]) -> None:
        self._fields = fields
        self._tally = tally
        self._samples = any(_is_sample_part(file) for file in files)
        self._named: set[Path] = set()
        self._pictures_by_name: dict[str, list[Path]] = {}
        for file in files:
            if is_picture_name(file.name):
                self._pictures_by_name.setdefault(file.name, []).append(file)
        self._stores: dict[Path, ImageStore] = {}
        self._columns: dict[str, ParquetBytes] = {}  # of the Parquet file that is being read
        self._row = 0

    def file(self, path: Path, *, alone: bool) -> Iterator[Record]:
        """Yield the records of one file; picture files of a folder wait for `unnamed`."""
        suffix = path.suffix.lower()
        if is_picture_name(path.name):
            if alone:
                yield _picture_record(path)
        elif suffix in (".jsonl", ".ndjson"):
            yield from self._rows(path, _json_lines(path, self._tally))
        elif suffix == ".json":
            if path.name != "manifest.json" or alone:
                yield from self._rows(path, _json(path, self._tally))
        elif suffix in SEPARATORS:
            yield from self._rows(path, _csv(path, self._tally))
        elif suffix == ".parquet":
            yield from self._parquet(path)
        elif suffix in TEXT_SUFFIXES:
            yield from _text_file(path, self._tally)
        elif suffix == ".arrow" and path.name.startswith("shard-"):
            if alone or not self._samples:
                yield from _shard(path, self._tally)
        elif not path.name.startswith("."):
            self._tally.problem(str(path), f"a file of a kind that is not read ({suffix or 'no suffix'})")

    def unnamed(self, files: list[Path]) -> Iterator[Record]:
        """Yield the picture files that no row has named."""
        for path in files:
            if is_picture_name(path.name) and path.resolve() not in self._named:
                self._tally.records += 1
                yield _picture_record(path)

    def _rows(self, path: Path, rows: Iterator[tuple[int, Any]]) -> Iterator[Record]:
        for number, row in rows:
            record = self._record(path, number, row)
            if record is None:
                self._tally.problem(f"{path}:{number}", "a row without text or picture")
            else:
                yield record

    def _record(self, path: Path, number: int, row: Any) -> Record | None:
        if not isinstance(row, Mapping):
            text = "\n".join(strings(row))
            return Record(f"{path}:{number}", texts=(text,)) if text.strip() else None
        fields = self._fields
        identity = fields.identity(row)
        name = f"{path}#{identity}" if identity else f"{path}:{number}"
        choices = fields.choices(row)
        record = Record(
            name,
            fields.question(row),
            tuple(choices.values()),
            tuple(fields.answers(row, choices)),
            tuple(fields.texts(row)),
            tuple(self._pictures(path, name, row)),
        )
        if record.pictures or record.whole.strip():
            return record
        longest = max(strings(row), key=len, default="")
        return Record(name, texts=(longest,)) if longest.strip() else None

    def _pictures(self, path: Path, name: str, row: Mapping[str, Any]) -> Iterator[tuple[str, PictureFile]]:
        for number, (called, data) in enumerate(self._fields.pictures(row)):
            label = f"{name}!{called or number}"
            if data is not None:
                yield label, HeldPicture(label, data, self._again(row, data))
                continue
            found = self._find(path, called)
            if found is None:
                self._tally.problem(label, "the picture is missing")
            else:
                self._named.add(found.resolve())
                yield label, FilePicture(found)

    def _find(self, table: Path, called: str) -> Path | None:
        """Return the picture that a row names: beside the table, in the current folder, or by the end of its path."""
        for place in (table.parent, Path()):
            if (place / called).is_file():
                return place / called
        wanted = PurePath(called).parts
        ends = [
            file
            for file in self._pictures_by_name.get(PurePath(called).name, [])
            if file.parts[-len(wanted) :] == wanted
        ]
        return min(ends, key=lambda file: (len(file.parts), file), default=None)

    def _again(self, row: Mapping[str, Any], data: bytes) -> Callable[[], bytes] | None:
        """Return what reads bytes of a Parquet row again, if they are the value of a column."""
        for name, column in self._columns.items():
            value = row[name]
            if data is (value.get("bytes") if isinstance(value, Mapping) else value):
                return partial(column.get, self._row)
        return None

    def _parquet(self, path: Path) -> Iterator[Record]:
        try:
            file = pq.ParquetFile(path)
            self._columns = {name: ParquetBytes(path, name) for name in file.schema_arrow.names}
            if path.name == "index.parquet" and {"image_id", "facts"} <= set(file.schema_arrow.names):
                return
            samples = (file.schema_arrow.metadata or {}).get(VERSION_KEY) == SCHEMA_VERSION.encode()
            number = 0
            for batch in file.iter_batches(batch_size=ROWS_A_BATCH):
                for row in batch.to_pylist():
                    self._row = number
                    number += 1
                    if samples:
                        yield self._sample(path, from_row({name: row[name] for name in SAMPLE_SCHEMA.names}))
                    else:
                        yield from self._rows(path, iter([(number, row)]))
        except (pa.ArrowException, OSError) as error:
            self._tally.problem(str(path), f"not a Parquet file that can be read: {str(error).splitlines()[0]}")
        finally:
            self._columns = {}

    def _sample(self, path: Path, sample: Sample) -> Record:
        store = self._store(path)
        pictures: list[tuple[str, PictureFile]] = []
        for image in sample.images:
            if image.image_id in store:
                pictures.append((sample.sample_id, ShardPicture(image.image_id, store)))
            else:
                self._tally.problem(f"{path}#{sample.sample_id}!{image.image_id}", "the picture is in no image folder")
        answer = sample.answer
        answers = (answer.text, sample.target_text()) if answer else (sample.target_text(),)
        choices = answer.choices if answer else ()
        if sample.task in ("caption", "report"):  # the prompt is the recipe's, the text the sample's
            return Record(sample.sample_id, texts=(sample.target_text(),), pictures=tuple(pictures))
        asked = tuple(dict.fromkeys(answers))
        return Record(sample.sample_id, sample.prompt_text(), choices, asked, (), tuple(pictures))

    def _store(self, path: Path) -> ImageStore:
        """Return the pictures of the project that a sample file is in: `images` beside its folder or further up."""
        folder = next((up / "images" for up in path.parents if (up / "images").is_dir()), path.parent)
        if folder not in self._stores:
            self._stores[folder] = ImageStore(sorted({file.parent for file in folder.rglob("shard-*.arrow")}))
        return self._stores[folder]


def _is_sample_part(path: Path) -> bool:
    return path.name.startswith("part-") and path.suffix == ".parquet"


def _picture_record(path: Path) -> Record:
    return Record(str(path), pictures=((str(path), FilePicture(path)),))


def _json_lines(path: Path, tally: Tally) -> Iterator[tuple[int, Any]]:
    with path.open("rb") as handle:
        for number, line in enumerate(handle, start=1):
            if not line.strip():
                continue
            try:
                yield number, json.loads(line.decode("utf-8-sig"))
            except (ValueError, RecursionError) as error:
                tally.problem(f"{path}:{number}", f"not JSON: {error}")


def _json(path: Path, tally: Tally) -> Iterator[tuple[int, Any]]:
    try:
        data = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        tally.problem(str(path), f"not JSON: {error}")
        return
    if isinstance(data, Mapping):
        lists = [value for value in data.values() if isinstance(value, list)]
        if len(lists) == 1 and len(data) <= 4 and all(isinstance(row, Mapping) for row in lists[0]):
            data = lists[0]
        elif data and all(isinstance(row, Mapping) for row in data.values()):
            data = [{"id": key, **row} for key, row in data.items()]
        else:
            data = [data]
    yield from enumerate(data if isinstance(data, list) else [data], start=1)


def _csv(path: Path, tally: Tally) -> Iterator[tuple[int, Any]]:
    """Yield the rows by their header; a line that can't be read as cells is told, and compared as it stands."""
    csv.field_size_limit(CELL_CHARACTERS)
    delimiter = SEPARATORS[path.suffix.lower()]
    header: list[str] = []
    number = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            for line, row in csv_rows(handle, delimiter=delimiter):
                number += bool(header and row)
                if isinstance(row, CsvFault):
                    tally.problem(f"{path}, line {line}", f"{row.problem}; the line is compared as it stands")
                    if header:
                        yield number, row.first_line.strip()
                    else:
                        header = row.first_line.strip().split(delimiter)
                elif not header:
                    header = row
                elif row:
                    if len(row) != len(header):
                        tally.problem(f"{path}:{number}", f"not {len(header)} columns")
                    yield number, dict(zip(header, row, strict=False))
    except UnicodeDecodeError as error:
        tally.problem(str(path), f"not CSV in UTF-8 from here on: {error}")


def _text_file(path: Path, tally: Tally) -> Iterator[Record]:
    """Yield each paragraph (where blank lines part them) or line, and the whole file, in laps if it is long."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        tally.problem(str(path), f"not UTF-8: {error.reason} at byte {error.start}")
        return
    units = list(_units(text))
    if len(units) > 1:
        for line, unit in units:
            yield Record(f"{path}:{line}", texts=(unit,))
    for start in range(0, max(1, len(text) - LAP), LONG_TEXT - LAP):
        if part := text[start : start + LONG_TEXT].strip():
            yield Record(str(path), texts=(part,))


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


def _shard(path: Path, tally: Tally) -> Iterator[Record]:
    try:
        store_batches = pa.ipc.open_file(pa.memory_map(str(path)))
    except (pa.ArrowInvalid, OSError) as error:
        tally.problem(str(path), f"not a picture shard that can be read: {error}")
        return
    for number in range(store_batches.num_record_batches):
        batch = store_batches.get_batch(number)
        for row, image_id in enumerate(batch.column("image_id").to_pylist()):
            yield Record(image_id, pictures=((image_id, MappedPicture(image_id, batch, row)),))
