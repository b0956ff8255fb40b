"""What the gate kept, as columns of numbers in order of preference: some 100 bytes a row, whatever the texts' length.

What it put aside for its text alone comes last.

Texts stay on disk and are read a batch at a time. Importing this module imports numba.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lingshu.core.errors import UserError
from lingshu.core.layout import SAMPLES, SIGNALS, verdict_file
from lingshu.core.tables import sample_batches
from lingshu.core.verdicts import kept, put_aside
from lingshu.dedup.keys import KeyIndex, joined_keys, string_keys

SIGNALS_A_BATCH = 1 << 16
NAMES = ("sample_id", "source", "group_id", "task")


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows, the one to keep first first: by the reliability of the source, then group_id and sample_id.

    Those that the gate put aside come behind all that it kept, so that none of these is dropped for one of them.

    Attributes:
        passed: how many the gate kept; the others were put aside for their text.
        names: columns sample_id, source, group_id, task.
        groups: number of (source, group_id), shape (rows,), int64.
        content: 128 bits of pictures and text, shape (rows, 2).
        hashes: perceptual hashes of all pictures; those of row i are `hashes[offsets[i]:offsets[i + 1]]`.
        offsets: shape (rows + 1,), int64.
        pictures: key of each picture's id, as `hashes`; shape (pictures, 2).
        places: for each source the row of each of its samples in path and row order, -1 for what is no row.
        root: folder of the project.
    """

    passed: int
    names: pl.DataFrame
    groups: NDArray[np.int64]
    content: NDArray[np.uint64]
    hashes: NDArray[np.uint64]
    offsets: NDArray[np.int64]
    pictures: NDArray[np.uint64]
    places: dict[str, NDArray[np.int64]]
    root: Path

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.groups)

    def texts(self, wanted: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.int64], pl.Series]]:
        """Yield batches of wanted rows and their texts (prompt, choices and answer), in no order.

        Args:
            wanted: shape (rows,).
        """
        for source, places in self.places.items():
            if not wanted[places[places >= 0]].any():
                continue
            start = 0
            for batch in sample_batches([self.root / SAMPLES / source], ["prompt", "choices", "answer"]):
                here = places[start : start + len(batch)]
                start += len(batch)
                chosen = np.flatnonzero((here >= 0) & wanted[here])
                text = pl.concat_str("prompt", "choices", "answer", separator="\n")
                yield here[chosen], batch[chosen].select(text)["prompt"]


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows of one source in order of preference, as `Rows`; `places` count from 0, `aside` says which were."""

    aside: NDArray[np.bool_]
    names: pl.DataFrame
    content: NDArray[np.uint64]
    hashes: NDArray[np.uint64]
    counts: NDArray[np.int64]
    pictures: NDArray[np.uint64]
    places: NDArray[np.int64]


def read_rows(sources: Sequence[str], reliability: Sequence[str], root: Path) -> Rows:
    """Return what the gate kept of the sources.

    Raises:
        UserError: a source has no place in `reliability`, or a sample or picture was not measured.
    """
    if missing := sorted(set(sources) - set(reliability)):
        raise UserError(
            f"params.yaml: dedup.reliability does not rank {missing}", "add each enabled source to the list"
        )
    passed = KeyIndex.of(string_keys(kept(root / verdict_file("gate"))["sample_id"]))
    aside = KeyIndex.of(string_keys(put_aside(root)["sample_id"]))
    ranked = [source for source in reliability if source in set(sources)]
    parts = [_source_part(source, passed, aside, root) for source in ranked]
    starts = np.cumsum([0, *(len(part.names) for part in parts)])
    names = pl.concat(part.names for part in parts)
    rows = Rows(
        len(names),
        names,
        _group_numbers(names),
        np.concatenate([part.content for part in parts]),
        np.concatenate([part.hashes for part in parts]),
        np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.concatenate([part.counts for part in parts]))]),
        np.concatenate([part.pictures for part in parts]),
        {s: np.where(p.places < 0, -1, p.places + at) for s, p, at in zip(ranked, parts, starts, strict=False)},
        root,
    )
    return _aside_last(rows, np.concatenate([part.aside for part in parts]))


def _aside_last(rows: Rows, aside: NDArray[np.bool_]) -> Rows:
    if not aside.any():
        return rows
    order = np.argsort(aside, kind="stable")
    moved = _runs(rows.offsets, order)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    counts = np.diff(rows.offsets)[order]
    return Rows(
        int((~aside).sum()),
        rows.names[order],
        rows.groups[order],
        rows.content[order],
        rows.hashes[moved],
        np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)]),
        rows.pictures[moved],
        {source: np.where(places < 0, -1, place[places]) for source, places in rows.places.items()},
        rows.root,
    )


def _group_numbers(names: pl.DataFrame) -> NDArray[np.int64]:
    """Return how many groups begin before each row's: rows of one group stand together."""
    key = pl.struct("source", "group_id")
    return names.select((key != key.shift()).fill_null(False).cast(pl.Int64).cum_sum())["source"].to_numpy()


