"""Normalizing a raw imaging source: each row into pictures with facts, and a short caption of each for later steps.

The caption states what the vocabulary's facts say; it is the first of the paper's five stages of a long caption
(section 2.2.1, metadata preparation). Labels and boxes stay facts until synthesis uses them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from lingshu.core.calls import Calls, Later
from lingshu.core.images import Picture
from lingshu.core.sample import Split
from lingshu.intake.carried import carried
from lingshu.intake.errors import DataError, RowError
from lingshu.intake.pictures import row_pictures
from lingshu.intake.values import Row
from lingshu.sources.adapters.spoken import said_or_empty
from lingshu.sources.labelled import Shot, shots
from lingshu.sources.picture_rows import PictureRows
from lingshu.sources.row_run import RowRun
from lingshu.sources.samples import revision_of
from lingshu.sources.told import told_by


@dataclass(frozen=True, slots=True)
class Drafted:
    """A row that named its pictures: what they share."""

    where: str
    identity: str
    split: Split
    group: str
    licence: str


Waiting = DataError | tuple[Drafted, Later[list[Shot]]]


class LabelledRun(RowRun[Waiting]):
    """One pass over the rows of a form `labels`."""

    waiting = 4  # a row may be a volume with all its slices
    part = 1

    def _drafted(self, where: str, identity: str, row: Row, calls: Calls) -> Waiting:
        annotations = self._source.form.annotations
        assert annotations is not None
        pictures: Sequence[Any] = row_pictures(self._source.form.pictures, row, self._finder)
        group = self._maker.group(identity, row)
        licence = said_or_empty(row, self._source.form.licence) or self._record.licence
        drafted = Drafted(where, identity, self._maker.split(row), group, licence)
        told = told_by(row, annotations, self._files)
        if calls.elsewhere:
            most = self._limits.max_bytes
            told, pictures = told.carried(most), [carried(picture, most) for picture in pictures]
        return drafted, calls.submit(shots, told, pictures, annotations, self._limits)

    def _broken(self, error: DataError) -> Waiting:
        return error

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
        rows = PictureRows.of(picture, revision_of(self._record))
        before = self.images.stored
        self.images.add(picture, rows.image.image_id)
        if self.images.stored > before:
            self.summary.picture_bytes += len(shot.data)
            self.summary.pictures_changed.update([shot.changed] if shot.changed else [])
        caption = replace(rows.caption(), split=drafted.split, access=self._record.access)
        self.samples.add(caption)
        self.summary.tasks[caption.task] += 1
