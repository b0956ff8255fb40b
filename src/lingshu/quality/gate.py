"""The gate: read signals, check the tables as a whole, decide row by row, account for every row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from lingshu.core.files import fresh_dir, write_json
from lingshu.core.images import read_index
from lingshu.core.layout import IMAGES, SAMPLES, SIGNALS, verdict_file, verdict_folder
from lingshu.core.tables import sample_table
from lingshu.core.verdicts import Verdict, account, write_verdicts
from lingshu.quality.aggregates import PICTURE_RANGES, TEXT_RANGES, coverage, kinds, outcome, table_facts
from lingshu.quality.expectations import (
    PICTURE_COLUMNS,
    TEXT_COLUMNS,
    columns_suite,
    coverage_suite,
    kinds_suite,
    outcome_suite,
    pictures_suite,
    require,
    texts_suite,
    validate,
)
from lingshu.quality.params import QualityParams
from lingshu.quality.rules import judge

STEP = "gate"
RECORD = "expectations.json"


def gate(sources: Sequence[str], params: QualityParams, root: Path = Path()) -> list[Verdict]:
    """Write verdicts and `expectations.json` under data/verdicts/gate; return the verdicts, sorted by sample_id.

    Samples of the test split are not judged: they are what training is checked against, and are never trained on.

    Raises:
        UserError: an expectation failed (its record is written first).
    """
    folder = fresh_dir(root / verdict_folder(STEP))
    texts = {source: pl.read_parquet(root / SIGNALS / source / "texts.parquet") for source in sources}
    pictures = {source: pl.read_parquet(root / SIGNALS / source / "images.parquet") for source in sources}
    suites = [columns_suite(f"columns of {s} texts", frame, TEXT_COLUMNS) for s, frame in texts.items()]
    suites += [columns_suite(f"columns of {s} pictures", frame, PICTURE_COLUMNS) for s, frame in pictures.items()]
    records = validate(suites)
    _record(folder, root, records)

    samples = sample_table(root / SAMPLES / source for source in sources)
    all_texts = pl.concat(texts.values())
    all_pictures = pl.concat(frame.with_columns(pl.lit(s).alias("source")) for s, frame in pictures.items())
    index = read_index(root / IMAGES / source for source in sources)
    judged = samples.filter(pl.col("split") != "test")
    decisions = judge(judged, all_texts, all_pictures, params)
    records += validate(
        [
            pictures_suite(table_facts(all_pictures, "image_id", PICTURE_RANGES)),
            texts_suite(table_facts(all_texts, "sample_id", TEXT_RANGES)),
            kinds_suite(kinds(samples)),
            coverage_suite(coverage(samples, all_texts, index, all_pictures)),
            outcome_suite(outcome(decisions), params),
        ]
    )
    _record(folder, root, records)

    verdicts = [Verdict(step=STEP, **row) for row in decisions.sort("sample_id").iter_rows(named=True)]
    account(STEP, judged["sample_id"], verdicts)
    write_verdicts(root / verdict_file(STEP), verdicts)
    return verdicts


def _record(folder: Path, root: Path, records: Sequence[dict[str, object]]) -> None:
    path = folder / RECORD
    write_json(path, records)
    require(records, path.relative_to(root).as_posix())
