"""One pass over the rows of a source: each gets its id, is drafted, waits for its pictures, and is kept or refused."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from typing import ClassVar, Generic, TypeVar

from lingshu.core.calls import Calls
from lingshu.core.errors import AccountingError
from lingshu.core.images import ImageWriter
from lingshu.core.progress import count
from lingshu.core.sample import SampleWriter
from lingshu.core.verdicts import Verdict, VerdictWriter
from lingshu.intake.errors import DataError, Reason, RowError
from lingshu.intake.pictures import PictureFinder
from lingshu.intake.places import Files
from lingshu.intake.rows import Opened, data_rows, row_identity
from lingshu.intake.values import Row, printable
from lingshu.sources.catalog import SourceRecord
from lingshu.sources.forms import SourceForm
from lingshu.sources.params import RowParams
from lingshu.sources.row_summary import RowSummary
from lingshu.sources.samples import SampleMaker, revision_of
from lingshu.sources.seen import Seen
from lingshu.sources.stills import StillLimits

STEP = "normalize"
W = TypeVar("W")


class RowRun(ABC, Generic[W]):
    """What the passes share; `W` is a row that waits for its pictures, or what is wrong with it.

    Writers are set before `go`. `waiting` is how many rows of each worker are held: enough to keep it busy. `part` is
    how many calls a task of Ray makes, so that its own cost is small beside theirs.
    """

    images: ImageWriter
    samples: SampleWriter
    verdicts: VerdictWriter
    waiting: ClassVar[int]
    part: ClassVar[int]

    def __init__(
        self, name: str, record: SourceRecord, source: Opened[SourceForm], files: Files, params: RowParams
    ) -> None:
        self._name, self._record, self._files, self._source = name, record, files, source
        spec = source.form.pictures
        tables = [table.name for table in source.tables]
        self._finder = PictureFinder(files, spec, tables) if spec and not spec.embedded else None
        self._maker = SampleMaker(name, record, source.form, revision_of(record))
        self._limits = StillLimits(params.max_side_px, params.max_megapixels * 1_000_000, params.max_picture_mb << 20)
        self._max_row_bytes = params.max_row_mb << 20
        self._ids = Seen()
        self._read: set[str] = set()
        self.summary = RowSummary(name, source.form.name, source.form.checked)

    def go(self, calls: Calls) -> None:
        """Read all rows; each is kept or refused, in order."""
        waiting: deque[W] = deque()
        for row in count(self._rows(calls), f"{STEP} {self._name}"):
            waiting.append(row)
            if len(waiting) >= self.waiting * calls.workers:
                self._finish(waiting.popleft())
        while waiting:
            self._finish(waiting.popleft())
        self.summary.pictures_stored = self.images.stored
        self.summary.unknown_kinds = self._maker.unknown_kinds
        tables = (printable(table.name) for table in self._source.tables)
        self.summary.empty = [table for table in tables if table not in self._read]
        self.summary.elsewhere = sorted(map(printable, self._finder.elsewhere)) if self._finder else []
        if self.summary.rows != self.summary.kept + self.summary.refused.total():
            raise AccountingError(f"{STEP} {self._name}: {self.summary.rows} rows in, not all kept or refused")

    def _rows(self, calls: Calls) -> Iterator[W]:
        for default, raw in data_rows(self._source, self._max_row_bytes):
            self._read.add(raw.file)
            self.summary.rows += 1
            identity = default
            try:
                if isinstance(raw.values, RowError):
                    raise raw.values
                identity = row_identity(self._source.form, default, raw.values)
                if not self._ids.add(identity):
                    raise RowError(Reason.DUPLICATE_ID, identity)
                row = self._drafted(raw.where, identity, raw.values, calls)
            except RowError as error:
                yield self._broken(DataError(raw.where, identity, error.reason, error.detail))
                continue
            yield row

    def _refuse(self, error: DataError) -> None:
        self.summary.refuse(error)
        detail = f"{error.where}: {error.detail}"
        self.verdicts.add(Verdict(error.id, self._name, STEP, False, error.reason.name, detail=detail))

    @abstractmethod
    def _drafted(self, where: str, identity: str, row: Row, calls: Calls) -> W:
        """Return a row whose pictures are being read, or raise a `RowError`."""

    @abstractmethod
    def _broken(self, error: DataError) -> W:
        """Return a row that is refused when its turn comes."""

    @abstractmethod
    def _finish(self, row: W) -> None:
        """Write what a row gives, or the verdict on it."""
