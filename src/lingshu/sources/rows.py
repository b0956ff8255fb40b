"""Normalizing a source of rows: tables in one of its forms into samples and pictures, written as they are read.

Rows in = kept + refused by reason, or it fails. What is held in memory does not grow with the number of rows, but for a
16-byte digest of each row's id and each picture.
"""

from __future__ import annotations

import re
import shutil
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from lingshu.core.calls import Calls, Later, calls_by
from lingshu.core.errors import UserError
from lingshu.core.files import fresh_dir
from lingshu.core.images import ImageWriter
from lingshu.core.manifest import write_manifest
from lingshu.core.parallel import ALONE, Workers
from lingshu.core.sample import SPLITS, ImageRef, Sample, SampleWriter
from lingshu.core.verdicts import VerdictWriter
from lingshu.intake.archive_files import ARCHIVE_ENDINGS
from lingshu.intake.carried import carried
from lingshu.intake.counting import told
from lingshu.intake.errors import DataError, RowError
from lingshu.intake.pictures import FoundPicture, row_pictures
from lingshu.intake.places import Files
from lingshu.intake.rows import Opened, files_of, find_source
from lingshu.intake.values import Row, printable
from lingshu.sources.catalog import SourceRecord
from lingshu.sources.forms import SourceForm
from lingshu.sources.labelled_rows import LabelledRun
from lingshu.sources.params import RowParams
from lingshu.sources.row_run import STEP, RowRun
from lingshu.sources.row_summary import RowSummary
from lingshu.sources.seen import Seen, number
from lingshu.sources.stills import Still, read_still

NAMES_SHOWN = 5
SHARD = re.compile(r"(?P<set>.*)-(?P<number>\d{5})-of-(?P<of>\d{5})\b.*")  # the hub's names of parts
PICTURES_KNOWN = 100_000  # that are told by name; one seen longer ago is read again, and not stored twice


@dataclass(slots=True)
class Waiting:
    """A row whose pictures are being read: where it is, its id, and its sample or what is wrong with it."""

    where: str
    identity: str
    draft: Sample | RowError
    pictures: Sequence[FoundPicture] = ()
    stills: list[Later[Still] | Still] = field(default_factory=list)


def normalize_rows(
    name: str,
    record: SourceRecord,
    files: Files,
    *,
    params: RowParams,
    samples: Path,
    images: Path,
    accept_rows: bool = False,
    workers: Workers = ALONE,
    beside: Files | None = None,
) -> RowSummary:
    """Write samples with verdicts to `samples`, and pictures to `images`; return what was found.

    Args:
        name: of the source.
        record: its record.
        files: holds the files of one of the record's forms.
        params: limits of rows and pictures.
        samples: folder that gets `part-NNNNN.parquet` and `verdicts.parquet`; emptied first.
        images: folder that gets shards and index; emptied first.
        accept_rows: go on although the number of rows is not the record's.
        workers: who reads and checks pictures: threads, or a Ray cluster; the result does not depend on it.
        beside: holds tables of this project that complete rows (lists of splits).

    Raises:
        UserError: no form's files are there, a file can't be read, not a single row could be used, the number of rows
            is not the record's, or with engine ray the cluster can't be reached or lost a part for good.
    """
    source = open_form(name, record, files, beside)
    run: _Run | LabelledRun = (
        LabelledRun(name, record, source, files, params)
        if source.form.adapter == "labels"
        else _Run(name, record, source, files, params)
    )
    with ExitStack() as stack:
        new_images, new_samples = (stack.enter_context(_replaced(folder)) for folder in (images, samples))
        _go(run, new_images, new_samples, workers)
        run.summary.left = [printable(left) for left in source.left]
        run.summary.absent = absent_parts([t.name for t in source.tables])
        _check(name, run.summary, record, source, accept_rows=accept_rows)
        write_manifest(new_images, STEP, run.summary.pictures_stored)
        write_manifest(new_samples, STEP, run.summary.kept, dict(run.summary.splits))
    return run.summary


def _go(run: _Run | LabelledRun, images: Path, samples: Path, workers: Workers) -> None:
    """Read all rows, and write what comes of them to the two folders."""
    with ExitStack() as writing:
        calls = writing.enter_context(calls_by(workers, run.part))
        run.images = writing.enter_context(ImageWriter(images))
        run.samples = writing.enter_context(SampleWriter(samples))
        run.verdicts = writing.enter_context(VerdictWriter(samples / "verdicts.parquet"))
        run.go(calls)


