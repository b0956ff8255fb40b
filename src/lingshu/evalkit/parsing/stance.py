"""Does a text put forward, state as its answer, or deny what it mentions? Clause-wise, English and Chinese.

A *clause* ends at punctuation or at a word of contrast. A mention is denied by a cue before it in its clause ("not A",
"exclude A, C and D"), by a predicate after it ("A is unlikely"), or by belonging to a list that is being excluded.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from enum import Enum


class Stance(Enum):
    """How a text stands to something it mentions."""

    STATED = "stated"  # as the answer: "the answer is B", "B is correct"
    MENTIONED = "mentioned"  # put forward without more: "… so B"
    DENIED = "denied"
    UNCLEAR = "unclear"  # weighed or asked, or a double negation: "between A and B", "A?", "B can't be excluded"


Span = tuple[int, int]

# All patterns below are for lower-case text.
_PUNCTUATION = re.compile(r"[.!?。！？\n;；]")
_ABBREVIATION = re.compile(r"(?:\b(?:dr|mr|mrs|vs|fig|e\.g|i\.e))\Z")
_JOINED = re.compile(r"\s*(?:or|nor|或者?|和|及)\s*(?:an?\s+|the\s+)?\Z")
_CONTRAST = (
    *("but", "so", "hence", "therefore", "thus", "whereas", "while", "leaving", "leaves", "however", "although"),
    *("though", "then", "rather", "instead"),
)
_NO_CONTRAST = {"rather": " than", "instead": " of"}  # unless this follows
_CONTRAST_ZH = re.compile(r"而是|所以|因此|因而|故|但|(?<=[，,])(?:考虑|诊断)")
_SOFT_BREAK = re.compile(r"[,，、](?!\d)")
_REASON = re.compile(
    r"\b(?:because|since|as|given|due to|which|unlike|rather than|instead of)\b|因为|由于|而不是|而非",
)
# English alternatives share one leading \b, which lets the engine pass over most of a text.
_NOT = r"not\b(?!\s+(?:only|sure|certain|just)\b)|cannot\b|never\b"
_EXCLUDING = (
    r"exclud\w*|eliminat\w*|rul(?:e|es|ed|ing)\s+(?:\w+\s+)?out\b|reject\w*|discard\w*|dismiss\w*|except\b"
    r"|incorrect\b|wrong\b|false\b|neither\b"
)
_EXCLUDING_ZH = "排除|除了|除外|错误|不正确|不选"
_EXCLUDING_BEFORE = re.compile(rf"\b(?:{_EXCLUDING})|{_EXCLUDING_ZH}")
_DENIED_BEFORE = re.compile(
    rf"\b(?:{_NOT}|{_EXCLUDING}|nor\b|rather than\b|instead of\b|unlike\b|unlikely\b|other than\b|against\b"
    rf"|i doubt\b|avoid(?:s|ed|ing)?\b|over\s*\Z"
    rf"|(?:more|better|likelier)\b[^.,;]*\bthan\s*(?:option\s*)?\Z)|n['’]t\b|{_EXCLUDING_ZH}|除\s*\Z"
    r"|不是|不会是|不应|不能|不可能|并非|而非|非\s*\Z|不\s*\Z",
)
_FINDING_DENIED = re.compile(
    r"\b(?:no|without|absen(?:t|ce)|negative for|free of|lack(?:s|ing)?|denies)\b"
    r"|无(?!\s*疑)|没有|未见|未发现|否认|不存在",
)
_DENIED_AFTER = re.compile(
    rf"\b(?:{_NOT}|{_EXCLUDING}|unlikely\b|less likely\b|implausible\b|invalid\b|inappropriate\b|contraindicated\b"
    rf"|irrelevant\b|unrelated\b|absent\b)|n['’]t\b|\A[)\]\s]*[:：][\s]*no\b|[✗✘❌]|\A[)\s]*×(?!\s*\d)|{_EXCLUDING_ZH}"
    r"|不是|不对|不符|不会|不可能|不应|不能|不成立|有误|错",
)
_DOUBLE = re.compile(
    r"(?:\bnot|n['’]t|\bcannot|\bnever)\s+(?:\w+\s+){0,2}?(?:exclud\w*|eliminat\w*|rule[ds]?\s+out|reject\w*|incorrect\b|wrong\b"
    r"|unlikely\b|false\b|implausible\b)|(?:不能|不可|无法|不|难以)(?:完全)?排除|没有错|不错误",
)
_WEIGHED_BEFORE = re.compile(
    r"\b(?:between|either|whether|among|considered|considering|at first|initially|originally|(?<!second )thought"
    r"|(?:might|may|could|would) think|(?:sure|certain|know|tell|say|clear|determine) if)\b|还是|介于"
)
_CONCLUDING = ("so", "hence", "therefore", "thus", "consequently", "in conclusion", "conclude that")
_CONCLUDING_ZH = "所以|因此|因而|综上|故"
_CONCLUDED = re.compile(
    rf"(?:\b(?:{'|'.join(_CONCLUDING)})\b|{_CONCLUDING_ZH})"
    r"[\s,，:：]*(?:[a-z]+\s+){0,4}[\"'“‘(\[（]*\Z",
)
_OF_NEXT = re.compile(
    r"[\s,，、(]*(?:\band\b|\bor\b)?\s*(?:\bnot\b|\bnor\b|\bover\b|不是|而非|非)[\s(\[\"']*\Z",
)
_NEXT_DENIED = ("not", "nor", "over", "是", "非")
_STATED_BEFORE = re.compile(
    r"(?:\b(?:answer|correct|right|best|final)\b[^.,;\n]{0,40}?(?:\bis\b|\bare\b|\bbe\b|\bwas\b|[:：=])"
    r"|\banswer\b|\b(?:choose|chose|select|pick|answered)\b|\b(?:go|going) (?:with|for)\b|\bopt for\b|\bsettle on\b"
    r"|答案[^,，。;\n]{0,8}|选择?|应为)"
    r"\s*(?:(?:probably|likely|most likely|definitely|clearly|actually|certainly|indeed|obviously|simply|surely)\s+)?"
    r"(?:the\s+|an?\s+)?(?:letter|option|choice|答案|选项)?[\s:：=\"'“‘(\[{（为是-]*\Z",
)
_STATED_AFTER = re.compile(
    r"\b(?:correct|true|the answer|(?:my|final|best|right) (?:answer|choice|option)|the (?:best|right|most \w+)"
    r"|(?:is|be|seems|are) (?:right|best|most (?:likely|appropriate))(?!\w|[ -]?(?:sided|lateral|lung|side))"
    r"|(?:is|seems|fits|would be) better(?! known)|remains)\b|\A[)\]\s]*[:：][\s]*yes\b|[✓✔✅]|\A[)\s]*√(?!\s*\d)"
    r"|正确|是对的|为答案|是答案|最符合",
)
_TAIL = 32  # characters before the next mention that may hold its "not"
_LEAD = 96  # characters before a mention that may hold "the answer is"


def stances(text: str, mentions: Sequence[Span], findings: bool = False) -> list[Stance]:
    """Return the stance of `text` to each of its mentions.

    Args:
        mentions: (start, end) offsets, ascending and not overlapping.
        findings: the mentions are words about a picture, which "no", "without", "absent" deny too.
    """
    if not mentions:
        return []
    text = lower(text)
    hard = _hard_breaks(text)
    every = sorted({*hard, *((m.start(), m.end()) for m in _SOFT_BREAK.finditer(text))})
    hard_starts, starts = [b[0] for b in hard], [b[0] for b in every]
    conclusions = _conclusions(text)
    result: list[Stance] = []
    carried = Stance.MENTIONED  # what a list that is being excluded or weighed gives to its later members
    for number, (start, end) in enumerate(mentions):
        previous_end = mentions[number - 1][1] if number else 0
        next_start = mentions[number + 1][0] if number + 1 < len(mentions) else len(text)
        index = bisect_right(starts, start - 1)
        clause_start = every[index - 1][1] if index else 0
        before = text[max(previous_end, min(clause_start, start)) : start]
        index = bisect_left(starts, end)
        after = text[end : min(next_start, starts[index] if index < len(starts) else len(text))]
        if bisect_left(hard_starts, start) > bisect_left(hard_starts, previous_end):
            carried = Stance.MENTIONED
        window = max(previous_end, start - _LEAD)
        concluded = (
            bisect_left(conclusions, window) < bisect_left(conclusions, start)
            and _CONCLUDED.search(text, window, start) is not None
        )
        stance = (
            Stance.UNCLEAR
            if text.startswith("?", end) and not findings
            else _stance(before, after, findings, concluded)
        )
        if stance is Stance.MENTIONED:
            joined = findings and result and result[-1] is Stance.DENIED and _JOINED.match(before)
            stance = Stance.DENIED if joined else carried
        elif stance is not Stance.DENIED:
            carried = Stance.UNCLEAR if _WEIGHED_BEFORE.search(before) else Stance.MENTIONED
        elif _EXCLUDING_BEFORE.search(before):
            carried = Stance.DENIED
        result.append(stance)
    return result


def lower(text: str) -> str:
    """Return `text` in lower case and of the same length (the few letters whose small form is longer stay)."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _hard_breaks(text: str) -> list[Span]:
    """Return the ends of sentences and the words of contrast, in order."""
    breaks = [
        (found.start(), found.end())
        for found in _PUNCTUATION.finditer(text)
        if found[0] != "." or _ends_sentence(text, found.start())
    ]
    words = [
        (start, end)
        for start, end in _places(text, _CONTRAST)
        if not (follows := _NO_CONTRAST.get(text[start:end])) or not text.startswith(follows, end)
    ]
    if not text.isascii():
        words += [(found.start(), found.end()) for found in _CONTRAST_ZH.finditer(text)]
    return sorted(breaks + words)


