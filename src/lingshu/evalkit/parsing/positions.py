"""Answers that name an option by its place in the list: "the second option", "option 4", "第三个选项"."""

from __future__ import annotations

import re

from lingshu.evalkit.parsing.options import option_texts, words

_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
    *("1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th", "9th", "10th"),
)
_NUMERALS_ZH = "一二三四五六七八九十"
NOUNS = ("ption", "hoice", "lternative", "第", "最后")  # a text without one of these names no place
_NOUN = r"(?:answer\s+)?(?:options?|choice|alternative)"
_PLACE = re.compile(
    r"(?:(?:the\s+)?(?:(?:correct|right|best|final)\s+)?answer\s*(?:is|:)\s*|it(?:['’]s| is)\s+"
    r"|i(?:['’]d| would)?\s+(?:choose|pick|select|say|go with)\s+)?"
    rf"(?:(?:the\s+)?(?P<ordinal>{'|'.join(_ORDINALS)}|last)\s+{_NOUN}|(?:the\s+)?{_NOUN}\s+(?:number\s+|#)?(?P<number>\d\d?)"
    rf"|(?:答案[是为:：]?|选择?)?\s*第\s*(?P<zh>[{_NUMERALS_ZH}]|\d\d?)\s*(?:个?(?:选项|答案)|项|个)"
    r"|最后一?个?(?P<last>选项|项))"
    r"(?:\s*(?:is\s+(?:the\s+)?(?:correct|right|best|most likely)(?:\s+(?:answer|one|option|choice))?"
    r"|是?正确的?|是?对的?))?\s*[.!。！]?",
    re.IGNORECASE,
)


_PLACED_NOUNS = ("ption", "hoice", " one")
_PLACED = re.compile(
    rf"(?:\bi\.e\.,?|\bnamely|\bis|\bwith|\bpick|\bchoose|\bselect|[,:])\s+the (?P<place>{'|'.join(_ORDINALS)}"
    rf"|last) (?:option|choice|one)"
    r"(?=\s*(?:[.!]|\Z|(?:is|was) (?:the )?(?:correct|right|best|answer|one)|applies|fits))",
    re.IGNORECASE,
)


def option_at_place(text: str, choices: tuple[str, ...]) -> str:
    """Return the letter of the option whose place `text` names, "" if it names none.

    A number that stands in an option's text ("option 4" beside "4 days") may mean that one: no answer.
    """
    found = _PLACE.fullmatch(text)
    if not found:
        return ""
    place = found["ordinal"] or found["number"] or found["zh"] or "last"
    if place.isdecimal() and any(place in words(option) for option in option_texts(choices)):
        return ""
    index = _index(place.lower(), len(choices))
    return chr(ord("A") + index) if 0 <= index < len(choices) else ""


def option_placed(text: str, choices: tuple[str, ...]) -> str:
    """Return the letter of the one option that a longer text names by its place ("… i.e. the last option."), or ""."""
    if not any(noun in text for noun in _PLACED_NOUNS):
        return ""
    places = {found["place"].lower() for found in _PLACED.finditer(text)}
    index = _index(places.pop(), len(choices)) if len(places) == 1 else -1
    return chr(ord("A") + index) if 0 <= index < len(choices) else ""


def _index(place: str, count: int) -> int:
    if place.isdecimal():
        return int(place) - 1
    if place in _NUMERALS_ZH:
        return _NUMERALS_ZH.index(place)
    return count - 1 if place == "last" else _ORDINALS.index(place) % (len(_ORDINALS) // 2)
