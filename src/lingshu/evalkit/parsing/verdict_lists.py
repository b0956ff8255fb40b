"""Answers that are a list of options, each with its own verdict: "A) F B) T", "A? No. B? Yes!", "A: 20% B: 80%".

Also as a Markdown table. They decide only as a whole; one pass over the text, which ends at the first other word.
"""

from __future__ import annotations

import re

from lingshu.evalkit.parsing.exceptions import asks_for_exception
from lingshu.evalkit.parsing.options import letter_of, option_texts, word_set

_RIGHT = word_set("true t yes y correct right ✓ ✔ ✅ √ ☑ 对 正确 是 符合")
_WRONG = word_set("false f no n incorrect wrong ✗ ✘ ❌ × ☒ 错 错误 不对 不正确 否 不是 不符合")
_MARKS = "|".join(sorted((*_RIGHT, *_WRONG), key=len, reverse=True))
_TABLE_HEAD = re.compile(r"\|[^\n]*\|[ \t]*\n[ \t]*\|[-:| \t]+\n")
_ENTRY = re.compile(
    r"[\s|•,;，；、-]*(?:(?i:option|choice|选项)\s*)?[(\[]?(?P<letter>[A-Z])[)\]]?\s*(?:选?项)?"
    rf"\s*(?:[:：.?？|=–—-]|(?i:is|为)\b)?\s*[(（]?(?:(?P<mark>(?i:{_MARKS}))(?![A-Za-z])|(?P<percent>\d+(?:\.\d+)?)\s*%)[)）]?"
    r"[.!。！]*(?=[\s|,;，；、]|\Z)"
)
_HEAD_LINES = 2
_ROW = re.compile(r"[(\[]?(?P<letter>[A-Z])(?![A-Za-z0-9])")
_CLOSING = re.compile(r"[\s|]*\Z")


def marked_options(text: str, question: str, choices: tuple[str, ...] | None, count: int) -> tuple[str, ...] | None:
    """Return the letters that a list of verdicts marks as right, or the one it gives the highest probability.

    Where all but one option are marked as wrong it is that one, and so it is where the question asks for an exception
    and all but one are marked as right.

    None if `text` is no such list, or if an option's own text is one of the marks ("A. Yes B. No" repeats options).
    """
    if text.startswith("|") and (rows := _row_marks(text, choices, count)):
        return _marked_right(rows, count, asks_for_exception(question))
    head = _TABLE_HEAD.match(text)
    position = head.end() if head else 0
    marks: dict[str, str] = {}
    shares: dict[str, float] = {}
    while found := _ENTRY.match(text, position):
        letter = found["letter"]
        if letter in marks or letter in shares or ord(letter) - ord("A") >= count:
            return None
        if found["mark"]:
            marks[letter] = found["mark"].lower()
        else:
            shares[letter] = float(found["percent"])
        position = found.end()
    if len(marks) + len(shares) < 2 or (marks and shares) or not _CLOSING.match(text, position):
        return None
    if shares:
        likeliest = tuple(letter for letter, share in shares.items() if share == max(shares.values()))
        return likeliest if len(likeliest) == 1 else ()
    if choices and any(option.strip(" .").lower() in _RIGHT | _WRONG for option in option_texts(choices)):
        return None
    return _marked_right(marks, count, asks_for_exception(question))


def _row_marks(text: str, choices: tuple[str, ...] | None, count: int) -> dict[str, str]:
    """Return the marks in the last cells of a table whose rows begin with options; {} if `text` is no such table."""
    marks: dict[str, str] = {}
    for number, line in enumerate(text.splitlines()):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if number < _HEAD_LINES and (number == 0 or set(line) <= set("|-: ")):
            continue
        found = _ROW.match(cells[0])
        mark = cells[-1].strip(" .。!（）()").lower()
        if not line.startswith("|") or not found or mark not in _RIGHT | _WRONG or found["letter"] in marks:
            return {}
        marks[found["letter"]] = mark
    known = all(ord(letter) - ord("A") < count for letter in marks)
    own = choices and any(option.strip(" .").lower() in _RIGHT | _WRONG for option in option_texts(choices))
    return marks if len(marks) > 1 and known and not own else {}


def _marked_right(marks: dict[str, str], count: int, exception: bool) -> tuple[str, ...]:
    right = tuple(letter for letter, mark in marks.items() if mark in _RIGHT)
    if not right and len(marks) == count - 1:
        return tuple({letter_of(i) for i in range(count)} - set(marks))
    if exception and len(right) > 1:
        return tuple(letter for letter in marks if letter not in right)
    return right
