"""Is a single letter in a text an option letter? What stands right before and after it decides.

The article "A", the pronoun "I", "vitamin D", "hepatitis B", "E. coli", "C-reactive" are not option letters.
All texts here but one are lower-case.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lingshu.evalkit.parsing.cues import by_first_letter
from lingshu.evalkit.parsing.options import word_set

WORDS_TOO = frozenset("AI")  # letters that are English words
EDGES = " \t\r\n\"'“”‘’.,:;!?()[]{}<>。，：；、！？（）【】「」《》·~=-–—"

_NOUNS = word_set(
    "vitamin vitamins hepatitis type types group groups factor factors class classes stage stages grade grades lead"
    " leads influenza protein proteins complex immunoglobulin immunoglobulins hemophilia haemophilia chromosome"
    " chromosomes cytochrome figure figures fig panel panels image images arrow arrows label labels zone zones level"
    " levels phase phases apolipoprotein coenzyme schedule score child-pugh dr mr mrs ms sample table appendix point"
    " plan toxin toxins antigen antigens kerley"
)
_SHORTENED = word_set("fig figs dr mr mrs ms")  # nouns with a stop
_NOUNS_ZH = ("维生素", "型", "图")
_LEADS = word_set("option options choice choices letter")
_CHOOSING = word_set("choose pick select say choosing picking selecting")  # "I'd pick A today"
_GOING = re.compile(r"(?:\bgo|\bgoing|\bopt|\bopting) (?:with|for) \Z")
_LEADS_ZH = ("选项", "选", "选择", "答案")
_ANY = word_set(
    "is was are were does because since due and or nor but so not as over rather instead fit fits seem seems appear"
    " appears looks matches remains explains accounts suggests involves causes lacks corresponds refers sounds stands"
    " here"
)
_MORE = word_set(
    "would could can cannot should will may might must has describe describes represent represents best only alone"
    " beats"
    " correct wrong incorrect right based given for then too also with on in which who while whereas instead"
)
_IT_IS = r"it (?:is|must be|has to be)(?=(?: then| indeed)?\s*(?:\Z|[.!,;\n]))"  # "C it is."
_SHORT_ANY, _SHORT_MORE = "(?:is|was|are|were|does)n['’]t", "can['’]t"
_WORDS_ANY = by_first_letter(rf"(?:{'|'.join(sorted(_ANY))}|{_SHORT_ANY})\b")
_WORDS_MORE = by_first_letter(rf"(?:{'|'.join(sorted(_MORE))}|{_SHORT_MORE})\b")
_WORDS = by_first_letter(rf"(?:{'|'.join(sorted(_ANY | _MORE))}|{_SHORT_ANY}|{_SHORT_MORE})\b")
_AFTER_ANY = re.compile(
    r"[)\]}】>\"'”’]*\s*(?:\Z|[.,;:!?。，；：！？、/\n)]|(?!型|超|族|级|细胞|淋巴|链|线|波|类|组|区|期|段|带|峰|肽|反应|受体|抗原|抗体)[\u4e00-\u9fff]|[-–—]\s|[→⇒]|[=-]>"
    rf"|{_WORDS_ANY}|{_IT_IS}|i (?:guess|think|believe|suppose|would)\b|makes (?:(?:the )?most|(?:perfect |more "
    rf"|the best )?sense)\b|[✓✔✅✗✘❌√×])"
)
_AFTER_MORE = re.compile(rf"\s*(?:\(|{_WORDS_MORE})")
_LEAD_ENDS = (
    *(
        "ption",
        "ptions",
        "hoice",
        "hoices",
        "etter",
        "hoose",
        "hoosing",
        " pick",
        "picking",
        "elect",
        "electing",
        " say",
    ),
    *("go for", "go with", "going for", "going with", "opt for", "opting for"),
)
_NOT_LED = "".join(rf"(?<!{lead} .)" for lead in _LEAD_ENDS)
IN_PROSE = (
    rf"(?<=[a-z,.;)\]] .){_NOT_LED} (?:(?<=[AI].)(?!{_WORDS_ANY})|(?<![AI].)(?!{_WORDS}))"
    r"(?!(?:it|makes)\b)(?![a-z]+[A-Z])[a-z]"
)
"""Behind a capital: it stands between a word and one that says nothing of options, so it is none but by its own text.

