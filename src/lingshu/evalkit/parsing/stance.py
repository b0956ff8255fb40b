"""Does a text put forward, state as its answer, or deny what it mentions? Clause-wise, English and Chinese.

A *clause* ends at punctuation or at a word of contrast. A mention is denied by a cue before it in its clause ("not A",
"exclude A, C and D"), by a predicate after it ("A is unlikely"), or by belonging to a list that is being excluded.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from enum import Enum

from lingshu.evalkit.parsing.cues import is_english
from lingshu.evalkit.parsing.said import DENYING, DOUBLE, EXCLUDING, LEAD, STATING, WEIGHED, said_after, said_before


class Stance(Enum):
    """How a text stands to something it mentions."""

    STATED = "stated"  # as the answer: "the answer is B", "B is correct"
    MENTIONED = "mentioned"  # put forward without more: "… so B"
    DENIED = "denied"
    UNCLEAR = "unclear"  # weighed or asked, or a double negation: "between A and B", "A?", "B can't be excluded"


# Looked up as names: as attributes of the class they cost a call each before Python 3.12.
STATED, MENTIONED, DENIED, UNCLEAR = Stance


Span = tuple[int, int]

# All patterns below are for lower-case text.
_NO_ABBREVIATION = "".join(rf"(?<!\b{word}\.)" for word in ("dr", "mr", "mrs", "vs", "fig", r"e\.g", r"i\.e"))
# A full stop ends a sentence if it is not that of a number or an abbreviation.
_SENTENCE_END = re.compile(rf"[.!?。！？\n;；](?:(?<!\.)|(?=[ \n\t\r\"')\]]|\Z){_NO_ABBREVIATION})")
_JOINED = re.compile(r"\s*(?:or|nor|或者?|和|及)\s*(?:an?\s+|the\s+)?\Z")
_CONTRAST = (
    *("but", "so", "hence", "therefore", "thus", "whereas", "while", "leaving", "leaves", "however", "although"),
    *("though", "then", "rather", "instead"),
)
_NO_CONTRAST = {"rather": " than", "instead": " of"}  # unless this follows
_ALL = re.compile(r"\b(?:all|everything|anything)(?:\s+(?:of|the|these|them|above|options?|choices?|answers?))*\s*\Z")
_ALL_EXCLUDED = re.compile(r"exclud|eliminat|\brul(?:e|es|ed|ing) out|reject|discard|dismiss")
_ALL_WITHIN = 48  # characters before a "but" that takes one out
_CONTRAST_ZH = re.compile(r"而是|所以|因此|因而|故|但|(?<=[，,])(?:考虑|诊断)")
_SOFT_BREAK = re.compile(r"[,，、](?!\d)")
# "It can't be anything but B" says what "it is B" does.
_ONLY = re.compile(
    r"\b(?:can(?:not|['’]t)|can not|could(?: not|n['’]t)|(?:is |['’]s )?(?:unlikely|not likely) to)\s+be\s+"
    r"any(?:thing|one)\s+(?:but|else (?:but|than)|other than|except(?: for)?)\b"
    r"|\b(?:nothing|none|no)\s+(?:else\s+|other\s+)(?:but|than)\b"
)

# "The correct answer is:" and a letter below it, unless that letter begins a list of options.
_ANNOUNCED = re.compile(
    r"(?:answer|答案)(?:[^,.;:?!，。\n]{0,40}?(?:\bis|[是为]))?[ \t]*:[ \t]*(?P<gap>\n\s*)"
    r"(?P<line>[(\[]?(?P<letter>[a-z])(?:[)\].:,]|\s*(?:\n|\Z)).*)"
)
_ANNOUNCING = re.compile(
    r"(?:\A|(?<=[,.;:!?，。；！？\n]))\s*(?:(?:the|my|this|final|correct|best|right|most|likely|appropriate|single|so|thus|hence"
    r"|therefore|and|that|i believe|i think)\s+|正确|最佳|最终|最后|因此|所以|故|的)*\Z"
)
_LISTED = re.compile(r"(?P<gap>\n\s*)[(\[*\-• \t]*(?P<letter>[a-z])[)\].:]")

_CONCLUDING = ("so", "hence", "therefore", "thus", "consequently", "in conclusion", "conclude that")
_CONCLUDING_ONLY = tuple(word for word in _CONCLUDING if word not in _CONTRAST)
_LEAVING = ("leaves", "leaving")
_CORRECTING = ("wait", "actually", "sorry", "i mean", "on reflection", "no,")
_CONCLUDING_ZH = "所以|因此|因而|综上|故"
_CORRECTING_ZH = "(?<=[，,。])(?:不对|等等|更正)"
_CORRECTION = rf"\b(?:{'|'.join(_CORRECTING[:-1])}|(?<![:：] )no,)|{_CORRECTING_ZH}"
_CONCLUDED = re.compile(
    rf"(?:\b(?:{'|'.join(_CONCLUDING)})\b|{_CONCLUDING_ZH})"
    r"[\s,，:：]*(?:[a-z]+\s+){0,4}[\"'“‘(\[(（]*\Z"
    rf"|(?:{_CORRECTION})"
    r"[\s,，.:：;—–-]*(?:(?:it(?:['’]s| is)|rather|option|answer)\s+|应该?|[是为选])*[\"'“‘(\[（]*\Z"
    rf"|\b(?:{'|'.join(_LEAVING)})\s+(?:(?:us|me|only|just|with|the|option|choice|letter|answer)\s+){{0,4}}[\"'“‘(\[（]*\Z",
)


class Clauses:
    """A text in lower case and where its clauses end, found once for all that it mentions."""

    __slots__ = ("breaks", "conclusions", "english", "hard", "text", "word_ends")

    def __init__(self, text: str, asked: re.Pattern[str] | None = None) -> None:
        """`asked`: words by which the question asks for what it wants ("contraindicated"); they deny nothing."""
        self.text = lower(text)
        if asked:
            self.text = asked.sub(lambda word: "\x00" * len(word[0]), self.text)
        if "anything" in self.text or "anyone" in self.text or "other than" in self.text or " else " in self.text:
            self.text = _ONLY.sub(lambda found: "is".ljust(len(found[0])), self.text)
        self.english = is_english(self.text)
        places = _places(self.text, _CONTRAST)
        self.word_ends = dict(_contrasts(self.text, places))  # other breaks are one character long
        ends = [found.start() for found in _SENTENCE_END.finditer(self.text)]
        if announced := _announced(self.text):
            inside = {at for _, gap in announced for at in gap}
            ends = [*(begin for begin, _ in announced), *(end for end in ends if end not in inside)]
        self.hard = sorted([*ends, *self.word_ends])
        self.breaks = sorted([*self.hard, *(found.start() for found in _SOFT_BREAK.finditer(self.text))])
        self.conclusions = _conclusions(self.text, places)

    def concluded(self, window: int, start: int) -> bool:
        """Return whether a word of conclusion leads to the mention at `start`, from `window` on."""
        last = bisect_left(self.conclusions, start) - 1
        while last >= 0 and self.conclusions[last] >= window:
            if _CONCLUDED.match(self.text, self.conclusions[last], start):
                return True
            last -= 1
        return False


def stances(clauses: Clauses, mentions: Sequence[Span], findings: bool = False) -> list[Stance]:
    """Return the stance of a text to each of its mentions.

    Args:
        mentions: (start, end) offsets, ascending and not overlapping.
        findings: the mentions are words about a picture, which "no", "without", "absent" deny too.
    """
    text, hard, breaks, word_ends = clauses.text, clauses.hard, clauses.breaks, clauses.word_ends
    result: list[Stance] = []
    carried = MENTIONED  # what a list that is being excluded or weighed gives to its later members
    previous_end = index = 0
    next_starts = (*(start for start, _ in mentions[1:]), len(text))
    for (start, end), next_start in zip(mentions, next_starts):  # noqa: B905 (no mentions: no next)
        if carried is not MENTIONED and bisect_left(hard, start) > bisect_left(hard, previous_end):
            carried = MENTIONED
        concluded = bool(clauses.conclusions) and clauses.concluded(max(previous_end, start - LEAD), start)
        # What stands beside the mention in its clause, back to the mention before and on to the next one.
        index = bisect_left(breaks, start, index)
        first, last = previous_end, next_start
        if index and (clause := word_ends.get(breaks[index - 1], breaks[index - 1] + 1)) > first:
            first = min(clause, start)
        index = bisect_left(breaks, end, index)
        if index < len(breaks) and breaks[index] < last:
            last = breaks[index]
        before, after = text[first:start], text[end:last]
        ahead = 0 if before == " " else said_before(clauses.english, findings, before)
        behind = said_after(clauses.english, after, last == next_start < len(text)) if after and after != " " else 0
        asked = text[end : end + 1] == "?"
        stance = UNCLEAR if asked else _stance(ahead, behind, concluded) if ahead or behind or concluded else MENTIONED
        if stance is MENTIONED:
            joined = findings and result and result[-1] is DENIED and _JOINED.match(before)
            stance = DENIED if joined else carried
        elif stance is not DENIED:
            carried = UNCLEAR if ahead & WEIGHED else MENTIONED
        elif ahead & EXCLUDING:
            carried = DENIED
        result.append(stance)
        previous_end = end
    return result


def lower(text: str) -> str:
    """Return `text` in lower case and of the same length (the few letters whose small form is longer stay)."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _announced(text: str) -> list[tuple[int, range]]:
    """Return the breaks before clauses that announce an answer, and the gaps up to their letter, which hold none."""
    result: list[tuple[int, range]] = []
    for word in ("answer", "答案"):
        start = text.find(word)
        while start >= 0:
            found = _ANNOUNCED.match(text, start)
            lead = _ANNOUNCING.search(text, max(0, start - LEAD), start) if found else None
            if found and lead and not _lists(text, found):
                result.append((lead.start() - 1, range(*found.span("gap"))))
            start = text.find(word, start + len(word))
    return result


