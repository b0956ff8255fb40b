"""Types of the columns of signals that the gate reads: one of another type would end in an error of polars."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from lingshu.core.errors import UserError
from lingshu.quality.aggregates import OPTIONAL_PICTURE_COLUMNS, PICTURE_SHARES, TEXT_COUNTS
from lingshu.quality.inputs import Tables

Fits = tuple[str, Callable[[pl.DataType], bool]]

_TEXT: Fits = ("a text", lambda found: found == pl.String)
_WHOLE: Fits = ("a whole number", lambda found: found.is_integer())
_NUMBER: Fits = ("a number", lambda found: found.is_numeric())
_HASH: Fits = ("a whole number of 64 bits without sign", lambda found: found == pl.UInt64)
_BOOLEAN: Fits = ("true or false", lambda found: found == pl.Boolean)
_TEXTS: Fits = ("a list of texts", lambda found: found == pl.List(pl.String))
_HASHES: Fits = ("a list of hashes", lambda found: found == pl.List(pl.UInt64))

TEXT_TYPES: Mapping[str, Fits] = {
    **dict.fromkeys(("sample_id", "source", "split", "task", "language", "text_digest"), _TEXT),
    **dict.fromkeys((*TEXT_COUNTS, "target_tokens"), _WHOLE),
    "repetition": _NUMBER,
}
PICTURE_TYPES: Mapping[str, Fits] = {
    **dict.fromkeys(("image_id", "pixel_digest"), _TEXT),
    **dict.fromkeys(("width", "height", "min_side", "burned_in_lines", "burned_in_identifiers"), _WHOLE),
    **dict.fromkeys(("sharpness", "entropy", *PICTURE_SHARES, "burned_in_share"), _NUMBER),
    **dict.fromkeys(("phash", "dhash"), _HASH),
    "burned_in_claimed": _BOOLEAN,
    "identifying_tags": _TEXTS,
    "variants": _HASHES,
}


def check_types(tables: Tables) -> None:
    """Check the columns that are there; whether one is absent the suites of `schema_suites` tell.

    Raises:
        UserError: a column has another type (names every file and column).
    """
    files = [(source, tables.text_file(source), TEXT_TYPES) for source in tables.sources]
    files += [(source, tables.picture_file(source), PICTURE_TYPES) for source in tables.sources]
    wrong, sources = [], []
    for source, path, types in files:
        for column, found in pl.read_parquet_schema(path).items():
            what, fits = types.get(column, ("", lambda _: True))
            never_measured = column in (*OPTIONAL_PICTURE_COLUMNS, "variants") and found == pl.Null
            if not fits(found) and not never_measured:
                wrong.append(f"{path.relative_to(tables.root)}: column {column!r} is {found}, where {what} is due")
                sources.append(source)
    if wrong:
        again = " ".join(f"measure@{source}" for source in dict.fromkeys(sources))
        raise UserError("\n  ".join(wrong), f"make them again with `dvc repro --force {again}`")
