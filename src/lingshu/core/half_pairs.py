"""Halves of surrogate pairs in texts: where a model ended inside a character, or a name is no UTF-8."""

from __future__ import annotations

import re
from typing import Any

_HALF_PAIR = re.compile("[\ud800-\udfff]")


def has_half_pair(value: Any) -> bool:
    """Return whether a text in a value holds half a surrogate pair: JSON can name it, but it has no UTF-8 form.

    A file's name that is no UTF-8 reads as such halves too.
    """
    if isinstance(value, str):
        try:
            value.encode()  # four times as fast as a search
        except UnicodeEncodeError:
            return True
        return False
    if isinstance(value, dict):
        return any(has_half_pair(part) for pair in value.items() for part in pair)
    return isinstance(value, list | tuple) and any(map(has_half_pair, value))


def without_half_pairs(value: Any) -> Any:
    """Return the value with U+FFFD for each half of a surrogate pair in its texts; the value itself if it has none."""
    if not has_half_pair(value):
        return value
    if isinstance(value, str):
        return _HALF_PAIR.sub("\ufffd", value)
    if isinstance(value, dict):
        return {without_half_pairs(key): without_half_pairs(part) for key, part in value.items()}
    return [without_half_pairs(part) for part in value]
