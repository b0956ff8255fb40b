"""Answers that are a ranking of options, by letter or text: "C > B > A", "CT < MRI", "Most to least likely: C, B, A".

They decide only as a whole: beside more words, or with signs in two directions, no letter of them is an answer.
"""

from __future__ import annotations

import re

from lingshu.evalkit.parsing.options import whole_option

_LEAD = (
    r"(?:(?i:[^.!?\n<>]{0,40}?\b(?:rank(?:ed|ing)?|likel(?:y|iest|ihood)|plausib(?:le|ility)|probability|preference)\b)"
    r"[^.!?\n<>]{0,20}?[\s:：]|(?:可能性|概率)[\u4e00-\u9fff]{0,6}[:：]?\s*)?"
)
_LETTER = r"[(\[]?[A-Z][)\]]?"
_RANKING = re.compile(rf"{_LEAD}(?P<chain>{_LETTER}(?:(?:\s*>+\s*{_LETTER})+|(?:\s*<+\s*{_LETTER})+))\s*[.。]?")
_LISTED = re.compile(
    r"(?i:[^.!?\n]{0,40}?\b(?P<first>most|least)\s+(?:likely\s+)?to\s+(?:the\s+)?(?:most|least)\b[^.!?\n:：]{0,20})[:：]\s*"
    rf"(?P<chain>{_LETTER}(?:\s*[,，、>]\s*{_LETTER})+)\s*[.。]?"
)
COMPARED = re.compile(r"(?<![A-Za-z0-9<])[A-Z][)\]]?(?:[ \t]*[<>=≈≥≤]+[ \t]*[(\[]?[A-Z](?![A-Za-z0-9])[)\]]?)+")
"""Letters that are compared by signs: in a text that says more, or with signs in two directions, none is an answer."""


def ranked_first(text: str, choices: tuple[str, ...] | None, count: int) -> str:
    """Return the letter of the option that a text ranks first if it is a ranking and no more, else ""."""
    if found := _RANKING.fullmatch(text):
        first = 0 if ">" in found["chain"] else -1
    elif found := _LISTED.fullmatch(text):
        first = 0 if found["first"].lower() == "most" else -1
    else:
        return _named_first(text, choices) if choices else ""
    letters = re.findall("[A-Z]", found["chain"])
    known = all(ord(letter) - ord("A") < count for letter in letters)
    return letters[first] if known and len(set(letters)) == len(letters) else ""


def _named_first(text: str, choices: tuple[str, ...]) -> str:
    """Return the letter of the first of option texts with signs of one direction between, or ""."""
    for sign, first in ((">", 0), ("<", -1)):
        parts = text.split(sign)
        words = len(parts) > 1 and all(any(c.isalpha() for c in part) for part in parts)  # "5 < 10" is arithmetic
        letters = [whole_option(choices, part) for part in parts] if words else []
        if letters and all(letters) and len(set(letters)) == len(letters):
            return letters[first]
    return ""
