"""Answers that are one phrase about several options: "all but C", "除C外都对", "C > B > A".

They decide only as a whole: beside more words, or where a reader could take them in two ways, they are no answer.
"""

from __future__ import annotations

import re

_LEAD = r"(?:(?:the\s+)?answer\s*(?:is|:)?\s*|i(?:['’]d| would)\s+say\s+|it(?:['’]s| is)\s+)?"
_ALL_BUT = re.compile(
    rf"{_LEAD}(?:all|everything|anything|any|each|every one)\b(?:\s+(?:of|the|these|those|them|above|options?"
    r"|choices?|answers?|statements?|others?|one))*,?\s+(?:but|except(?:\s+for)?|other than|apart from|save)\s+"
    r"(?:options?\s+|choices?\s+|for\s+)?[(\[]?(?P<letter>[A-Za-z])[)\]]?"
    r"(?:\s+(?:is|are|can be|could be)\s*(?:all\s+)?(?P<predicate>[a-z ]+?))?\s*[.!]?"
)
_ALL_BUT_ZH = re.compile(
    r"(?:答案[是为:：]?\s*)?除了?\s*(?:选项)?\s*(?P<letter>[A-Za-z])\s*(?:选?项)?\s*(?:之外|以外|外)?\s*[,，]?"
    r"(?:其[他它余])?(?:的?选?项)?(?:[都均皆全]+(?:可以?|是|为)?)?(?P<predicate>[\u4e00-\u9fff]+?)的?\s*[.。!！]?"
)
_EXCEPTION = re.compile("but|xcept|other than|apart from|save|除")
_WRONG = re.compile(
    r"(?:incorrect|wrong|false|untrue|excluded|eliminated|ruled out|out|unlikely|not (?:correct|right|true))\Z"
    r"|(?:错误?|不对|不正确|不符合?|不是|排除|被排除|不成立)\Z"
)
_RIGHT = re.compile(r"(?:correct|right|true|possible|present|seen)\Z|(?:正确|对|是|符合|成立)\Z")
_ASKS_FOR_EXCEPTION = re.compile(
    r"\bEXCEPT\b|\bNOT\b|\bexcept\s*(?:for)?\s*[:：?.…]?\s*\Z|\b(?:is|are)\s+(?:not|incorrect|false|wrong|untrue)\b"
    r"|(?:不正确|错误|不对|不属于|不包括|不符合|不是)[^。?？]{0,12}[\s?？。]*\Z|除[^。？]*外"
)
_RANKING = re.compile(
    r"(?:(?i:[^.!?\n<>]{0,40}?\b(?:rank(?:ed|ing)?|likel(?:y|iest|ihood)|plausib(?:le|ility)|probability|preference)\b)"
    r"[^.!?\n<>]{0,20}?[\s:：]|(?:可能性|概率)[\u4e00-\u9fff]{0,6}[:：]?\s*)?"
    r"(?P<chain>[(\[]?[A-Z][)\]]?(?:\s*>+\s*[(\[]?[A-Z][)\]]?)+)\s*[.。]?"
)
COMPARED = re.compile(r"(?<![A-Za-z0-9<])[A-Z][)\]]?(?:[ \t]*[<>=≈≥≤]+[ \t]*[(\[]?[A-Z](?![A-Za-z0-9])[)\]]?)+")
"""Letters that are compared by signs: in a text that says more, or with signs in two directions, none is an answer."""
_LONGEST = 120  # characters of such an answer


def all_but(text: str, question: str, count: int) -> tuple[str, ...] | None:
    """Return the letters that "all but C" leaves or, where an exception is asked for, C; None if it is another text.

    "All but C are wrong" is C, unless an exception is asked for: then it says nothing.
    """
    if len(text) > _LONGEST or not _EXCEPTION.search(text):
        return None
    found = _ALL_BUT.fullmatch(text) or _ALL_BUT.fullmatch(text[:1].lower() + text[1:]) or _ALL_BUT_ZH.fullmatch(text)
    if not found or not 0 <= ord(found["letter"].upper()) - ord("A") < count:
        return None
    predicate = (found["predicate"] or "").strip()
    wrong = _WRONG.match(predicate) is not None
    if predicate and not wrong and not _RIGHT.match(predicate):
        return ()
    excepted = found["letter"].upper()
    exception = _ASKS_FOR_EXCEPTION.search(question) is not None
    if wrong:
        return () if exception else (excepted,)
    if exception:
        return (excepted,)
    left = tuple(letter for letter in (chr(ord("A") + i) for i in range(count)) if letter != excepted)
    return left if len(left) == 1 else ()


def ranked_first(text: str, count: int) -> str:
    """Return the first letter of a text that is a ranking ("C > B > A"), or ""."""
    found = _RANKING.fullmatch(text) if ">" in text and len(text) <= _LONGEST else None
    if not found:
        return ""
    letters = re.findall("[A-Z]", found["chain"])
    known = all(ord(letter) - ord("A") < count for letter in letters)
    return letters[0] if known and len(set(letters)) == len(letters) else ""