What `is_option_letter` would find, told by a pattern, which passes over such letters at no cost.
"""
JOINING = frozenset({"and", "or", "nor", "as", "it", "makes"})
"""Words behind a letter that need a closer look: a list may go on, or a phrase."""


def _before_words(words: frozenset[str]) -> str:
    return rf"(?= (?:{by_first_letter('|'.join(sorted(words - JOINING)))})[,.:;]* )"


AMONG_WORDS = (
    r"(?<=[^\s(\[{【〔（] .)(?:"
    rf"(?P<word>(?<![AI]){_before_words(_ANY | _MORE)}|(?<=A){_before_words(_ANY)}|(?<=I)(?= is[,.:;]* )"
    rf"|(?<=\s[Oo]ption A)(?= (?!(?:{'|'.join(sorted(JOINING))})\b)[a-z]{{1,12}}[,.:;]? ))"
    r"|(?P<sign>(?=[;:!?] [A-Za-z]|, (?![aon])[a-z]|\. [A-Z])))"
)
"""Behind a capital: it stands behind a blank and before what makes it an option letter, if no noun is before it.

What `is_letter_among_words` would find of most, told by a pattern; one group is of words, one of signs.
"""
AMONG_CHARACTERS = (
    r"(?<=[\u4e00-\u9fff,;:。、].)(?<![素型图].)(?<!I)"
    r"(?:(?P<character>(?![和与及或以型超族级细淋链线波类组区期段带峰肽反受抗])(?=[\u4e00-\u9fff]))|(?P<mark>(?=[,;:。、][\u4e00-\u9fff])))"
)
"""… it stands in Chinese, likewise; one group is of characters, one of signs."""
ENDING_CLAUSES = frozenset(",;:!?")  # whatever stands before
STOPS = ENDING_CLAUSES | {"."}
_BRACKET = re.compile(r" ?[(（]")  # "Answer: A (as …)"
_ANSWERED = re.compile(r"answer(?: is)?\s*[:：]?\s*\Z")
_AFTER_I = re.compile(r"\s*(?:\Z|[.,;:!?)\n]|is\b)")
_ABBREVIATION = re.compile(r"\. ?[a-z]")  # "E. coli"; a sentence that follows begins with a capital
_FUNCTION_WORD = re.compile(r"\.\s+(?:because|since|this|the|it|as|due|a|an|these|that|there|based|given)\b")
_LED_BEFORE = re.compile(
    r"(?:\b(?:answer|ans|option|choice|choose|pick|select)\b\s*(?:is\b|[:：=])?|选项?|[答回][案答][是为:：]?)\s*[\"'(]?\Z"
)
_SAID_BEFORE = re.compile(r"(?:\b(?:is|be|with)|['’]s)\s+[\"'(]?\Z")
AFTER_SMALL = "is|was|because|since|and|or|but|not"
"""Words that may follow a small option letter after blanks; no other word does."""
_LED_AFTER = re.compile(rf"[\"')]?\s*(?:\Z|[.,;:!?。，；\n)]|(?:{AFTER_SMALL})\b)")
_LINE_AFTER = re.compile(r"[.)：:](?:\s|\Z)|[ \t]*(?:\n|\Z)")
_BEFORE = 24  # characters that may hold the word before
_AFTER = 16  # … and the word after
TAIL = 4  # characters before a letter: the last of a word, and a blank


def is_option_letter(text: str, lowered: str, span: tuple[int, int], letters: list[str], own_text: bool) -> bool:
    """Return whether capital letters at `span` are option letters; `own_text`: the option's text follows."""
    start, end = span
    before = lowered[start - _BEFORE if start > _BEFORE else 0 : start]
    sign = text[end : end + 1]
    line = not before or before[-1] == "\n"
    noun = not line and is_noun(before)
    if noun or own_text or sign in ENDING_CLAUSES:
        return not noun
    led, colon = _led_before(before)
    if sign == "." and _ABBREVIATION.match(text, end) and not _FUNCTION_WORD.match(lowered, end, end + _AFTER):
        return led
    behind = end + _AFTER
    if letters == ["I"] and not _AFTER_I.match(lowered, end, behind):
        return False
    if _AFTER_ANY.match(lowered, end, behind):
        return True
    if letters[-1] in WORDS_TOO:
        answered = led or _ANSWERED.search(before) is not None
        return len(letters) > 1 or (led and not colon) or (answered and _BRACKET.match(text, end) is not None)
    return led or _AFTER_MORE.match(lowered, end, behind) is not None


