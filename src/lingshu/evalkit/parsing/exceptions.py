"""Answers that name what is left out: "all but C", "除C外都对", "I would exclude D and E"; or nothing: "all of them".

They decide only as a whole; where a reader could take them in two ways, they are no answer.
"""

from __future__ import annotations

import re

_LEAD = r"(?:(?:the\s+)?answers?\s*(?:is|are|:)?\s*|i(?:['’]d| would)\s+say\s+|it(?:['’]s| is)\s+)?"
_EVERY = (
    r"(?:all|everything|anything|any|each|every one)\b(?:\s+(?:of|the|these|those|them|above|options?"
    r"|choices?|answers?|statements?|others?|one))*"
)
_LETTER = r"[(\[]?[A-Za-z](?![A-Za-z])[)\]]?"
_LETTERS = (
    rf"(?P<letters>{_LETTER}(?:\s*(?:[,，、/&和与及]\s*(?:(?:and|or)\s+)?|(?:and|or)\s+)(?:option\s+)?{_LETTER})*)"
)
_BUT = rf",?\s+(?:but|except(?:\s+for)?|other than|apart from|save)\s+(?:options?\s+|choices?\s+|for\s+)?{_LETTERS}"
_ALL_BUT = re.compile(
    rf"{_LEAD}{_EVERY}{_BUT}(?:\s+(?:is|are|can be|could be)\s*(?:all\s+)?(?P<predicate>[a-z ]+?))?\s*[.!]?"
)
_ALL_WRONG_BUT = re.compile(
    rf"{_LEAD}{_EVERY}\s+(?:is|are|can be|could be)\s+(?:all\s+)?(?P<predicate>[a-z ]+?){_BUT}\s*[.!]?"
)
_ALL_BUT_ZH = re.compile(
    rf"(?:答案[是为:：]?\s*)?(?=除|[^。]{{1,40}}[以之]外)(?:除了?)?\s*(?:选项)?\s*{_LETTERS}\s*(?:选?项)?"
    r"\s*(?:[之以]?外)?\s*[,，]?"
    r"(?:其[他它余])?(?:的?选?项|各项)?(?:[都均皆全]+(?:可以?|是|为)?)?(?P<predicate>[\u4e00-\u9fff]+?)的?\s*[.。!！]?"
)
_EXCEPTION = re.compile("but|xcept|other than|apart from|save|除|[以之]外")
_WRONG = re.compile(
    r"(?:incorrect|wrong|false|untrue|excluded|eliminated|ruled out|out|unlikely|not (?:correct|right|true))\Z"
    r"|(?:错误?|不对|不正确|不符合?|不是|排除|被排除|不成立)\Z"
)
_RIGHT = re.compile(
    r"(?:correct|right|true|possible|present|seen)\Z|(?:正确|对|是|符合|成立|可?(?:出现|发生|见到?|有))\Z"
)
_ASKS_FOR_EXCEPTION = re.compile(
    r"\bEXCEPT\b|\bNOT\b|\bLEAST\b|\bleast (?:likely|appropriate|consistent|associated|suitable|expected)\b"
    r"|\b(?:incorrect|false|wrong|untrue)\s+(?:statement|option|one|pair\w*|combination|match|description)\b|\bexcept\s*(?:for)?\s*[:：?.…]?\s*\Z|\b(?:is|are)\s+(?i:not|incorrect|false|wrong|untrue)\b"
    r"|(?:不正确|错误|不对|不属于|不包括|不符合|不是)[^。?？]{0,12}[\s?？。]*\Z|除[^。？]*外"
)
_LACKING = re.compile(r"\b(?:lack(?:s|ing|ed)?|absen(?:t|ce)|deficien(?:t|cy))\b")
_AVOIDING = re.compile(r"\b(?:contraindicated|inappropriate|avoid(?:ed|s)?)\b")  # for lower-case text
_EXCLUDED = re.compile(
    r"(?:(?:so\s+)?(?:(?:i|we)(?:['’]d|\s+(?:would|can|could|will))?\s+)?(?:exclude|eliminate|rule out|reject)\s+"
    rf"(?:options?\s+|choices?\s+)?|(?:可以?|应)?排除\s*(?:选项)?\s*){_LETTERS}\s*项?\s*[.!。]?",
    re.IGNORECASE,
)
_ALL_OPTIONS = re.compile(
    rf"{_LEAD}(?:all|each|every one)\b(?:\s+(?:of|the|these|those|them|above|options?|choices?|answers?|statements?))*"
    r"(?:\s+(?:is|are)\s+(?:all\s+)?(?:correct|right|true|answers?))?\s*[.!]?"
    r"|(?:答案[是为:：]?\s*)?(?:(?:以上|上述|所有)(?:的?选?项)?)?(?:全部?|都|均|皆)(?:都|为|是)?"
    r"(?:选|正确|对|是|符合)?(?:的|答案)?[.。!！]?"
)