@contextmanager
def _replaced(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder` that takes its place if no error comes; what was there stays till then."""
    partial = fresh_dir(folder.with_name(f".{folder.name}.partial"))
    try:
        yield partial
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def open_form(name: str, record: SourceRecord, files: Files, beside: Files | None = None) -> Opened[SourceForm]:
    """Return the first form of the record whose files are all there.

    Raises:
        UserError: there is none (the forms are listed), a file that completes rows is broken, or the rows don't tell
            what the form leaves to them.
    """
    if (source := find_source(files, record.forms, beside)) is not None:
        gold = told(source, source.form.gold, source.form.choices)
        return replace(source, form=source.form.model_copy(update={"gold": gold}))
    forms = "\n  ".join(f"{form.name}: {files_of(form)}" for form in record.forms)
    names = files.match("**/*")
    packed = [name for name in names if name.lower().endswith(ARCHIVE_ENDINGS)]
    archive = f", or give the archive itself ({_some(packed)})" if packed else ""
    if any(name.endswith(".arrow") for name in names):
        archive += ", or put files of `save_to_disk` into a folder called as their split is (train, validation, test)"
    brought = "".join(f"; {place.bring}" for place in record.places if place.bring)
    raise UserError(
        f"{name}: {files.label} holds {_some(names)}, the files of no known form:\n  {forms}",
        f"give a folder that holds the files of one form{archive}{brought}",
    )


def _some(names: Sequence[str]) -> str:
    """Return the first names of many, for messages."""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more or "no file at all"


class _Run(RowRun[Waiting]):
    """One pass over rows that are samples."""

    waiting = 64
    part = 16

    def __init__(
        self, name: str, record: SourceRecord, source: Opened[SourceForm], files: Files, params: RowParams
    ) -> None:
        super().__init__(name, record, source, files, params)
        self._array = source.form.pictures.array if source.form.pictures else ""
        self._known: OrderedDict[str, Later[Still] | Still] = OrderedDict()
        self._noted = Seen()
        self._groups: dict[int, int] = {}

    def _drafted(self, where: str, identity: str, row: Row, calls: Calls) -> Waiting:
        pictures = row_pictures(self._source.form.pictures, row, self._finder)
        draft = self._maker.draft(identity, row, pictures)
        return Waiting(where, identity, draft, pictures, [self._still(calls, picture) for picture in pictures])

    def _broken(self, error: DataError) -> Waiting:
        return Waiting(error.where, error.id, RowError(error.reason, error.detail))

    def _still(self, calls: Calls, picture: FoundPicture) -> Later[Still] | Still:
        """Return a picture that is being read, or was; each is read once while it is known."""
        known = self._known.get(picture.name)
        if known is None:
            sent = carried(picture, self._limits.max_bytes) if calls.elsewhere else picture
            known = self._known[picture.name] = calls.submit(read_still, sent, self._limits, self._array)
            if len(self._known) > PICTURES_KNOWN:
                self._known.popitem(last=False)
        return known

    def _finish(self, row: Waiting) -> None:
        """Write a row's sample and pictures, or the verdict on it."""
        try:
            if isinstance(row.draft, RowError):
                raise row.draft
            stills = [still if isinstance(still, Still) else still.result() for still in row.stills]
        except RowError as error:
            self._forget(row)
            self._refuse(DataError(row.where, row.identity, error.reason, error.detail))
            return
        refs = [ImageRef(still.image_id, still.width, still.height) for still in stills]
        sample = self._maker.finished(row.draft, refs)
        for picture, still in zip(row.pictures, stills, strict=True):
            self._store(picture, still, sample)
        self.samples.add(sample)
        self.summary.splits[sample.split] += 1
        self.summary.tasks[sample.task] += 1
        self._note_group(sample)

    def _store(self, picture: FoundPicture, still: Still, sample: Sample) -> None:
        """Store a picture that is new, note one that is used by another split or group, and let its bytes go."""
        before = self.images.stored
        if self._noted.add(f"{picture.name}\n{sample.split}\n{sample.group_id}"):
            self.images.add(self._maker.picture(still, picture, sample), still.image_id)
        if self.images.stored > before:
            self.summary.picture_bytes += len(still.data)
            self.summary.pictures_changed.update([still.changed] if still.changed else [])
        if still.data and picture.name in self._known:
            self._known[picture.name] = replace(still, data=b"")

    def _note_group(self, sample: Sample) -> None:
        """Count groups that several splits hold; each once."""
        group = number(sample.group_id)
        splits = self._groups.get(group, 0) | 1 << SPLITS.index(sample.split)
        if splits.bit_count() == 2 and self._groups[group].bit_count() == 1:
            self.summary.groups_cut += 1
        self._groups[group] = splits

    def _forget(self, row: Waiting) -> None:
        """Forget pictures whose bytes were not stored: a row that needs them reads them again."""
        for picture in row.pictures:
            known = self._known.get(picture.name)
            if known is not None and not isinstance(known, Still) and not known.failed():
                del self._known[picture.name]


def absent_parts(names: Sequence[str]) -> list[str]:
    """Return the sets of files of which parts are missing, by their own names (`train-00000-of-00003.parquet`)."""
    numbers: dict[tuple[str, int], set[str]] = defaultdict(set)
    for found in filter(None, map(SHARD.fullmatch, names)):
        numbers[found["set"], int(found["of"])].add(found["number"])
    return [f"{part} ({len(there)} of {of} files)" for (part, of), there in sorted(numbers.items()) if len(there) < of]


def _check(
    name: str, summary: RowSummary, record: SourceRecord, source: Opened[SourceForm], *, accept_rows: bool
) -> None:
    """Note the record's number of rows; raise a `UserError` if nothing could be used, or if it is another."""
    form = source.form
    if not summary.rows:
        raise UserError(f"{name}: no row in {_some([table.name for table in source.tables])}", "get the files again")
    if not accept_rows and summary.absent:
        raise UserError(
            f"{name}: parts are missing: {', '.join(summary.absent)}",
            "get all files, or accept this number (leave out --whole; sources.rows.accept_rows in params.yaml)",
        )
    if summary.refused and not summary.kept:
        shown = "\n  ".join(summary.lines(detailed=record.access == "open")[1:])
        raise UserError(
            f"{name}: none of {summary.rows} rows could be used:\n  {shown}",
            "mend what is named above; pictures lie beside the tables, or in the archive that the record names",
        )
    summary.expected, summary.known = form.expected_rows or record.expected.rows, record.expected.known
    if not accept_rows and summary.expected and summary.rows != summary.expected:
        raise UserError(
            f"{name}: {summary.rows} rows in the files ({form.name}), {summary.expected} in the record "
            f"({summary.known})",
            "get all files, or accept this number (leave out --whole; sources.rows.accept_rows in params.yaml)",
        )
