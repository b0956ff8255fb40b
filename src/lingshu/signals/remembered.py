"""Rows that were measured before, kept outside DVC by image_id: only new pictures are decoded; a killed run goes on.

DVC removes a stage's output before it runs the stage, so what is to outlive that lies under `.work`. A folder belongs
to one set of knobs and code (`core.scratch.fingerprint`): rows of another set lie elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from lingshu.core.files import atomic_path

ROWS_A_PART = 4096  # as many as a killed run measures again at most
PARTS_AT_MOST = 64  # more are put together when a run begins


class Remembered:
    """A table of `schema`, whose column image_id is its key, in files of a folder."""

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self._folder = folder
        self._schema = schema
        folder.mkdir(parents=True, exist_ok=True)
        if len(self._parts()) > PARTS_AT_MOST:
            self._put_together()

    def complete(self, ids: Iterable[str], measure: Callable[[list[str]], Iterable[pa.Table]]) -> int:
        """Measure the pictures that have no row yet; return how many those were.

        Args:
            ids: of all pictures.
            measure: yields tables of the schema that hold a row for each id it is given.
        """
        wanted = pl.DataFrame({"image_id": pl.Series(list(ids), dtype=pl.String)})
        missing = wanted.join(self._known(), on="image_id", how="anti", maintain_order="left")["image_id"].to_list()
        waiting: list[pa.Table] = []
        for table in measure(missing) if missing else ():
            waiting.append(table)
            if sum(len(part) for part in waiting) >= ROWS_A_PART:
                self._add(waiting)
                waiting = []
        self._add(waiting)
        return len(missing)

    def rows(self, ids: Iterable[str]) -> pa.Table:
        """Return the rows of the ids, in their order; all must have been completed.

        Memory is set by the rows between the least and the greatest id.
        """
        wanted = pl.DataFrame({"image_id": pl.Series(list(ids), dtype=pl.String)})
        ends = pl.lit(wanted["image_id"].min()), pl.lit(wanted["image_id"].max())
        between = pl.col("image_id").is_between(*ends)
        near = [pl.scan_parquet(path).filter(between).collect() for path in self._parts()] if len(wanted) else []
        known = pl.concat([self._empty(), *near]).unique("image_id", keep="first")
        found = wanted.join(known, on="image_id", how="left", maintain_order="left")
        return found.select(self._schema.names).to_arrow().cast(self._schema)

    def _known(self) -> pl.DataFrame:
        ids = [pl.read_parquet(path, columns=["image_id"]) for path in self._parts()]
        return pl.concat([self._empty().select("image_id"), *ids])

    def _empty(self) -> pl.DataFrame:
        empty = pl.from_arrow(self._schema.empty_table())
        assert isinstance(empty, pl.DataFrame)
        return empty

    def _parts(self) -> list[Path]:
        return sorted(self._folder.glob("rows-*.parquet"))

    def _add(self, tables: list[pa.Table]) -> None:
        if tables:
            number = int(self._parts()[-1].stem.split("-")[1]) + 1 if self._parts() else 0
            with atomic_path(self._folder / f"rows-{number:06d}.parquet") as temporary:
                pq.write_table(pa.concat_tables(tables), temporary, compression="zstd")

    def _put_together(self) -> None:
        """Write one file in place of many. Killed in between, rows stand twice, which `complete` and `rows` bear."""
        parts = self._parts()
        with (
            atomic_path(parts[0]) as temporary,
            pq.ParquetWriter(temporary, self._schema, compression="zstd") as writer,
        ):
            for path in parts:
                writer.write_table(pq.read_table(path, schema=self._schema))
        for path in parts[1:]:
            path.unlink()


def forget_others(folder: Path) -> None:
    """Remove the folders beside `folder`, which hold rows of other knobs or code."""
    for other in sorted(folder.parent.iterdir()):
        if other != folder:
            for path in sorted(other.glob("rows-*.parquet")):
                path.unlink()
            other.rmdir()
