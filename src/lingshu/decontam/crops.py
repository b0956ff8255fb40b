"""Benchmark pictures among training pictures by their pixels; the other methods read tables of hashes.

One decode of a picture finds it cropped, turned, mirrored, in negative, or near by its details (through another window,
brighter, framed) beyond the radius of the hashes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from lingshu.core.errors import UserError
from lingshu.core.images import ImageStore
from lingshu.core.question import PictureFile
from lingshu.decontam.overlap import overlaps
from lingshu.decontam.picture_index import PictureIndex, PictureRule
from lingshu.decontam.prints import PicturePrint, picture_print

AT_ONCE = 64  # pictures
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

    Raises:
        UserError: a picture is in no store, or can't be decoded.
    """

    def __init__(self, items: pl.DataFrame, files: Mapping[str, PictureFile], store: ImageStore) -> None:
        self._files, self._store = files, store
        shown = items.select("benchmark", "item_id", image_id="image_ids").explode("image_id", empty_as_null=False)
        self._items = shown.with_columns(picture=pl.col("image_id").rank("dense").cast(pl.Int64) - 1)
        names = shown["image_id"].unique().sort().to_list()
        pictures = [self._file(name) for name in names]
        self._index = PictureIndex([_print(file) for file in pictures], pictures, PictureRule())

    def find(self, train: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Yield the overlaps by each of `METHODS` of samples: columns sample_id, source, image_ids."""
        shown = train.select("source", train_id="sample_id", image_id="image_ids")
        shown = shown.explode("image_id", empty_as_null=False)
        names = shown["image_id"].unique().sort().to_list()
        rows: list[tuple[str, int, str, int]] = []
        for start in range(0, len(names), AT_ONCE):
            some = names[start : start + AT_ONCE]
            files = [self._file(name) for name in some]
            found = self._index.hits([_print(file) for file in files], files)
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


def _print(file: PictureFile) -> PicturePrint:
    found = picture_print(file.read())
    if not isinstance(found, PicturePrint):
        raise UserError(f"picture {file.name}: {found.reason}", "run `dvc repro normalize` again")
    return found
