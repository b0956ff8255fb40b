"""`catalog/published.csv`: scores that others have printed, each with its protocol and the table it stands in.

They are shown beside runs, never mixed into them: other prompts, judges and splits may lie behind the same name.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from lingshu.core.errors import UserError
from lingshu.core.params import Strict, validate

PUBLISHED_FILE = "published.csv"
Metric = Literal["accuracy", "rouge_l", "cider", "ratescore", "sembscore", "radcliq_v1_reciprocal"]
METRIC_TITLES: dict[Metric, str] = {
    "accuracy": "",
    "rouge_l": "ROUGE-L",
    "cider": "CIDEr",
    "ratescore": "RaTEScore",
    "sembscore": "SembScore",
    "radcliq_v1_reciprocal": "1/RadCliQ-v1",
}
Word = Annotated[str, Field(min_length=1)]


class PublishedRow(Strict):
    """One printed number.

    Attributes:
        benchmark: column of the Lingshu paper's tables, as `paper` in catalog/public_benchmarks.yaml.
        score: as printed, times 100 (CIDEr and 1/RadCliQ may exceed 100).
        protocol: how it came to be, as far as its source says.
        source: publication and table.
    """

    model: Word
    benchmark: Word
    score: float = Field(ge=0, le=300)
    metric: Metric
    protocol: Word
    source: Word


def read_published(path: Path) -> list[PublishedRow]:
    """Return the rows of a file in its order.

    Raises:
        UserError: the file is missing, has another head, a row breaks the schema or comes twice (names the line).
    """
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle)
            rows = [(reader.line_num, row) for row in reader]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "restore it from Git") from None
    if list(reader.fieldnames or ()) != list(PublishedRow.model_fields):
        raise UserError(f"{path}:1: columns {reader.fieldnames}", f"write {','.join(PublishedRow.model_fields)}")
    found: dict[tuple[str, str, str, str], PublishedRow] = {}
    for number, values in rows:
        row = validate(PublishedRow, values, f"{path}:{number}")
        key = row.model, row.benchmark, row.metric, row.source
        if key in found:
            raise UserError(f"{path}:{number}: the same model, benchmark, metric and source twice", "keep one of them")
        found[key] = row
    return list(found.values())
