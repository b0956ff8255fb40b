"""Options that speak of other options: of all of them ("None of the above") or of letters ("Both A and B")."""

from __future__ import annotations

import re
from collections.abc import Sequence

_LETTER = r"\(?[A-J](?![A-Za-z0-9])\)?"
_LETTERS = rf"{_LETTER}(?:\s*(?:,|，|、|and|or|&|\+|/|和|与|及)\s*{_LETTER})+"
_HOW_MANY = "all|none|any|some|both|neither|either|each|two or more|more than one"
_OTHERS = "above|these|them|those|listed|mentioned|options|choices|answers"
_WHICH = "first|second|third|fourth|fifth|last|previous|preceding|other|next"
_OF_LETTERS = re.compile(
    "|".join(
        (
            _LETTER,  # a label in a picture, a blood group: letters for letters
            "[A-J]{2,5}",
            rf"(?i:both|either|neither|only|all but|options?|choices?|answers?)\s+{_LETTER}.*",
            rf"{_LETTERS}(?:\s+(?:only|are|is|both)\b.*|[^A-Za-z]*)?\.?",
            rf"(?i:.*\b(?:the|other) (?:{_WHICH}) (?:option|choice|answer)s?\b.*)",
        )
    ),
    re.DOTALL,
)
_OF_ALL = re.compile(
    "|".join(
        (
            rf"(?:{_HOW_MANY})\b.{{0,30}}\b(?:{_OTHERS})\b.{{0,20}}",
            r"(?:all|none|neither|both)(?: (?:are|is) (?:correct|true|right|wrong|false))?\.?",
            r"(?:no|not any)(?: \w+)? of the above.{0,20}",
            r"(?:以上|上述).{0,12}",
            r"(?:都|均|全)部?不?(?:是|对|正确|错).{0,4}",
        )
    ),
    re.IGNORECASE | re.DOTALL,
)
_IN_QUESTION = re.compile(r"\b(?i:options?|choices?|answers?)\s+\(?[A-J](?![A-Za-z0-9])")


def movable(question: str, texts: Sequence[str]) -> int | None:
    """Return how many of the first options may change places without changing what any of them says.

    Args:
        question: the bare question.
        texts: of the options, without letters.

    Options that speak of all others stay if they are the last ones. None if one that is not last does, or if an option
    or the question names letters or places.
    """
    if _IN_QUESTION.search(question) or any(_OF_LETTERS.fullmatch(text) for text in texts):
        return None
    of_all = [bool(_OF_ALL.fullmatch(text)) for text in texts]
    first = of_all.index(True) if any(of_all) else len(texts)
    return first if all(of_all[first:]) else None
