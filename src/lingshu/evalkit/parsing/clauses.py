"""A text and where its clauses end: at punctuation, or at a word of contrast; English and Chinese."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from string import ascii_lowercase

from lingshu.evalkit.parsing.cues import is_english
from lingshu.evalkit.parsing.punctuation import Punctuation, punctuation_of
from lingshu.evalkit.parsing.said import LEAD

Span = tuple[int, int]
Beside = tuple[str, str, bool, int, bool]
"""Of a mention: its clause before and after it, whether the next mention stands right behind that, the last break ahead
of it (-1 for none), and whether a word of conclusion leads to it."""

# All patterns below are for lower-case text.
_CONTRAST = (
    *("but", "so", "hence", "therefore", "thus", "whereas", "while", "leaving", "leaves", "however", "although"),
    *("though", "then", "rather", "instead"),
)
_NO_CONTRAST = {"rather": " than", "instead": " of"}  # unless this follows
_ALL = re.compile(r"\b(?:all|everything|anything)(?:\s+(?:of|the|these|them|above|options?|choices?|answers?))*\s*\Z")
_ALL_EXCLUDED = re.compile(r"exclud|eliminat|\brul(?:e|es|ed|ing) out|reject|discard|dismiss")
_ALL_WITHIN = 48  # characters before a "but" that takes one out
_CONCEDING = ("although", "though", "虽然", "尽管")
_EITHER = re.compile("(?P<one>非[^，,。；]{1,16}?)即")  # "非A即C" is A or C
# Behind "so": what goes on with the same subject ("… and so isn't one of them").
_PREDICATE = re.compile(r" (?:(?:is|are|does|do|would|should|can|could)(?:n['’]t| not)|cannot)\b")
_COPULAS = (" is ", " are ", " was ", " be ")  # "it is therefore"
_LEADING_SIGNS = " \t\"'“‘(*-"
_GAP = 8  # characters between two sentences
_SENTENCE_ENDS = ("", *".!?。！？\n;；")
_CONTRAST_ZH = re.compile(r"而是|所以|因此|因而|故|但|虽然|尽管|(?<=[，,])(?:考虑|诊断)")
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
# A clause that is but a verdict on what stands before: "…, so it is wrong", "…. This is the exception.", "…，故不选".
_VERDICT = re.compile(
    r"[.,;，。；](?=[\s\"'”’)]*(?:t|i|which|yes|no|and|so|hence|[^\x00-\x7f]))"  # a first look, for speed
    r"\s*[\"'”’)]*\s*(?:(?:and|so|thus|hence|therefore)\b,?\s*|故|所以|因此)?"
    r"(?:(?=(?:yes|no)\s*(?:[(.;,]|\Z))|(?:(?:it|that)['’]s|they(?:['’]re| are)|(?:this|that|it"
    r"|which)\s+(?:one\s+|option\s+|statement\s+|choice\s+)?(?:is|was"
    r"|would be|can be|should be"
    r"|must be))\s+"
    r"(?:(?:therefore|thus|clearly|also|the|an?|our|my)\s+)*"
    r"(?=correct|incorrect|right\b|wrong|false|true\b|answer|exception|excluded|eliminated|ruled out|unlikely"
    r"|odd one|best\b"
    r"|not\s+(?:correct|right|true|the answer|likely|consistent))"
    r"|(?=(?:不属于|不是|并非|不符合)[^。；，,;]{0,12}(?:[。；;]|\Z))"
    r"|[故应可予以]*(?=(?:不选|排除|错误|不正确|不符合?(?:题意)?|不对|正确)(?:[。；，,;\s]|\Z)))"
)
# How the first word of such a clause begins behind a blank, and what else no such clause begins with.
_BLANKS = [character for code in range(0x2028) if (character := chr(code)).isspace()]
_VERDICT_HEADS = frozenset(
    [
        *(" tha", " thi", " thu", " the", " whi", " yes", " and", " hen", " it'", " it’", " so,", " no"),
        *(f" no{sign}" for sign in "(.;,"),
        *(f" {word}{blank}" for word in ("it", "so", "no") for blank in _BLANKS),
    ]
)
_WORD_HEADS = frozenset(f" {letter}" for letter in ascii_lowercase)
# A heading whose next line is the answer.
_HEADED = re.compile(
    r"(?:\A|(?<=\n))[ \t]*(?:(?:final|most|likely|primary|working)\s+)*(?:diagnosis|impression"
    r"|conclusion)[ \t]*:?[ \t]*(?=\n)"
)
_LISTED = re.compile(r"(?P<gap>\n\s*)[(\[*\-• \t]*(?P<letter>[a-z])[)\].:]")

_CONCLUDING = ("so", "hence", "therefore", "thus", "consequently", "in conclusion", "conclude that")
_CONCLUDING_ONLY = tuple(word for word in _CONCLUDING if word not in _CONTRAST)
_LEAVING = ("leaves", "leaving")
CORRECTING = ("wait", "actually", "sorry", "i mean", "on reflection", "no,")
_CONCLUDING_ZH = "所以|因此|因而|综上|故"
CORRECTING_ZH = "(?<=[，,。])(?:不对|等等|更正)"
_CORRECTION = rf"\b(?:{'|'.join(CORRECTING[:-1])}|(?<![:：] )no,)|{CORRECTING_ZH}"
_CONCLUDED = re.compile(
    rf"(?:\b(?:{'|'.join(_CONCLUDING)})\b|{_CONCLUDING_ZH})"
    r"[\s,，:：]*(?:(?:[a-z]+(?:['’]s)?\s+){0,4}|[\u4e00-\u9fff]{0,10}[是为在选取用属])[\"'“‘(\[(（]*\Z"
    rf"|(?:{_CORRECTION})"
    r"[\s,，.:：;—–-]*(?:(?:it(?:['’]s| is)|rather|option|answer)\s+|应该?|[是为选])*[\"'“‘(\[（]*\Z"
    rf"|\b(?:{'|'.join(_LEAVING)})\s+(?:(?:us|me|only|just|with|the|option|choice|letter|answer)\s+){{0,4}}[\"'“‘(\[（]*\Z",
)


class Clauses:
    """A text in lower case and where its clauses end, found once for all that it mentions, if it mentions anything."""

    __slots__ = ("_known", "breaks", "conclusions", "english", "hard", "text", "word_ends")
    breaks: list[int]  # these and the conclusions stand between one place before the text and one behind it
    conclusions: list[int]
    hard: list[int]
    word_ends: dict[int, int]

    def __init__(self, text: str, asked: re.Pattern[str] | None = None) -> None:
        """`asked`: words by which the question asks for what it wants ("contraindicated"); they deny nothing."""
        self.text = lower(text)
        if asked:
            self.text = asked.sub(lambda word: "\x00" * len(word[0]), self.text)
        if "anything" in self.text or "anyone" in self.text or "other than" in self.text or " else " in self.text:
            self.text = _ONLY.sub(lambda found: "is".ljust(len(found[0])), self.text)
        self.english = is_english(self.text)
        if not self.english and "即" in self.text:
            self.text = _EITHER.sub("\\g<one>\x01", self.text)  # which weighs what follows
        self._known = False

    def _locate(self) -> None:
        places = _places(self.text, _CONTRAST)
        self.word_ends = dict(_contrasts(self.text, places))  # other breaks are one character long
        signs = punctuation_of(self.text)
        ends, soft = signs.ends, signs.soft
        if announced := _announced(self.text):
            inside = {at for _, gap in announced for at in gap}
            ends = [*(begin for begin, _ in announced), *(end for end in ends if end not in inside)]
        if joined := _joined_breaks(self.text, self.english, signs):
            ends, soft = [end for end in ends if end not in joined], [at for at in soft if at not in joined]
            self.word_ends = {at: end for at, end in self.word_ends.items() if at not in joined}
        self.hard = sorted([*ends, *self.word_ends])
        beyond = len(self.text) + 1
        self.breaks = [-1, *sorted([*self.hard, *soft]), beyond]
        self.conclusions = [-1, *_conclusions(self.text, places), beyond]

    def beside(self, mentions: Sequence[Span]) -> list[Beside]:
        """Return what stands beside each mention in its clause, back to the mention before and on to the next one."""
        if not self._known:
            self._known = True
            self._locate()
        text, breaks, word_ends, conclusions, size = (
            self.text,
            self.breaks,
            self.word_ends,
            self.conclusions,
            len(self.text),
        )
        result: list[Beside] = []
        previous_end, index, passed = 0, 1, 1
        starts = [start for start, _ in mentions]
        for (start, end), next_start in zip(mentions, (*starts[1:], size), strict=True):
            while conclusions[passed] < start:
                passed += 1
            concluded = conclusions[passed - 1] >= previous_end and self._concluded(previous_end, start)
            while breaks[index] < start:
                index += 1
            first, last, opening = previous_end, next_start, breaks[index - 1]
            if opening >= first and (clause := word_ends.get(opening, opening + 1)) > first:
                first = clause if clause < start else start
            while breaks[index] < end:
                index += 1
            if breaks[index] < last:  # noqa: PLR1730
                last = breaks[index]
            result.append((text[first:start], text[end:last], last == next_start < size, opening, concluded))
            previous_end = end
        return result

    def concedes(self, at: int) -> bool:
        """Return whether a word at the break `at` opens a clause that only concedes ("Although A is possible, …")."""
        if at not in self.word_ends:
            return False
        if self.text.startswith("while", at):  # "A is rare, while B is common" concedes nothing
            return self.text[max(0, at - _GAP) : at].rstrip(_LEADING_SIGNS)[-1:] in _SENTENCE_ENDS
        return self.text.startswith(_CONCEDING, at)

    def _concluded(self, window: int, start: int) -> bool:
        """Return whether a word of conclusion leads to the mention at `start`, from `window` on."""
        window = max(window, start - LEAD)
        last = bisect_left(self.conclusions, start) - 1
        while self.conclusions[last] >= window:
            if _CONCLUDED.match(self.text, self.conclusions[last], start):
                return True
            last -= 1
        return False


def lower(text: str) -> str:
    """Return `text` in lower case and of the same length (the few letters whose small form is longer stay)."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _joined_breaks(text: str, english: bool, signs: Punctuation) -> set[int]:
    """Return the places that end no clause: before a clause that is but a verdict, and below a heading."""
    joined: set[int] = set()
    for found in _verdicts(text, signs) if english else _VERDICT.finditer(text):
        start = found.start()
        if text[start] in ",，" and not text[found.end() : found.end() + 1].isascii():
            start = max(0, *(text.rfind(sign, max(0, start - LEAD), start) for sign in "。；;\n"))
        joined.update(range(start + (start < found.start()), found.end()))
    if "\n" in text:
        for found in _HEADED.finditer(text):
            joined.update(range(found.end(), found.end() + 2))
    return joined


