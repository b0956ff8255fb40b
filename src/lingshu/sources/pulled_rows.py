"""Normalizing a pulled source of rows inside the pipeline: what `pull` left, to its samples and pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from lingshu.core.layout import IMAGES, SAMPLES
from lingshu.intake.places import FolderFiles
from lingshu.sources.catalog import SPLITS_FOLDER, SourceRecord
from lingshu.sources.params import SourcesParams
from lingshu.sources.pulled import pulled_files
from lingshu.sources.rows import normalize_rows


def normalize_pulled(name: str, record: SourceRecord, params: SourcesParams, root: Path = Path()) -> dict[str, Any]:
    """Write samples and pictures of a pulled source under `root`, and return its metrics.

    Raises:
        UserError: it is not pulled completely; or as `rows.normalize_rows`.
    """
    summary = normalize_rows(
        name,
        record,
        pulled_files(name, root),
        params=params.rows,
        samples=root / SAMPLES / name,
        images=root / IMAGES / name,
        accept_rows=name in params.rows.accept_rows,
        workers=params.workers,
        beside=FolderFiles(root / SPLITS_FOLDER),
    )
    for line in summary.lines(detailed=record.access == "open"):
        print(line, file=sys.stderr)
    return summary.metrics()
