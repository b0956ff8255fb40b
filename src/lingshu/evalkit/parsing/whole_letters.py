"""A text that is only a letter, or a list of letters."""

from __future__ import annotations

import re

from lingshu.evalkit.parsing.letter_context import EDGES

_LIST_BREAK = re.compile(r"[\s,，、;；/&+.|]+|\band\b|和|与|及|以及", re.IGNORECASE)


def whole_letters(text: str, count: int) -> tuple[str, ...]:
    """Return the letters of a text that is only a letter or a list of letters ("b", "(B).", "A, B、D", "ABD")."""
    bare = text.strip(EDGES)
    if len(bare) == 1:
        return _valid(bare.upper(), count)
    if len(bare) > 4 * count + 16:
        return ()
    parts = [part.strip(EDGES) for part in _LIST_BREAK.split(bare)]
    parts = [part for part in parts if part]
    if len(parts) == 1 and parts[0].isupper():
        parts = list(parts[0])
    if not parts or any(len(part) != 1 for part in parts):
        return ()
    letters = tuple(part.upper() for part in parts)
    return letters if len(set(letters)) == len(letters) and all(_valid(c, count) for c in letters) else ()


def _valid(letter: str, count: int) -> tuple[str, ...]:
    return (letter,) if len(letter) == 1 and 0 <= ord(letter) - ord("A") < count else ()