_EVERY_RIGHT = re.compile(
    r"(?<!not )\b(?:every (?:option|choice|answer|statement) (?:is|applies)"
    r"|all (?:(?:of )?the )?(?:\w+ )?(?:options|choices|answers|statements)"
    r" (?:are|apply))(?: (?:correct|right|true|answers))?\s*[.!]?\s*\Z|(?:全选|[都均皆](?:正确|对|选))[。.]?\s*\Z",
    re.IGNORECASE,
)


def asks_for_exception(question: str) -> bool:
    """Return whether the one option is asked for that is not so."""
    return _ASKS_FOR_EXCEPTION.search(question) is not None


def words_asked_for(question: str) -> re.Pattern[str] | None:
    """Return what finds the words of denial by which `question` asks for its answer ("contraindicated"), if it does."""
    lowered = question.lower()
    if "deficien" in lowered or "lack" in lowered:
        return _LACKING
    return _AVOIDING if any(word in lowered for word in ("contraindicated", "inappropriate", "avoid")) else None


def left_by_exception(text: str, question: str, options: int, several: bool) -> tuple[str, ...] | None:
    """Return the letters that "all but C" leaves or, where an exception is asked for, C; None if it is another text.

    "All but C are wrong" is C, unless an exception is asked for: then it says nothing. If one option only can be right
    (not `several`), more letters than one are no answer: (). `options`: how many there are.
    """
    if not _EXCEPTION.search(text):
        return None
    small = text[:1].lower() + text[1:]
    found = _ALL_BUT.fullmatch(small) or _ALL_WRONG_BUT.fullmatch(small) or _ALL_BUT_ZH.fullmatch(text)
    excepted = _known(found["letters"], options) if found else ()
    if not found or not excepted:
        return None
    predicate = (found["predicate"] or "").strip()
    wrong = _WRONG.match(predicate) is not None
    exception = asks_for_exception(question)
    if (wrong and exception) or (predicate and not wrong and not _RIGHT.match(predicate)):
        return ()
    left = excepted if wrong or exception else _others(excepted, options)
    return left if several or len(left) == 1 else ()


def left_by_exclusion(text: str, count: int) -> tuple[str, ...]:
    """Return the letters that "I would exclude D and E" leaves where several are right; () if it is another text."""
    found = _EXCLUDED.fullmatch(text)
    excluded = _known(found["letters"], count) if found else ()
    return _others(excluded, count) if excluded else ()


def says_all(text: str) -> bool:
    """Return whether a longer text says that every option is right ("…, so every option is correct")."""
    return _EVERY_RIGHT.search(text) is not None


def names_all(text: str) -> bool:
    """Return whether a text says no more than that every option is right ("All of the above.", "以上都对")."""
    return _ALL_OPTIONS.fullmatch(text[:1].lower() + text[1:]) is not None


def _known(letters: str, count: int) -> tuple[str, ...]:
    """Return the letters of a list, () if one of them is no option."""
    found = [letter.upper() for letter in re.findall(r"(?<![A-Za-z])[A-Za-z](?![A-Za-z])", letters)]
    return tuple(found) if all(ord(letter) - ord("A") < count for letter in found) else ()


def _others(letters: tuple[str, ...], count: int) -> tuple[str, ...]:
    return tuple(letter for letter in (chr(ord("A") + i) for i in range(count)) if letter not in letters)