def _lists(text: str, found: re.Match[str]) -> bool:
    """Return whether the next line is an option too: right below, or B after A."""
    following = _LISTED.match(text, found.end())
    return following is not None and (
        following["gap"].count("\n") == 1 or (found["letter"], following["letter"]) == ("a", "b")
    )


def _contrasts(text: str, places: dict[str, list[int]]) -> list[Span]:
    """Return the words of contrast (at `places`, or Chinese), which end a clause."""
    words: list[Span] = []
    if "but" in places:
        places["but"] = [at for at in places["but"] if not _takes_out(text, at)]
    for word, starts in places.items():
        length, follows = len(word), _NO_CONTRAST.get(word)
        words += [
            (start, start + length)
            for start in starts
            if follows is None or not text.startswith(follows, start + length)
        ]
    if not text.isascii():
        words += [(found.start(), found.end()) for found in _CONTRAST_ZH.finditer(text)]
    return words


def _takes_out(text: str, at: int) -> bool:
    """Return whether the "but" at `at` takes one out of all ("all but C", unless all are excluded)."""
    window = max(0, at - _ALL_WITHIN)
    return _ALL.search(text, window, at) is not None and not _ALL_EXCLUDED.search(text, window, at)


def _conclusions(text: str, places: dict[str, list[int]]) -> list[int]:
    """Return where words of conclusion stand, in order; some are words of contrast too (at `places`)."""
    starts = [start for word in (*_CONCLUDING, *_LEAVING) for start in places.get(word, ())]
    starts += [start for found in _places(text, (*_CONCLUDING_ONLY, *_CORRECTING)).values() for start in found]
    if not text.isascii():
        starts += [found.start() for found in re.finditer(f"{_CONCLUDING_ZH}|{_CORRECTING_ZH}", text)]
    return sorted(starts)


def _places(text: str, words: tuple[str, ...]) -> dict[str, list[int]]:
    """Return where whole `words` stand in `text`; `str.find` is many times faster than a pattern here."""
    result: dict[str, list[int]] = {}
    for word in words:
        start = text.find(word)
        while start >= 0:
            end = start + len(word)
            beside = text[start - 1 : end + 1 : end + 1 - start] if start else " " + text[end : end + 1]
            if beside.isspace() or not (beside[0].isalnum() or beside[1:].isalnum() or "_" in beside):
                result.setdefault(word, []).append(start)
            start = text.find(word, end)
    return result


def _stance(ahead: int, behind: int, concluded: bool) -> Stance:
    said = ahead | behind
    if said & DOUBLE:
        return UNCLEAR
    if said & DENYING:
        return DENIED
    if ahead & WEIGHED:
        return UNCLEAR
    return STATED if concluded or said & STATING else MENTIONED
