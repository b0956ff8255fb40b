"""Every overlap of training data with benchmarks: the benchmarks are held as indexes, the training data is streamed.

Memory is set by the benchmarks' side and by one batch of training rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType

from lingshu.core.errors import UserError
from lingshu.core.parallel import Workers
from lingshu.core.question import PictureFile
from lingshu.decontam.crew import Crew
from lingshu.decontam.picture_index import PictureIndex, PictureRule
from lingshu.decontam.prints import PicturePrint, Unreadable, picture_print
from lingshu.decontam.reading import HeldPicture
from lingshu.decontam.records import Pair, Record, Tally
from lingshu.decontam.text_index import LISTED, TextIndex, TextRule

RECORDS_A_BATCH = 1024
BYTES_A_BATCH = 256 << 20  # of pictures that rows hold
PICTURES_A_PART = 16  # of the work

Work = Callable[[bytes | Unreadable], PicturePrint | Unreadable]


@dataclass(frozen=True, slots=True)
class Input:
    """Records of one side under the label that the matrix counts them by, and what could not be read of them."""

    label: str
    records: Iterable[Record]
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Pictures by name, and the place of each one's owner in some list of records."""

    names: list[str]
    files: list[PictureFile]
    owners: list[int]
    prints: list[PicturePrint]


class Comparison:
    """Benchmarks to compare training data with.

    Args:
        against: their inputs, read whole.
        pictures: when two pictures overlap.
        texts: when two texts overlap.
        processes: that decode pictures.
    """

    def __init__(self, against: Sequence[Input], pictures: PictureRule, texts: TextRule, processes: int = 1) -> None:
        self._rule = pictures
        self._crew = Crew(Workers(processes=processes))
        self._items: list[Record] = []
        self._labels: list[str] = []
        self._shown = _Shown([], [], [], [])
        for given in against:
            for batch in _batches(given.records):
                self._add(batch, given)
        self._holders, unlisted = _holders(self._shown, self._labels)
        first = [places[0] for places in self._holders]
        prints, files = [self._shown.prints[place] for place in first], [self._shown.files[place] for place in first]
        self._pictures = PictureIndex(prints, files, pictures)
        self._texts = TextIndex(self._items, texts, self._labels)
        self.templates = self._texts.templates
        self.unlisted = unlisted + self._texts.unlisted

    def __enter__(self) -> Comparison:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._crew.__exit__(kind, error, trace)

    def pairs(self, train: Input) -> Iterator[tuple[Pair, str]]:
        """Yield the overlaps of one input with all benchmarks, and the label of the benchmark of each, in order."""
        for batch in _batches(train.records):
            yield from self._picture_pairs(batch, train.tally)
            train.tally.texts += sum(bool(record.whole) for record in batch)
            for hit in self._texts.hits(batch):
                names = batch[hit.train].name, self._items[hit.item].name
                yield Pair(*names, "text", hit.method, hit.distance), self._labels[hit.item]

    def _add(self, batch: list[Record], given: Input) -> None:
        shown = _shown(batch, given.tally, partial(_print, crops=self._rule.crops, indexed=True), self._crew)
        self._shown.names.extend(shown.names)
        self._shown.files.extend(shown.files)
        self._shown.prints.extend(shown.prints)
        self._shown.owners.extend(len(self._items) + owner for owner in shown.owners)
        for file in shown.files:
            if isinstance(file, HeldPicture):
                file.release()
        given.tally.texts += sum(bool(record.whole) for record in batch)
        self._items += batch
        self._labels += [given.label] * len(batch)

    def _picture_pairs(self, batch: list[Record], tally: Tally) -> Iterator[tuple[Pair, str]]:
        shown = _shown(batch, tally, partial(_print, crops=self._rule.crops, indexed=False), self._crew)
        for name, hits in zip(shown.names, self._pictures.hits(shown.prints, self._crew), strict=True):
            for hit in hits:
                for place in self._holders[hit.picture]:
                    other, label = self._shown.names[place], self._labels[self._shown.owners[place]]
                    yield Pair(name, other, "image", hit.method, float(hit.distance)), label


def _holders(shown: _Shown, labels: Sequence[str]) -> tuple[list[list[int]], int]:
    """Return for each distinct picture its places, and how many places are left out.

    Many questions are asked of one picture; of more than `LISTED` of a benchmark the first are kept.
    """
    places: dict[str, list[int]] = {}
    seen: Counter[tuple[str, str]] = Counter()
    for place, (one, owner) in enumerate(zip(shown.prints, shown.owners, strict=True)):
        seen[one.digest, labels[owner]] += 1
        if seen[one.digest, labels[owner]] <= LISTED:
            places.setdefault(one.digest, []).append(place)
    return list(places.values()), sum(max(0, count - LISTED) for count in seen.values())


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    held = 0
    for record in records:
        batch.append(record)
        held += sum(len(file.data or b"") for _, file in record.pictures if isinstance(file, HeldPicture))
        if len(batch) >= RECORDS_A_BATCH or held >= BYTES_A_BATCH:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _shown(records: Sequence[Record], tally: Tally, work: Work, crew: Crew) -> _Shown:
    """Return the pictures of records that can be read; each of the others is noted in the tally."""
    shown = _Shown([], [], [], [])
    places = [(place, name, file) for place, record in enumerate(records) for name, file in record.pictures]
    found = crew.in_order(work, (_bytes(file) for _, _, file in places), PICTURES_A_PART)
    for (place, name, file), result in zip(places, found, strict=True):
        if isinstance(result, Unreadable):
            tally.problem(name, result.reason)
            continue
        tally.pictures += 1
        shown.names.append(name)
        shown.files.append(file)
        shown.owners.append(place)
        shown.prints.append(result)
    return shown


def _bytes(file: PictureFile) -> bytes | Unreadable:
    try:
        return file.read()
    except UserError as error:
        return Unreadable(error.what)


def _print(data: bytes | Unreadable, *, crops: bool, indexed: bool) -> PicturePrint | Unreadable:
    return data if isinstance(data, Unreadable) else picture_print(data, crops=crops, indexed=indexed)
