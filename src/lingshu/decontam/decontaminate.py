"""Decontaminate what deduplication kept, against every benchmark: items are held in memory, samples are streamed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from lingshu.core.corpus import open_images
from lingshu.core.files import atomic_path, fresh_dir
from lingshu.core.id_joins import rows_among, rows_not_among
from lingshu.core.layout import DECONTAM, SAMPLES, aside_file, verdict_file, verdict_folder
from lingshu.core.question import Question
from lingshu.core.sample import ROWS_PER_PART
from lingshu.core.tables import sample_batches
from lingshu.core.verdicts import FRAME_SCHEMA, KEPT, account, funnel, kept, report_only, write_verdicts
from lingshu.decontam.crops import CropFinder
from lingshu.decontam.items import Items, MeasuredPictures, all_items, item_signals, picture_signals, shown_pictures
from lingshu.decontam.overlap import METHODS, OVERLAP_SCHEMA, check_purposes, closest, group_overlaps, on_purpose
from lingshu.decontam.params import DecontamParams
from lingshu.decontam.pictures import hash_overlaps, pixel_overlaps
from lingshu.decontam.texts import ItemTexts

STEP = "decontaminate"
FLAGS_FILE = "flags.parquet"
COLUMNS = ("sample_id", "source", "group_id", "image_ids", "prompt", "answer", "target")


@dataclass(frozen=True, slots=True)
class Decontaminated:
    """The verdicts, sorted by sample_id (`core.verdicts.FRAME_SCHEMA`), and the metrics: funnel and matrix."""

    verdicts: pl.DataFrame
    metrics: dict[str, Any]


def decontaminate(
    sources: Sequence[str], params: DecontamParams, root: Path = Path(), questions: Iterable[Question] = ()
) -> Decontaminated:
    """Write verdicts and `overlaps.parquet` under data/verdicts/decontaminate, `flags.parquet` under data/decontam.

    Flags are the overlaps that training keeps on purpose: `score` reads them. Texts that the gate put aside and
    deduplication kept are judged too, for what may be made from them once they are masked: `aside.parquet`. Nothing
    written holds a word of them.

    Args:
        sources: whose samples are judged.
        params: section `decontam`.
        root: of the project.
        questions: of public benchmarks.

    Raises:
        UserError: a picture of a sample or of a benchmark that the project builds was not measured, or an overlap is to
            be kept of a source or with a benchmark that there is not.
    """
    items = all_items(questions, root)
    named = {*items.table["benchmark"], *params.public.names, *params.public.may_be_absent}
    check_purposes(params.kept_on_purpose, sources, named)
    folder, flag_folder = fresh_dir(root / verdict_folder(STEP)), fresh_dir(root / DECONTAM)
    put_aside = kept(root / aside_file("deduplicate"))["sample_id"].sort()
    every, pairs = _search(sources, items, params, root, put_aside)
    names = rows_not_among(every, put_aside)
    asked = on_purpose(params.kept_on_purpose)
    evidence = closest(pairs.filter(~asked))
    flags = pairs if params.report_only else pairs.filter(asked).join(evidence, on="train_id", how="anti")
    flags = flags.sort("benchmark", "item_id", "train_id", "method")
    verdicts, counts = _decided(names, evidence, params)
    aside, aside_counts = _decided(rows_among(every, put_aside), evidence, params)
    _write(folder / "overlaps.parquet", evidence)
    _write(flag_folder / FLAGS_FILE, flags)
    write_verdicts(root / verdict_file(STEP), verdicts)
    write_verdicts(root / aside_file(STEP), aside)
    metrics: dict[str, Any] = {**counts, "matrix": matrix(pairs, every, items.table)}
    if params.kept_on_purpose or params.report_only:
        metrics["kept_on_purpose"] = matrix(flags, every, items.table)
    if items.unreadable:
        metrics["unreadable_benchmark_pictures"] = items.unreadable
    return Decontaminated(verdicts, metrics | ({"aside": aside_counts} if len(aside) else {}))


def _decided(
    names: pl.DataFrame, evidence: pl.DataFrame, params: DecontamParams
) -> tuple[pl.DataFrame, dict[str, dict[str, Any]]]:
    """Return the verdicts on the samples, and their funnel."""
    verdicts = _verdicts(names, evidence)
    counts = funnel(verdicts)
    if params.report_only:
        verdicts = report_only(verdicts)
        counts = funnel(verdicts) | {"report_only": counts["dropped"]}
    account(STEP, names["sample_id"], verdicts)
    return verdicts, counts


def _search(
    sources: Sequence[str], items: Items, params: DecontamParams, root: Path, put_aside: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the samples that deduplication kept (sample_id, source; sorted), and `OVERLAP_SCHEMA` of all pairs."""
    came = pl.concat([kept(root / verdict_file("deduplicate"))["sample_id"], put_aside]).sort()
    finder = Finder(items, item_signals(items, sources, root), params)
    names = [pl.DataFrame(schema={"sample_id": pl.String(), "source": pl.String()})]
    found = [pl.DataFrame(schema=OVERLAP_SCHEMA)]
    with ExitStack() as stack:
        crops = None
        if params.crops:
            crops = stack.enter_context(CropFinder(items.table, items.files, open_images(root), params.workers))
        for source in sources:
            measured = MeasuredPictures(picture_signals(source, root))
            for batch in sample_batches([root / SAMPLES / source], COLUMNS, ROWS_PER_PART):
                train = rows_among(batch, came)
                names.append(train.select("sample_id", "source"))
                found += finder.find(train, measured.of(train))
                if crops is not None:
                    found += crops.find(train)
    return pl.concat(names).sort("sample_id"), pl.concat(found)


