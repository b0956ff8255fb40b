"""Crops of benchmark pictures among training pictures, by their pixels; the other methods read tables of hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from lingshu.core.errors import UserError
from lingshu.core.images import ImageStore
from lingshu.core.question import PictureFile
from lingshu.decontam.overlap import overlaps
from lingshu.decontam.picture_index import PictureIndex, PictureRule
from lingshu.decontam.prints import PicturePrint, picture_print

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
    """Finds training pictures that are a crop of an item's picture, or hold one.

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

    def find(self, train: pl.DataFrame) -> pl.DataFrame:
        """Return the overlaps by crop of samples: columns sample_id, source, image_ids."""
        shown = train.select("source", train_id="sample_id", image_id="image_ids")
        shown = shown.explode("image_id", empty_as_null=False)
        names = shown["image_id"].unique().sort().to_list()
        rows: list[tuple[str, int, int]] = []
        for name in names:
            file = self._file(name)
            [hits] = self._index.hits([_print(file)], [file])
            rows += [(name, hit.picture, hit.distance) for hit in hits if hit.method == "crop"]
        schema = {"image_id": pl.String, "picture": pl.Int64, "distance": pl.Int64}
        found = pl.DataFrame(rows, schema=schema, orient="row")
        met = shown.join(found, on="image_id").join(self._items.drop("image_id"), on="picture")
        return overlaps(met.select(COLUMNS), "picture", "crop")

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
