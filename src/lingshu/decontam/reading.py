"""Records of anyone's data: a picture, a table, a text file, a lingshu samples folder, or a folder of such, nested.

Files are read in the order of their paths, rows as they come; what can't be read is noted and named, never left out in
silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from lingshu.core.errors import UserError
from lingshu.core.half_pairs import without_half_pairs
from lingshu.core.images import ImageStore
from lingshu.core.question import PictureFile
from lingshu.core.sample import SAMPLE_SCHEMA, SCHEMA_VERSION, Sample, from_row
from lingshu.decontam.fields import Fields, is_picture_name, is_scan_name, strings
from lingshu.decontam.files import InputFile, Scratch, list_files
from lingshu.decontam.records import Record, Tally
from lingshu.decontam.tables import SEPARATORS, json_lines, json_rows, shard_pictures, table_rows, text_file, xml_file
from lingshu.intake.errors import RowError
from lingshu.intake.parquet_rows import ParquetBytes, parquet_schema, whole_rows
from lingshu.intake.values import Row, printable

MAX_ROW_BYTES = 1 << 30  # of a row that is compared, its pictures included
NAME_CHARACTERS = 200  # of a picture, in messages
JSON_LINES = (".jsonl", ".ndjson")
TEXT_SUFFIXES = (".txt", ".md")
VERSION_KEY = b"lingshu.schema_version"
DICOM_MARK = slice(128, 132), b"DICM"
Scans = Callable[[Path], Iterator[tuple[str, bytes]]]  # labels and PNGs of a DICOM file or volume


@dataclass(slots=True)
class HeldPicture:
    """Bytes that a row holds; they need not stay in memory.

    Attributes:
        name: of the picture.
        data: its bytes, None once they were let go.
        again: reads them once more, where their file gives one row's alone.
        scratch: takes a copy where it does not (Base64, lists).
    """

    name: str
    data: bytes | None = field(repr=False)
    again: Callable[[], bytes] | None = field(default=None, repr=False)
    scratch: Scratch | None = field(default=None, repr=False)

    def read(self) -> bytes:
        """See `PictureFile.read`."""
        if self.data is not None:
            return self.data
        assert self.again is not None
        return self.again()

    def release(self) -> None:
        """Let the bytes go, if they can be read again; errors as `Scratch.keep`."""
        if self.again is None and self.scratch is not None and self.data is not None:
            self.again = self.scratch.keep(self.data).read_bytes
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


@dataclass(frozen=True, slots=True)
class Reading:
    """How inputs are read.

    Attributes:
        fields: which fields of rows are what.
        scratch: where members of archives are laid that a reader wants as files.
        scans: reads a DICOM file or a volume; raises UserError for one that gives no picture.
        results: whole paths of the files that the run writes: an earlier run's are not read as data.
    """

    fields: Fields
    scratch: Scratch
    scans: Scans
    results: frozenset[Path] = frozenset()


def read_input(path: Path, how: Reading, tally: Tally) -> Iterator[Record]:
    """Yield the records of a file, or of all files of a folder or an archive and those below it.

    Args:
        path: as the user wrote it; names of records begin with it.
        how: what is needed to read it.
        tally: counts what was read, and takes what could not be.

    Raises:
        UserError: there is no such file or folder, or nothing in it can be compared.
    """
    if not path.exists():
        raise UserError(f"{path}: no such file or folder", "correct the path, or name a benchmark of the catalogue")
    files = list_files(path, tally, how.results)
    alone = files == [InputFile(printable(str(path)), path)]
    around = sorted(path.parent.glob("*/*")) if alone else []
    beside = [InputFile(printable(str(file)), file) for file in around if file.is_file()]
    reader = _Reader(how, tally, [*files, *beside])
    for file in files:
        try:
            for record in reader.file(file, alone=alone):
                tally.records += 1
                yield record
        except OSError as error:
            tally.problem(file.name, f"can't be read: {error.strerror or error}")
        except UserError as error:
            tally.problem(file.name, error.what)
    if not alone:
        yield from reader.unnamed(files)
    if not tally.records:
        found = f"; {tally.problems[0].name}: {tally.problems[0].reason}" if tally.problems else ""
        raise UserError(
            f"{path}: holds nothing to compare{found}", "give pictures, .jsonl, .json, .csv, .parquet or .txt"
        )


class _Reader:
    """Reads files one after another; remembers which picture files rows have named."""

    def __init__(self, how: Reading, tally: Tally, files: Sequence[InputFile]) -> None:
        self._fields = how.fields
        self._how = how
        self._tally = tally
        self._samples = any(_is_sample_part(file) for file in files)
        self._named: set[str] = set()
        self._pictures_by_name: dict[str, list[InputFile]] = {}
        for file in files:
            if is_picture_name(file.last) or is_scan_name(file.last):
                self._pictures_by_name.setdefault(file.last, []).append(file)
        self._stores: dict[Path, ImageStore] = {}
        self._columns: dict[str, ParquetBytes] = {}  # of the Parquet file that is being read
        self._row = 0

    def file(self, file: InputFile, *, alone: bool) -> Iterator[Record]:
        """Yield the records of one file; picture files of a folder wait for `unnamed`."""
        suffix = _suffix(file)
        if is_picture_name(file.last) or is_scan_name(file.last):
            if alone:
                yield from self._shown(file)
        elif file.last.startswith(".") or (file.last == "manifest.json" and not alone):
            return
        elif suffix in (*JSON_LINES, ".json", *SEPARATORS):
            yield from self._rows(file.name, self._table(file, suffix))
        elif suffix == ".parquet":
            yield from self._parquet(file)
        elif suffix in (*TEXT_SUFFIXES, ".xml"):
            read = xml_file if suffix == ".xml" else text_file
            yield from read(self._open(file), file.name, self._tally)
        elif suffix == ".arrow" and file.last.startswith("shard-"):
            if alone or not self._samples:
                yield from shard_pictures(self._open(file), file.name, self._tally)
        elif _is_dicom(file):
            yield from self._shown(file)
        else:
            self._tally.problem(file.name, f"a file of a kind that is not read ({suffix or 'no suffix'})")

    def _table(self, file: InputFile, suffix: str) -> Iterator[tuple[int, Any]]:
        path = self._open(file)
        if suffix in SEPARATORS:
            return table_rows(path, file.name, SEPARATORS[suffix], self._tally)
        return (json_lines if suffix in JSON_LINES else json_rows)(path, file.name, self._tally)

    def unnamed(self, files: list[InputFile]) -> Iterator[Record]:
        """Yield the picture files that no row has named."""
        for file in files:
            if (is_picture_name(file.last) or is_scan_name(file.last)) and file.key not in self._named:
                for record in self._shown(file):
                    self._tally.records += 1
                    yield record

    def _open(self, file: InputFile) -> Path:
        return self._how.scratch.path(file)

    def _shown(self, file: InputFile) -> Iterator[Record]:
        """Yield a record for the picture, or for each slice or frame."""
        for label, picture in self._pictures_of(file, file.name):
            yield Record(label, pictures=((label, picture),))

    def _pictures_of(self, file: InputFile, name: str) -> Iterator[tuple[str, PictureFile]]:
        if is_picture_name(file.last):
            yield name, file
            return
        try:
            for label, png in self._how.scans(self._open(file)):
                whole = f"{name}!{label}" if label else name
                yield whole, HeldPicture(whole, png, scratch=self._how.scratch)
        except UserError as error:
            self._tally.problem(name, error.what)

    def _rows(self, name: str, rows: Iterator[tuple[int, Any]]) -> Iterator[Record]:
        for number, row in rows:
            record = self._record(name, number, without_half_pairs(row))
            if record is None:
                self._tally.problem(f"{name}:{number}", "a row without text or picture")
            else:
                yield record

    def _record(self, file: str, number: int, row: Any) -> Record | None:
        if not isinstance(row, Mapping):
            text = "\n".join(strings(row))
            return Record(f"{file}:{number}", texts=(text,)) if text.strip() else None
        fields = self._fields
        row = fields.unpacked(row)
        identity = fields.identity(row)
        name = f"{file}:{number}#{identity}" if identity else f"{file}:{number}"
        choices = fields.choices(row)
        record = Record(
            name,
            fields.question(row),
            tuple(choices.values()),
            tuple(fields.answers(row, choices)),
            tuple(fields.texts(row)),
            tuple(self._pictures(file, name, row)),
            tuple(fields.exchanges(row)),
            fields.setting(row),
        )
        if record.pictures or record.whole.strip():
            return record
        longest = max(strings(row), key=len, default="")
        return Record(name, texts=(longest,)) if longest.strip() else None

    def _pictures(self, file: str, name: str, row: Mapping[str, Any]) -> Iterator[tuple[str, PictureFile]]:
        for number, (called, data) in enumerate(self._fields.pictures(row)):
            label = f"{name}!{called[:NAME_CHARACTERS] or number}"
            if data is not None:
                yield label, HeldPicture(label, data, self._again(row, data), self._how.scratch)
                continue
            found = self._find(file, called)
            if found is None:
                self._tally.problem(label, "the picture is missing")
            else:
                self._named.add(found.key)
                yield from self._pictures_of(found, label)

    def _find(self, table: str, called: str) -> InputFile | None:
        """Return the picture that a row names: beside the table, in the current folder, or by the end of its path."""
        for place in (Path(table).parent, Path()):
            if _is_file(place / called):
                return InputFile(str(place / called), place / called)
        wanted = PurePosixPath(called).parts
        ends = [
            file
            for file in self._pictures_by_name.get(PurePosixPath(called).name, [])
            if PurePosixPath(file.name).parts[-len(wanted) :] == wanted
        ]
        return min(ends, key=lambda file: (file.name.count("/"), file.name), default=None)

    def _again(self, row: Mapping[str, Any], data: bytes) -> Callable[[], bytes] | None:
        """Return what reads bytes of a Parquet row again, if they are the value of a column."""
        for name, column in self._columns.items():
            value = row[name]
            if data is (value.get("bytes") if isinstance(value, Mapping) else value):
                return partial(column.get, self._row)
        return None

    def _parquet(self, file: InputFile) -> Iterator[Record]:
        path = self._open(file)
        try:
            schema = parquet_schema(path)
            if file.last == "index.parquet" and {"image_id", "facts"} <= set(schema.names):
                return
            self._columns = {name: ParquetBytes(path, name) for name in schema.names}
            samples = (schema.metadata or {}).get(VERSION_KEY) == SCHEMA_VERSION.encode()
            for number, row in enumerate(whole_rows(path, MAX_ROW_BYTES)):
                self._row = number
                if isinstance(row, RowError):
                    self._tally.problem(f"{file.name}:{number + 1}", f"{row.reason.value}: {row.detail}")
                elif samples:
                    yield from self._sample_record(path, number + 1, row)
                else:
                    yield from self._rows(file.name, iter([(number + 1, row)]))
        except UserError as error:
            self._tally.problem(file.name, error.what.splitlines()[0].removeprefix(f"{path}: "))
        finally:
            self._columns = {}

    def _sample_record(self, path: Path, number: int, row: Row) -> Iterator[Record]:
        try:
            sample = from_row({name: row[name] for name in SAMPLE_SCHEMA.names})
        except (TypeError, KeyError):
            self._tally.problem(f"{path}:{number}", "a damaged row: it has not what every sample has")
            return
        yield self._sample(path, sample)

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


def _is_file(path: Path) -> bool:
    """Return whether there is such a file; of a name that no file system takes there is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _suffix(file: InputFile) -> str:
    """Return the suffix in lower case, without that of gzip."""
    name = file.last.lower()
    return PurePosixPath(name.removesuffix(".gz")).suffix


def _is_sample_part(file: InputFile) -> bool:
    return file.last.startswith("part-") and file.last.endswith(".parquet")


def _is_dicom(file: InputFile) -> bool:
    """Return whether a file of no known suffix has DICOM's mark: scanners name files as they like."""
    place, mark = DICOM_MARK
    return file.begins(place.stop)[place] == mark
