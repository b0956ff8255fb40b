"""Values inside a row by path: keys with dots between them (`data.Question`), list positions as numbers.

`@Label=FINDINGS` as a key takes the object of a list whose `@Label` is that; `a|b` takes the first path that is there.
"""

from __future__ import annotations

import math
from typing import Any

from lingshu.intake.errors import Reason, RowError

Row = dict[str, Any]
_ABSENT = object()


def value_at(row: Row, path: str, default: Any = _ABSENT) -> Any:
    """Return the value at a path; None for NaN and infinity, with which programs write what is missing.

    Raises:
        RowError: there is none, and no default is given.
    """
    value = row[path] if path in row else _first(row, path)
    if value is not _ABSENT:
        return None if isinstance(value, float) and not math.isfinite(value) else value
    if default is _ABSENT:
        raise RowError(Reason.MISSING_FIELD, f"no field {path!r}; there are {', '.join(map(str, row))[:200]}")
    return default


def _first(row: Row, path: str) -> Any:
    return next((value for one in path.split("|") if (value := _found(row, one)) is not _ABSENT), _ABSENT)


def _found(row: Row, path: str) -> Any:
    value: Any = row
    for part in path.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        elif "=" in part:
            value = _selected(value, *part.split("=", maxsplit=1))
        else:
            return _ABSENT
    return value


def _selected(value: Any, key: str, wanted: str) -> Any:
    items = value if isinstance(value, list) else [value]
    return next((item for item in items if isinstance(item, dict) and str(item.get(key)) == wanted), _ABSENT)


def text_at(row: Row, path: str) -> str:
    """Return the text at a path; numbers as they are written.

    Raises:
        RowError: there is none, or it is not a text or number.
    """
    value = value_at(row, path)
    if not isinstance(value, str | int | float):
        raise RowError(Reason.MISSING_FIELD, f"{path!r} is {value!r:.60}, not a text")
    return str(value)


def printable(name: str) -> str:
    """Return a file's name with what is no UTF-8 written as `\\udce9`."""
    return name.encode("utf-8", "backslashreplace").decode()
