"""Normalizing a source of rows: tables in one of its forms into samples and pictures, written as they are read.

Rows in = kept + refused by reason, or it fails. What is held in memory does not grow with the number of rows, but for a
16-byte digest of each row's id and each picture.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from lingshu.core.errors import AccountingError, UserError
from lingshu.core.files import fresh_dir
from lingshu.core.images import ImageWriter
from lingshu.core.manifest import write_manifest
from lingshu.core.progress import count
from lingshu.core.sample import SPLITS, ImageRef, Sample, SampleWriter
from lingshu.core.verdicts import Verdict, VerdictWriter
from lingshu.intake.errors import DataError, Reason, RowError
from lingshu.intake.pictures import FoundPicture, PictureFinder, row_pictures
from lingshu.intake.places import Files
from lingshu.intake.rows import Opened, data_rows, find_source
from lingshu.sources.catalog import SourceRecord
from lingshu.sources.forms import SourceForm
from lingshu.sources.params import RowParams
from lingshu.sources.row_summary import RowSummary
from lingshu.sources.samples import SampleMaker
from lingshu.sources.stills import Still, StillLimits, read_still

STEP = "normalize"
ROWS_WAITING = 64  # of each thread: enough to keep it busy, and all that is held in memory
PICTURES_KNOWN = 100_000  # that are told by name; one seen longer ago is read again, and not stored twice


@dataclass(slots=True)
class Waiting:
    """A row whose pictures are being read: where it is, its id, and its sample or what is wrong with it."""

    where: str
    identity: str
    draft: Sample | RowError
    pictures: Sequence[FoundPicture] = ()
    stills: list[Future[Still] | Still] = field(default_factory=list)


def normalize_rows(
    name: str,
    record: SourceRecord,
    files: Files,
    *,
    params: RowParams,
    samples: Path,
    images: Path,
    accept_rows: bool = False,
    threads: int = 1,
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
        threads: that read and check pictures; the result does not depend on it.

    Raises:
        UserError: no form's files are there, a file can't be read, not a single row could be used, or the number of
            rows is not the record's.
    """
    source = open_form(name, record, files)
    run = _Run(name, record, source, files, params)
    with ExitStack() as stack:
        new_images, new_samples = (stack.enter_context(_replaced(folder)) for folder in (images, samples))
        with ExitStack() as writing:
            pool = writing.enter_context(ThreadPoolExecutor(threads))
            writing.callback(pool.shutdown, wait=True, cancel_futures=True)
            run.images = writing.enter_context(ImageWriter(new_images))
            run.samples = writing.enter_context(SampleWriter(new_samples))
            run.verdicts = writing.enter_context(VerdictWriter(new_samples / "verdicts.parquet"))
            run.go(pool, threads)
        _check(name, run.summary, record, source.form, accept_rows=accept_rows)
        write_manifest(new_images, STEP, run.summary.pictures_stored)
        write_manifest(new_samples, STEP, run.summary.kept, dict(run.summary.splits))
    return run.summary


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


def open_form(name: str, record: SourceRecord, files: Files) -> Opened[SourceForm]:
    """Return the first form of the record whose files are all there.

    Raises:
        UserError: there is none (the forms are listed), or a file that completes rows is broken.
    """
    if (source := find_source(files, record.forms)) is not None:
        return source
    forms = "\n  ".join(
        f"{form.name}: {' and '.join((*form.tables, *(t for join in form.joins for t in join.tables)))}"
        for form in record.forms
    )
    brought = "".join(f"; {place.bring}" for place in record.places if place.bring)
    raise UserError(
        f"{name}: {files.label} has the files of no known form:\n  {forms}",
        f"give a folder that holds the files of one form{brought}",
    )


def revision_of(record: SourceRecord) -> str:
    """Return the pinned revisions of a record's places or packages, joined; `unpinned` where there are none."""
    found = [place.revision or place.physionet or place.sha256[:12] for place in record.places]
    found += [package.label for package in record.packages]
    return ", ".join(filter(None, found)) or "unpinned"


