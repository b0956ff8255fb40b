r"""From a judge's reply to its verdict: JSON first, then `key: value`, then tags, then a lone word; else no verdict.

Nothing is guessed from prose, and every search is bounded by the length of the reply. MedEvalKit counts what it can't
read as wrong or asks for ever (D35, D36, D37); here it is no verdict, with the reason.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

MOST_CHARACTERS = 20_000  # of a reply; what is before the last so many is not read
MOST_OBJECTS = 200  # beginnings of JSON objects that are tried
UNSURE = "unsure"
UNREADABLE = "unreadable"
CONTRADICTION = "contradiction"
_KEYS = ("verdict", "criteria_met")
_YES = {"yes", "true", "correct", "right", "met", "是", "正确", "对"}
_NO = {"no", "false", "incorrect", "wrong", "not met", "unmet", "not correct", "否", "错误", "不正确", "错"}
_UNSURE = {"unsure", "unclear", "unknown", "undecided", "cannot tell", "can't tell", "不确定", "无法判断"}
_THINK_END = re.compile(r"</\s*(?:think|thinking|thought|reasoning)\s*>", re.IGNORECASE)
_THINK_OPEN = re.compile(r"<\s*(?:think|thinking|thought|reasoning)\s*>", re.IGNORECASE)
_PAIR = re.compile(
    r"(?<![\w-])[\"'“‘*]{0,3}(?:verdict|criteria_met)[\"'”’*]{0,3}[ \t]{0,3}[:：=][ \t\"'“‘*]{0,6}"
    r"(not met|not correct|cannot tell|can't tell|\w+\b)"
    # "yes/no" and "no verdict is possible" are none
    r"(?=[\"'”’*]{0,3}[ \t]{0,3}(?:[.,;:!()}\]\n\r<。，；—–-]|\Z|(?:because|since|as)\b))",
    re.IGNORECASE,
)
_KEY = re.compile(r"(?:verdict|criteria_met)[\"'”’*\s]*[:：=]", re.IGNORECASE)
_JSON_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|[bfnrt])")
_VERDICT_TAG = re.compile(r"<\s*(?:verdict|criteria_met)\s*>([^<>]{1,40})<\s*/", re.IGNORECASE)
_JUDGE_TAG = re.compile(r"<\s*judge\s*>([^<>]{1,40})<\s*/\s*judge\s*>", re.IGNORECASE)
_CODE_FENCE = re.compile(r"\A```(?:json)?\s*|\s*```\Z", re.IGNORECASE)
_AROUND = " \t\r\n.,;:!。！{}[]()\"'`*“”‘’"


@dataclass(frozen=True, slots=True)
class Reading:
    """A verdict, or None and why: the judge is `unsure`, its reply `unreadable` or a `contradiction`."""

    verdict: bool | None
    reason: str = ""


def imitates_verdict(text: str) -> bool:
    """Tell whether material looks like a verdict itself, so that a judge that quotes it could be misread.

    More counts than is read: whatever blanks or escapes of JSON stand in it.
    """
    plain = _JSON_ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else " ", text)
    return any(form.search(plain) for form in (_KEY, _VERDICT_TAG, _JUDGE_TAG))


def read_reply(reply: str, *, whole: bool = False) -> Reading:
    """Return the verdict that a reply states; with `whole`, only a reply that is one JSON object and nothing else.

    Of several JSON objects with a verdict, or of several tags, the last one counts: a judge may quote before it
    decides. In `<judge>` tags 0 is right and 1 is wrong, as MedEvalKit's prompt has it; braces around it do no harm.
    """
    text = outside_think(reply[-MOST_CHARACTERS:])
    if whole:
        return _from_whole(text) or Reading(None, UNREADABLE)
    for read in (_from_objects, _from_pairs, _from_tags, _from_word):
        if (found := read(text)) is not None:
            return found
    return Reading(None, UNREADABLE)


def outside_think(text: str) -> str:
    """Return what follows the last think block; one that never closes leaves nothing, for no verdict was given."""
    ends = list(_THINK_END.finditer(text))
    text = text[ends[-1].end() :] if ends else text
    opened = _THINK_OPEN.search(text)
    return text[: opened.start()] if opened else text


def _from_objects(text: str) -> Reading | None:
    found: Reading | None = None
    decoder = json.JSONDecoder()
    position, tried = text.find("{"), 0
    while position >= 0 and tried < MOST_OBJECTS:
        tried += 1
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            end = position + 1
        else:
            found = _from_value(value) or found
        position = text.find("{", end)
    return found


def _from_whole(text: str) -> Reading | None:
    try:
        return _from_value(json.loads(_CODE_FENCE.sub("", text.strip())))
    except (ValueError, RecursionError):
        return None


def _from_value(value: Any) -> Reading | None:
    if not isinstance(value, dict):
        return None
    keys = {str(key).strip().lower(): one for key, one in value.items()}
    for key in _KEYS:
        one = keys.get(key)
        if isinstance(one, bool):
            return Reading(one)
        if isinstance(one, str) and (found := _word(one)) is not None:
            return found
    return None


def _from_pairs(text: str) -> Reading | None:
    """Read `verdict: yes` in whatever quotes, of broken JSON and Python literals too; all that are there must agree."""
    found = {reading for match in _PAIR.finditer(text) if (reading := _word(match[1])) is not None}
    if len(found) > 1:
        return Reading(None, CONTRADICTION)
    return found.pop() if found else None


def _from_tags(text: str) -> Reading | None:
    words = [(match.start(), _word(match[1])) for match in _VERDICT_TAG.finditer(text)]
    words += [(match.start(), _number(match[1])) for match in _JUDGE_TAG.finditer(text)]
    readings = [reading for _, reading in sorted(words, key=lambda pair: pair[0]) if reading is not None]
    return readings[-1] if readings else None


def _number(text: str) -> Reading | None:
    found = text.strip(_AROUND)
    return Reading(found == "0") if found in ("0", "1") else None


def _from_word(text: str) -> Reading | None:
    return _word(text) if len(text) <= 40 else None


def _word(text: str) -> Reading | None:
    word = " ".join(text.strip(_AROUND).lower().replace("_", " ").split())
    if word in _YES:
        return Reading(verdict=True)
    if word in _NO:
        return Reading(verdict=False)
    return Reading(None, UNSURE) if word in _UNSURE else None
