"""Limits and small records for the tests of sources of rows."""

from __future__ import annotations

from typing import Any

from lingshu.sources.catalog import SourceRecord
from lingshu.sources.params import RowParams

LIMITS = RowParams(max_side_px=512, max_megapixels=4, max_picture_mb=1, max_row_mb=1, accept_rows=[])


def record(form: dict[str, Any], **more: Any) -> SourceRecord:
    """Return a record of one form."""
    whole = {"name": "made by the test", "checked": "written format", **form}
    return SourceRecord.model_validate(
        {
            "kind": "local", "title": "invented", "group": "captions", "tasks": ["caption"], "licence": "CC0-1.0",
            "licence_class": "permissive", "access": "open", "expected": {}, "citation": "nobody", "checked": "here",
            "places": [{"bring": "a folder"}], "forms": [whole], **more,
        }
    )  # fmt: skip