class Finder:
    """Finds what samples overlap of the items, by every method.

    Args:
        items: of all benchmarks.
        signals: columns image_id, pixel_digest, phash of the items' pictures.
        params: radius, run length and coverage.

    Raises:
        UserError: an item's picture was not measured.
    """

    def __init__(self, items: Items, signals: pl.DataFrame, params: DecontamParams) -> None:
        self._params = params
        self._groups = items.table.select("benchmark", "item_id", "source", "group_id")
        self._pictures = shown_pictures(items.table, ["benchmark", "item_id"], signals)
        self._texts = ItemTexts(items.table, params)

    def find(self, train: pl.DataFrame, signals: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Yield `OVERLAP_SCHEMA` of each method, every pair once.

        Args:
            train: columns `COLUMNS`.
            signals: as of the items, of the samples' pictures.

        Raises:
            UserError: a sample's picture was not measured.
        """
        shown = shown_pictures(train.rename({"sample_id": "train_id"}), ["source", "train_id"], signals)
        yield group_overlaps(train.select("sample_id", "source", "group_id"), self._groups)
        yield pixel_overlaps(shown, self._pictures)
        yield hash_overlaps(shown, self._pictures, self._params.picture_radius)
        yield self._texts.overlaps(train)


def matrix(found: pl.DataFrame, train: pl.DataFrame, items: pl.DataFrame) -> dict[str, dict[str, int]]:
    """Return `{source: {benchmark: samples that met one of its items}}`, zeros included.

    Samples are training's, and texts put aside, from which some may be made.
    """
    counts = found.group_by("source", "benchmark").agg(pl.col("train_id").n_unique().alias("n"))
    met = {(row["source"], row["benchmark"]): row["n"] for row in counts.iter_rows(named=True)}
    benchmarks = items["benchmark"].unique().sort()
    return {s: {b: met.get((s, b), 0) for b in benchmarks} for s in train["source"].unique().sort()}


def _write(path: Path, table: pl.DataFrame) -> None:
    with atomic_path(path) as temporary:
        pq.write_table(table.to_arrow(), temporary, compression="zstd")


def _verdicts(train: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return `FRAME_SCHEMA`: each sample, dropped by its surest evidence or kept."""
    surest = pl.col("method").replace_strict({method: place for place, method in enumerate(METHODS)})
    reasons = found.sort(surest, "benchmark").unique("train_id", keep="first", maintain_order=True).drop("source")
    judged = train.join(reasons, left_on="sample_id", right_on="train_id", how="left", maintain_order="left")
    clean = pl.col("method").is_null()
    return judged.select(
        "sample_id",
        "source",
        step=pl.lit(STEP),
        keep=clean,
        reason=pl.col("method").replace_strict(METHODS, default=KEPT, return_dtype=pl.String),
        score=pl.coalesce(pl.col("distance").cast(pl.Float64), "coverage"),
        detail=pl.when(clean).then(pl.lit("")).otherwise(pl.format("{}: {}", "benchmark", "item_id")),
    ).cast(FRAME_SCHEMA)
