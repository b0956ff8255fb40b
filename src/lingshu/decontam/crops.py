"""Benchmark pictures among training pictures by their pixels; the other methods read tables of hashes.

One decode of a picture finds it cropped, turned, mirrored, in negative, or near by its details (through another window,
brighter, framed) beyond the radius of the hashes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType

import polars as pl

from lingshu.core.errors import UserError
from lingshu.core.images import ImageStore
from lingshu.core.parallel import Workers
from lingshu.core.question import PictureFile
from lingshu.decontam.crew import Crew
from lingshu.decontam.overlap import overlaps
from lingshu.decontam.picture_index import PictureIndex, PictureRule
from lingshu.decontam.prints import PicturePrint, picture_print

AT_ONCE = 1024  # pictures
PICTURES_A_PART = 16  # of the work
METHODS = ("perceptual", "turned", "crop")  # of `PictureHit`; equal bytes are equal pixels, and found by their digest
COLUMNS = ("train_id", "source", "benchmark", "item_id", "distance")


@dataclass(slots=True)
class StoredPicture:
    """A picture of the project's image folders, read when it is needed."""

    name: str
    store: ImageStore = field(repr=False)

    def read(self) -> bytes:
        """See `PictureFile.read`."""
        return self.store.data(self.name)


class CropFinder:
    """Finds training pictures that are an item's picture, changed, or a crop of one, or hold one.

    Args:
        items: columns benchmark, item_id, image_ids.
        files: pictures of public benchmarks by name.
        store: all pictures of the project.
        workers: who decodes and compares; overlaps do not depend on it.

    Raises:
        UserError: a picture is in no store, or can't be decoded.
    """

    def __init__(
        self, items: pl.DataFrame, files: Mapping[str, PictureFile], store: ImageStore, workers: Workers
    ) -> None:
        self._files, self._store = files, store
        self._crew = Crew(workers)
        shown = items.select("benchmark", "item_id", image_id="image_ids").explode("image_id", empty_as_null=False)
        self._items = shown.with_columns(picture=pl.col("image_id").rank("dense").cast(pl.Int64) - 1)
        names = shown["image_id"].unique().sort().to_list()
        pictures = [self._file(name) for name in names]
        self._index = PictureIndex(self._prints(pictures, indexed=True), pictures, PictureRule())

    def __enter__(self) -> CropFinder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._crew.__exit__(kind, error, trace)

    def find(self, train: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Yield the overlaps by each of `METHODS` of samples: columns sample_id, source, image_ids."""
        shown = train.select("source", train_id="sample_id", image_id="image_ids")
        shown = shown.explode("image_id", empty_as_null=False)
        names = shown["image_id"].unique().sort().to_list()
        rows: list[tuple[str, int, str, int]] = []
        for start in range(0, len(names), AT_ONCE):
            some = names[start : start + AT_ONCE]
            files = [self._file(name) for name in some]
            found = self._index.hits(self._prints(files), self._crew)
            for name, hits in zip(some, found, strict=True):
                rows += [(name, hit.picture, hit.method, hit.distance) for hit in hits]
        schema = {"image_id": pl.String, "picture": pl.Int64, "method": pl.String, "distance": pl.Int64}
        table = pl.DataFrame(rows, schema=schema, orient="row")
        met = shown.join(table, on="image_id").join(self._items.drop("image_id"), on="picture")
        for method in METHODS:
            yield overlaps(met.filter(pl.col("method") == method).select(COLUMNS), "picture", method)

    def _file(self, name: str) -> PictureFile:
        if name in self._files:
            return self._files[name]
        if name not in self._store:
            raise UserError(f"picture {name} is in no image folder", "run `dvc repro normalize` again")
        return StoredPicture(name, self._store)

    def _prints(self, files: Sequence[PictureFile], *, indexed: bool = False) -> list[PicturePrint]:
        named = ((file.name, file.read()) for file in files)
        return list(self._crew.in_order(partial(_print, indexed=indexed), named, PICTURES_A_PART))


def _print(named: tuple[str, bytes], *, indexed: bool) -> PicturePrint:
    name, data = named
    found = picture_print(data, indexed=indexed)
    if not isinstance(found, PicturePrint):
        raise UserError(f"picture {name}: {found.reason}", "run `dvc repro normalize` again")
    return found
