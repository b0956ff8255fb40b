"""Values inside a row by path: keys with dots between them (`data.Question`), list positions as numbers."""

from __future__ import annotations

from typing import Any

from lingshu.intake.errors import Reason, RowError

Row = dict[str, Any]
_ABSENT = object()


def value_at(row: Row, path: str, default: Any = _ABSENT) -> Any:
    """Return the value at a path.

    Raises:
        RowError: there is none, and no default is given.
    """
    if path in row:
        return row[path]
    value: Any = row
    for part in path.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        elif default is _ABSENT:
            raise RowError(Reason.MISSING_FIELD, f"no field {path!r}; there are {', '.join(map(str, row))[:200]}")
        else:
            return default
    return value


def text_at(row: Row, path: str) -> str:
    """Return the text at a path; numbers as they are written.

    Raises:
        RowError: there is none, or it is not a text or number.
    """
    value = value_at(row, path)
    if not isinstance(value, str | int | float):
        raise RowError(Reason.MISSING_FIELD, f"{path!r} is {value!r:.60}, not a text")
    return str(value)