def _source_part(source: str, passed: KeyIndex, put_by: KeyIndex, root: Path) -> _Part:
    names, ids, shown, counts, chosen = _samples(source, passed, put_by, root)
    aside = put_by.find(ids) >= 0
    texts = _keyed(root / SIGNALS / source / "texts.parquet", "sample_id", "text_digest")
    pictures = _keyed(root / SIGNALS / source / "images.parquet", "image_id", "pixel_digest", "phash")
    at = _measured(texts.index.find(ids), f"{source}: a sample")
    pixels_at = _measured(pictures.index.find(shown), f"{source}: a picture")
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    pair = np.stack([joined_keys(pictures.digests[pixels_at], offsets), texts.digests[at]], axis=1)
    content = joined_keys(pair.reshape(-1, 2), np.arange(0, 2 * len(counts) + 1, 2, dtype=np.int64))
    order = names.select(pl.arg_sort_by("group_id", "sample_id"))["group_id"].to_numpy().astype(np.int64)
    places = np.full(len(chosen), -1, dtype=np.int64)
    places[np.flatnonzero(chosen)[order]] = np.arange(len(order))
    moved = _runs(offsets, order)
    hashes = pictures.values[pixels_at[moved]]
    return _Part(aside[order], names[order], content[order], hashes, counts[order], shown[moved], places)


def _samples(
    source: str, passed: KeyIndex, aside: KeyIndex, root: Path
) -> tuple[pl.DataFrame, NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return names, sample keys, picture keys, pictures a row, of what the gate kept; and which of all rows it kept.

    What it put aside counts as kept here where it has no pictures.
    """
    names = [pl.DataFrame(schema=dict.fromkeys(NAMES, pl.String))]
    ids, shown = [np.empty((0, 2), dtype=np.uint64)], [np.empty((0, 2), dtype=np.uint64)]
    counts, chosen = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.bool_)]
    for batch in sample_batches([root / SAMPLES / source], [*NAMES, "image_ids"]):
        keys = string_keys(batch["sample_id"])
        without = batch["image_ids"].list.len().to_numpy() == 0
        keep = (passed.find(keys) >= 0) | (without & (aside.find(keys) >= 0))
        left = batch.filter(keep)
        names.append(left.select(NAMES))
        ids.append(keys[keep])
        counts.append(left["image_ids"].list.len().to_numpy().astype(np.int64))
        shown.append(string_keys(left["image_ids"].explode(empty_as_null=False)))
        chosen.append(keep)
    return pl.concat(names), np.concatenate(ids), np.concatenate(shown), np.concatenate(counts), np.concatenate(chosen)


@dataclass(frozen=True, slots=True)
class _Keyed:
    """A table of signals: where each id is, the keys of its digests, and a number for each (0 where none was asked)."""

    index: KeyIndex
    digests: NDArray[np.uint64]
    values: NDArray[np.uint64]


def _keyed(path: Path, name: str, digest: str, value: str | None = None) -> _Keyed:
    ids, digests = [np.empty((0, 2), dtype=np.uint64)], [np.empty((0, 2), dtype=np.uint64)]
    values = [np.empty(0, dtype=np.uint64)]
    columns = [name, digest, *([value] if value else [])]
    for batch in pq.ParquetFile(path).iter_batches(SIGNALS_A_BATCH, columns=columns):
        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)
        ids.append(string_keys(frame[name]))
        digests.append(string_keys(frame[digest]))
        if value:
            values.append(frame[value].to_numpy())
    return _Keyed(KeyIndex.of(np.concatenate(ids)), np.concatenate(digests), np.concatenate(values))


def _measured(places: NDArray[np.int64], what: str) -> NDArray[np.int64]:
    if (places < 0).any():
        raise UserError(f"{what} that the gate kept was not measured", "run `dvc repro measure` again")
    return places


def _runs(offsets: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of all members of the runs, run `order[0]` first."""
    lengths = np.diff(offsets)[order]
    starts = np.repeat(offsets[order] - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
    return np.arange(len(starts), dtype=np.int64) + starts.astype(np.int64)
