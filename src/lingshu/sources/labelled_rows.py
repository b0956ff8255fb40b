"""Normalizing a raw imaging source: each row into pictures with facts, and a short caption of each for later steps.

The caption states what the vocabulary's facts say; it is the first of the paper's five stages of a long caption
(section 2.2.1, metadata preparation). Labels and boxes stay facts until synthesis uses them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from lingshu.core.errors import AccountingError
from lingshu.core.images import ImageWriter, Picture
from lingshu.core.progress import count
from lingshu.core.sample import SampleWriter, Split
from lingshu.core.verdicts import Verdict, VerdictWriter
from lingshu.intake.errors import DataError, Reason, RowError
from lingshu.intake.pictures import FoundPicture, PictureFinder, row_pictures
from lingshu.intake.places import Files
from lingshu.intake.rows import Opened, data_rows
from lingshu.intake.values import Row
from lingshu.sources.adapters.spoken import said_or_empty
from lingshu.sources.catalog import SourceRecord
from lingshu.sources.forms import SourceForm
from lingshu.sources.labelled import Shot, shots
from lingshu.sources.params import RowParams
from lingshu.sources.picture_rows import PictureRows
from lingshu.sources.row_summary import RowSummary
from lingshu.sources.samples import SampleMaker, revision_of
from lingshu.sources.seen import Seen
from lingshu.sources.stills import StillLimits

STEP = "normalize"
ROWS_WAITING = 4  # of each thread: a row may be a volume with all its slices


@dataclass(frozen=True, slots=True)
class Drafted:
    """A row that named its pictures: what they share."""

    where: str
    identity: str
    row: Row
    pictures: Sequence[FoundPicture]
    split: Split
    group: str
    licence: str


Waiting = DataError | tuple[Drafted, Future[list[Shot]]]


class LabelledRun:
    """One pass over the rows of a form `labels`; writers are set before `go`."""

    images: ImageWriter
    samples: SampleWriter
    verdicts: VerdictWriter

    def __init__(
        self, name: str, record: SourceRecord, source: Opened[SourceForm], files: Files, params: RowParams
    ) -> None:
        self._name, self._record, self._files, self._revision = name, record, files, revision_of(record)
        self._source = source
        spec = source.form.pictures
        self._finder = PictureFinder(files, spec) if spec and not spec.embedded else None
        self._maker = SampleMaker(name, record, source.form, self._revision)
        self._limits = StillLimits(params.max_side_px, params.max_megapixels * 1_000_000, params.max_picture_mb << 20)
        self._max_row_bytes = params.max_row_mb << 20
        self._ids = Seen()
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
                if not self._ids.add(identity):
                    raise RowError(Reason.DUPLICATE_ID, identity)
                drafted = self._drafted(raw.where, identity, raw.values)
            except RowError as error:
                yield DataError(raw.where, identity, error.reason, error.detail)
                continue
            yield drafted, pool.submit(self._shots, drafted)

    def _drafted(self, where: str, identity: str, row: Row) -> Drafted:
        pictures = row_pictures(self._source.form.pictures, row, self._finder)
        group = self._maker.group(identity, row)
        licence = said_or_empty(row, self._source.form.licence) or self._record.licence
        return Drafted(where, identity, row, pictures, self._maker.split(row), group, licence)

    def _shots(self, drafted: Drafted) -> list[Shot]:
        annotations = self._source.form.annotations
        assert annotations is not None
        return list(shots(drafted.row, drafted.pictures, annotations, self._files, self._limits))

    def _finish(self, row: Waiting) -> None:
        """Write a row's pictures and captions, or the verdict on it."""
        if isinstance(row, DataError):
            self._refuse(row)
            return
        drafted, made = row
        try:
            found = made.result()
        except RowError as error:
            self._refuse(DataError(drafted.where, drafted.identity, error.reason, error.detail))
            return
        for shot in found:
            self._store(drafted, shot)
        self.summary.splits[drafted.split] += 1

    def _store(self, drafted: Drafted, shot: Shot) -> None:
        picture = Picture(
            data=shot.data,
            format=shot.format,
            width=shot.width,
            height=shot.height,
            source=self._name,
            origin_id=f"{drafted.identity}{shot.part}",
            group_id=drafted.group,
            split=drafted.split,
            licence=drafted.licence,
            facts=shot.facts,
        )
        rows = PictureRows.of(picture, self._revision)
        before = self.images.stored
        self.images.add(picture, rows.image.image_id)
        if self.images.stored > before:
            self.summary.picture_bytes += len(shot.data)
            self.summary.pictures_changed.update([shot.changed] if shot.changed else [])
        caption = replace(rows.caption(), split=drafted.split, access=self._record.access)
        self.samples.add(caption)
        self.summary.tasks[caption.task] += 1

    def _refuse(self, error: DataError) -> None:
        self.summary.refuse(error)
        detail = f"{error.where}: {error.detail}"
        self.verdicts.add(Verdict(error.id, self._name, STEP, False, error.reason.name, detail=detail))