def _conclusions(text: str) -> list[int]:
    """Return where words of conclusion stand, in order."""
    starts = [word[0] for word in _places(text, _CONCLUDING)]
    if not text.isascii():
        starts += [found.start() for found in re.finditer(_CONCLUDING_ZH, text)]
    return sorted(starts)


def _places(text: str, words: tuple[str, ...]) -> list[Span]:
    """Return where whole `words` stand in `text`, word by word; `str.find` is many times faster than a pattern here."""
    result: list[Span] = []
    for word in words:
        start = text.find(word)
        while start >= 0:
            end = start + len(word)
            edges = text[start - 1 : start] if start else "", text[end : end + 1]
            if not any(edge.isalnum() or edge == "_" for edge in edges):
                result.append((start, end))
            start = text.find(word, end)
    return result


def _ends_sentence(text: str, stop: int) -> bool:
    after = text[stop + 1 : stop + 2]
    return not after or (after in " \n\t\r\"')]" and not _ABBREVIATION.search(text, max(0, stop - 5), stop))


def _stance(before: str, after: str, findings: bool, concluded: bool) -> Stance:
    of_next = None
    if after.rstrip(" \t\r\n([\"'").endswith(_NEXT_DENIED):
        of_next = _OF_NEXT.search(after, max(0, len(after) - _TAIL))
    predicate = after[: of_next.start()] if of_next else after
    reason = _REASON.search(predicate)
    predicate = predicate[: reason.start()] if reason else predicate
    if _DOUBLE.search(before) or _DOUBLE.search(predicate):
        return Stance.UNCLEAR
    if _DENIED_BEFORE.search(before) or _DENIED_AFTER.search(predicate):
        return Stance.DENIED
    if findings and _FINDING_DENIED.search(before):
        return Stance.DENIED
    if _WEIGHED_BEFORE.search(before):
        return Stance.UNCLEAR
    if concluded or _STATED_BEFORE.search(before, max(0, len(before) - _LEAD)) or _STATED_AFTER.search(predicate):
        return Stance.STATED
    return Stance.MENTIONED