class _Run:
    """One pass over the rows."""

    images: ImageWriter
    samples: SampleWriter
    verdicts: VerdictWriter

    def __init__(
        self, name: str, record: SourceRecord, source: Opened[SourceForm], files: Files, params: RowParams
    ) -> None:
        self._name = name
        self._source = source
        spec = source.form.pictures
        self._finder = PictureFinder(files, spec) if spec and not spec.embedded else None
        self._maker = SampleMaker(name, record, source.form, revision_of(record))
        self._limits = StillLimits(params.max_side_px, params.max_megapixels * 1_000_000, params.max_picture_mb << 20)
        self._array = spec.array if spec else ""
        self._max_row_bytes = params.max_row_mb << 20
        self._ids: set[int] = set()
        self._known: OrderedDict[str, Future[Still] | Still] = OrderedDict()
        self._noted: set[int] = set()
        self._groups: dict[int, int] = {}
        self.summary = RowSummary(name, source.form.name, source.form.checked)

    def go(self, pool: ThreadPoolExecutor, threads: int) -> None:
        """Read all rows; each is kept or refused, in order."""
        waiting: deque[Waiting] = deque()
        for row in count(self._rows(pool), f"{STEP} {self._name}"):
            waiting.append(row)
            if len(waiting) >= ROWS_WAITING * threads:
                self._finish(waiting.popleft())
        while waiting:
            self._finish(waiting.popleft())
        self.summary.pictures_stored = self.images.stored
        self.summary.unknown_kinds = self._maker.unknown_kinds
        if self.summary.rows != self.summary.kept + self.summary.refused.total():
            raise AccountingError(f"{STEP} {self._name}: {self.summary.rows} rows in, not all kept or refused")

    def _rows(self, pool: ThreadPoolExecutor) -> Iterator[Waiting]:
        for default, raw in data_rows(self._source, self._max_row_bytes):
            self.summary.rows += 1
            identity = default
            try:
                if isinstance(raw.values, RowError):
                    raise raw.values
                identity = self._maker.identity(default, raw.values)
                if not _add(self._ids, identity):
                    raise RowError(Reason.DUPLICATE_ID, identity)
                pictures = row_pictures(self._source.form.pictures, raw.values, self._finder)
                draft = self._maker.draft(identity, raw.values, pictures)
            except RowError as error:
                yield Waiting(raw.where, identity, error)
                continue
            yield Waiting(raw.where, identity, draft, pictures, [self._still(pool, picture) for picture in pictures])

    def _still(self, pool: ThreadPoolExecutor, picture: FoundPicture) -> Future[Still] | Still:
        """Return a picture that is being read, or was; each is read once while it is known."""
        known = self._known.get(picture.name)
        if known is None:
            known = self._known[picture.name] = pool.submit(read_still, picture, self._limits, self._array)
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
            self._refuse(row, error)
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
        if _add(self._noted, f"{picture.name}\n{sample.split}\n{sample.group_id}"):
            self.images.add(self._maker.picture(still, picture, sample), still.image_id)
        if self.images.stored > before:
            self.summary.picture_bytes += len(still.data)
            self.summary.pictures_changed.update([still.changed] if still.changed else [])
        if still.data and picture.name in self._known:
            self._known[picture.name] = replace(still, data=b"")

    def _note_group(self, sample: Sample) -> None:
        """Count groups that several splits hold; each once."""
        group = _number(sample.group_id)
        splits = self._groups.get(group, 0) | 1 << SPLITS.index(sample.split)
        if splits.bit_count() == 2 and self._groups[group].bit_count() == 1:
            self.summary.groups_cut += 1
        self._groups[group] = splits

    def _refuse(self, row: Waiting, error: RowError) -> None:
        for picture in row.pictures:
            known = self._known.get(picture.name)
            if isinstance(known, Future) and not (known.done() and known.exception()):
                del self._known[picture.name]  # its bytes were not stored: a row that needs them reads them again
        self.summary.refuse(DataError(row.where, row.identity, error.reason, error.detail))
        detail = f"{row.where}: {error.detail}"
        self.verdicts.add(Verdict(row.identity, self._name, STEP, False, error.reason.name, detail=detail))


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest(), "big")


def _add(known: set[int], text: str) -> bool:
    """Add a text's digest to the set; return whether it is new."""
    before = len(known)
    known.add(_number(text))
    return len(known) > before


def _check(name: str, summary: RowSummary, record: SourceRecord, form: SourceForm, *, accept_rows: bool) -> None:
    """Raise a `UserError` if nothing could be used, or if rows are missing or too many."""
    if summary.refused and not summary.kept:
        shown = "\n  ".join(summary.lines(detailed=record.access == "open")[1:])
        raise UserError(
            f"{name}: none of {summary.rows} rows could be used:\n  {shown}",
            "mend what is named above; pictures lie beside the tables, or in the archive that the record names",
        )
    expected = form.expected_rows or record.expected.rows
    if not accept_rows and expected and summary.rows != expected:
        raise UserError(
            f"{name}: {summary.rows} rows in the files ({form.name}), {expected} in the record "
            f"({record.expected.known})",
            "get all files, or accept the number of rows (--accept-rows, or sources.rows.accept_rows in params.yaml)",
        )