def is_letter_among_words(lowered: str, at: int, letter: str, follows: str) -> bool:
    """Return what `is_option_letter` does of a capital after a blank; `follows`: the word behind a blank, or a sign."""
    before = lowered[at - _BEFORE if at > _BEFORE else 0 : at]
    if (noun := is_noun(before)) or follows in STOPS:
        return not noun
    led, colon = _led_before(before)
    if letter in WORDS_TOO:
        return (letter != "I" or follows == "is") and (follows in _ANY or (led and not colon))
    return follows in _ANY or follows in _MORE or led


def is_named(lowered: str, at: int) -> bool:
    """Return whether a noun with letters of its own stands before the blank before the letter `at`."""
    if at >= TAIL and ends_no_noun(lowered[at - TAIL : at - 1]):
        return False  # as of most letters
    start = at - _BEFORE if at > _BEFORE else 0
    blank = lowered.rfind(" ", start, at - 1)
    if blank >= 0 and lowered[at - 2] != ".":
        last = lowered[blank + 1 : at - 1]
        if last.isalpha() and last.isascii():
            return last in _NOUNS
    return is_noun(lowered[start:at])


@lru_cache(maxsize=1 << 14)
def ends_no_noun(tail: str) -> bool:
    """Return whether the last characters of a word, which a stop may end, are those of no noun."""
    letters, nouns = tail.removesuffix("."), _SHORTENED if tail[-1] == "." else _NOUNS
    return letters.isalpha() and letters.isascii() and not any(noun.endswith(letters) for noun in nouns)


def is_noun(before: str) -> bool:
    """Return whether what stands before letters ends in a noun with letters of its own."""
    if before[-1:] == " " and before[-2:-1].isalpha() and before.isascii():
        return before.rsplit(None, 1)[-1].lstrip(EDGES) in _NOUNS  # the commonest case: a word and a blank
    return _noun_before(before)


def _led_before(before: str) -> tuple[bool, bool]:
    """Return what `_led` does; by a verb of choosing too where a word and a blank end what stands before."""
    if before[-1:] == " " and before[-2:-1].isalpha() and before.isascii():
        last = before.rsplit(None, 1)[-1].lstrip(EDGES)
        return last in _LEADS or last in _CHOOSING or _GOING.search(before) is not None, False
    return _led(before)


def is_name(lowered: str, at: int) -> bool:
    """Return whether the letter `at` belongs to the noun before it ("hepatitis B")."""
    return is_noun(lowered[max(0, at - _BEFORE) : at])


def is_small_option_letter(lowered: str, start: int, end: int) -> bool:
    """Return whether a small letter is an option letter: it makes its line, enumerates, or follows "answer is"."""
    if (
        _LINE_AFTER.match(lowered, end)
        and not lowered[lowered.rfind("\n", max(0, start - _BEFORE), start) + 1 : start].strip()
    ):
        return start < _BEFORE or "\n" in lowered[start - _BEFORE : start]
    if not _LED_AFTER.match(lowered, end):
        return False
    window = max(0, start - _BEFORE)
    if _LED_BEFORE.search(lowered, window, start):
        return True
    return lowered[start].upper() not in WORDS_TOO and _SAID_BEFORE.search(lowered, window, start) is not None


def _noun_before(before: str) -> bool:
    bare = before.rstrip(" \t")
    if bare.endswith("\n"):
        return False  # a line begins with the letter
    words = bare.rstrip(".").rsplit(None, 1)
    if bare.endswith("."):
        return bool(words) and words[-1].lstrip(EDGES) in _SHORTENED  # else a sentence ends
    return bool(words) and (words[-1].lstrip(EDGES) in _NOUNS or words[-1].endswith(_NOUNS_ZH))


def _led(before: str) -> tuple[bool, bool]:
    """Return whether "option", "letter", "选" stands before, and whether with a colon between."""
    bare = before.rstrip(" \t\n\"'“‘([")
    word = bare.rstrip(":： \t")
    last = word.rsplit(None, 1)[-1:] or [""]
    return last[0].lstrip(EDGES) in _LEADS or word.endswith(_LEADS_ZH), len(word) < len(bare)