def _verdicts(text: str, signs: Punctuation) -> Iterator[re.Match[str]]:
    """Yield what `_VERDICT` finds in an English text; few of its signs have to be looked at."""
    end = 0
    for at in sorted([*signs.stops, *signs.marks, *signs.commas]):
        if text[at + 1 : at + 5] not in _VERDICT_HEADS and text[at + 1 : at + 3] in _WORD_HEADS:
            continue
        if at < end or (text.startswith(" the", at + 1) and not text.startswith(("y", "refore"), at + 5)):
            continue
        if found := _VERDICT.match(text, at):
            end = found.end()
            yield found


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
        length, follows, concludes = len(word), _NO_CONTRAST.get(word), word in _CONCLUDING
        words += [
            (start, start + length)
            for start in starts
            if (follows is None or not text.startswith(follows, start + length))
            and not (concludes and _PREDICATE.match(text, start + length))
            and not (text[start - 2 : start - 1] in "se" and text.endswith(_COPULAS, max(0, start - _GAP), start))
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
    starts += [start for found in _places(text, (*_CONCLUDING_ONLY, *CORRECTING)).values() for start in found]
    if not text.isascii():
        starts += [found.start() for found in re.finditer(f"{_CONCLUDING_ZH}|{CORRECTING_ZH}", text)]
    return sorted(starts)


def _places(text: str, words: tuple[str, ...]) -> dict[str, list[int]]:
    """Return where whole `words` stand in `text`; `str.find` is many times faster than a pattern here."""
    result: dict[str, list[int]] = {}
    for word in words:
        start, length = text.find(word), len(word)
        found: list[int] = []
        while start >= 0:
            end = start + length
            beside = text[start - 1 : end + 1 : length + 1] if start else " " + text[end : end + 1]
            if beside == "  " or beside.isspace() or not (beside[0].isalnum() or beside[1:].isalnum() or "_" in beside):
                found.append(start)
            start = text.find(word, end)
        if found:
            result[word] = found
    return result
