"""Yes or no, by words: a leading verdict word wins, then a stated answer, then what is said of the finding asked."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lingshu.evalkit.parsing.findings import asks_after, finding_verdict
from lingshu.evalkit.parsing.yesno_chinese import (
    NO,
    NORMALITY,
    YES,
    chinese_finding,
    chinese_leading,
    without_questions,
)

_GOLD = {
    **dict.fromkeys(("yes", "y", "true", "是", "是的", "有", "对", "正确", "存在"), YES),
    **dict.fromkeys(("no", "n", "false", "否", "不是", "没有", "无", "不", "不对", "错误", "不存在"), NO),
}
# All patterns are for lower-case text.
_BOTH = re.compile(
    r"\bnot only\b|\b(?:no|without(?: a| any)?) doubt\b|\byes\s*(?:or|and|/)\s*no\b"
    r"|\b(?:possibly|perhaps|maybe|(?:may|might|could|(?<!i )would) (?:think|say|guess))\s+(?:yes|no)\b|是(?:或者?|/)否"
)
_YES_WORD = r"yes|yeah|yep|yup|true|affirmative|indeed|correct"
_NO_WORD = r"no|nope|nah|never|false|incorrect|unlikely"
_LEADING = re.compile(
    rf"[\W_]*(?:(?P<yes>{_YES_WORD})|(?P<no>{_NO_WORD}))\b(?!['’]t|\s*\?|\s+(?:doubt|question|idea)\b)"
)
# A first sentence that is a verdict without either word: "It does.", "Not really – …", "Absolutely, …".
_SENTENCE = re.compile(
    r"[\W_]*(?:(?:(?P<no>(?:definitely|absolutely|certainly|probably|likely|of course|clearly) not"
    r"|not (?:really|at all|quite)|that['’]s (?:not (?:correct|right|true|the case)|wrong))"
    r"|absolutely|certainly|definitely|of course|that['’]s (?:correct|right|true))\s*(?:[.,;:!–—]|-\s)"
    r"|(?:it|there|they|that|this) (?:(?P<not>(?:does|do|is|are|was|did)(?:n['’]t| not))"
    r"|does|do|is|are|was|did)(?: so)?"
    r"\s*[.;!–—])"
)
_TESTED = re.compile(r"[\W_]*(?P<value>positive|negative) for (?P<finding>[^.,;\n]+)")
_CORRECTION = re.compile(
    r"[.,;:!?\n—–-]\s*(?:oh,?\s+)?(?:no,?\s+)?"
    r"(?:wait|actually|hold on|sorry|correction|scratch that|on second thought)\b"
    r"[\s,.:;!—–-]*|[。，,](?:不对|等等|更正)[，,。:：]"
)
_STATED = re.compile(
    rf"\banswer\b[^.\n]{{0,40}}?(?:\bis\b|\bwould be\b|\bshould be\b|[:：=])[\s\"'“‘(\[:]*"
    rf"(?:(?P<yes>{_YES_WORD})|(?P<no>{_NO_WORD}))\b(?!\s*(?:or|/))"
    r"|\bi(?:['’]d| would| will)? (?:say|answer)[\s:,\"'“‘]*(?:(?P<yes2>yes)|(?P<no2>no))\b(?!\s*(?:or|/|\w))",
)
_STATED_ZH = re.compile(
    r"(?:答案|结论)\s*(?:应?[是为])?\s*[:：]?[\s\"“(]*(?:(?P<no>否|不是|没有|不|无|错)|(?P<yes>是|有|对|正确|肯定))"
)
_CLOSING = re.compile(r"[.!\n]\s*(?:(?P<yes>yes)|no)[\s.!\"'”’)]*\Z")
_NO_PICTURE = re.compile(
    r"\s+(?:image|picture|photo(?:graph)?|slide|scan|file|attachment)s?\s+(?:was|were|is|are|has|have|can)\b"
)
_LATER = re.compile(r"[.!\n]\s*(?:(?P<yes>yes)|(?P<no>no))\s*[,.:;–—]")
_LAST = 16  # characters of a last sentence that is a word
_CORRECTED_ZH = re.compile(r"等等|不对|更正|(?:再|重新)(?:仔细)?(?:看|观察|考虑)")
_ANY = re.compile(r"\b(?:(?P<yes>yes)|(?P<no>no)(?=\s*(?:\Z|[.,;:!?\n)\]])))\b|\b(?P<yes2>yes)\b")
_WHOLE = {
    **dict.fromkeys(("present", "positive", "seen", "visible", "y"), YES),
    **dict.fromkeys(("absent", "negative", "not present", "not seen", "not visible", "not identified"), NO),
    **dict.fromkeys(("unlikely", "not likely", "n"), NO),
    **dict.fromkeys(
        (
            "there is",
            "there are",
            "sure, there is",
            "it does",
            "it appears so",
            "it seems so",
            "it is",
            "definitely",
            "certainly",
        ),
        YES,
    ),
    **dict.fromkeys(("of course", "i think so", "i believe so", "当然有", "确实有", "肯定有", "应该有"), YES),
    **dict.fromkeys(("there isn't", "there is not", "there aren't", "there are not", "it does not", "it doesn't"), NO),
    **dict.fromkeys(("it is not", "it isn't", "absolutely not", "definitely not", "certainly not", "not at all"), NO),
    **dict.fromkeys(("not that i can see", "none", "none that i can see", "no, not that i can see"), NO),
    **dict.fromkeys(("of course not", "not really", "probably not", "likely not", "most likely not", "none seen"), NO),
    **dict.fromkeys(
        (
            "i don't think so",
            "i do not think so",
            "it does not appear so",
            "it doesn't appear so",
            "i do not see one",
            "i don't see one",
        ),
        NO,
    ),
    **dict.fromkeys(("确实没有", "肯定没有", "应该没有", "好像没有"), NO),
}
_SHORT_ANSWER = re.compile(r"(?:the )?(?:final )?answer\s*(?:is|:|=)\s*(?P<word>y|n|positive|negative)")
_IT_IS = re.compile(r"\A(?:it is|it['’]s|it was|they are) ")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`value` is "yes", "no" or "" (no answer)."""

    value: str
    rule: str


NOTHING = Verdict("", "nothing")


def gold_verdict(answer: str | tuple[str, ...]) -> str:
    """Return "yes" or "no" for a gold answer in any usual form, "" if it is neither."""
    if not isinstance(answer, str):
        return gold_verdict(answer[0]) if len(answer) == 1 else ""
    return _GOLD.get(answer.strip(" .。!\"'").lower(), "")


def parse_yes_no(text: str, question: str) -> Verdict:
    """Return the verdict that `text` (from `answer_text`) gives on `question`."""
    text = _without_questions(text.lower()).strip()
    bare = text.replace("’", "'").strip(" .!\"'。！")
    if short := _SHORT_ANSWER.fullmatch(bare):
        bare = short["word"]
    if whole := _WHOLE.get(bare) or _WHOLE.get(_IT_IS.sub("", text).strip(" .!\"'")):
        return Verdict(whole, "whole_word")
    if (found := _TESTED.match(text)) and asks_after(found["finding"], question):
        return Verdict(YES if found["value"] == "positive" else NO, "finding")
    if leading := _by_leading(text, question):
        return leading
    if not text.isascii() and (verdict := _by_chinese(text, question)).value:
        return verdict
    if ("answer" in text or "i would say" in text or "i'd say" in text) and (stated := _last(_STATED, text)):
        return Verdict(stated, "stated_word")
    return _by_words(text, question)


def _by_leading(text: str, question: str) -> Verdict | None:
    """Return the verdict of the word, or the sentence, that leads `text`, or of a later correction of it."""
    if found := _LEADING.match(text):
        return _corrected(text, question) or _leading(found, text, question)
    if found := _SENTENCE.match(text):
        return _corrected(text, question) or Verdict(NO if found["no"] or found["not"] else YES, "leading_word")
    return None


def _by_chinese(text: str, question: str) -> Verdict:
    stated = _last(_STATED_ZH, text)
    if stated and _CORRECTED_ZH.search(text):
        return Verdict(stated, "stated_word")
    if value := chinese_leading(text, question):
        return Verdict(value, "leading_word")
    if stated:
        return Verdict(stated, "stated_word")
    return Verdict(chinese_finding(text, question), "finding")


def _by_words(text: str, question: str) -> Verdict:
    if closing := _CLOSING.search(text, max(0, len(text) - _LAST)):
        return Verdict(YES if closing["yes"] else NO, "closing_word")
    if only := _only_word(text):
        return only
    value = finding_verdict(text, question) if text else None
    return Verdict(YES if value else NO, "finding") if value is not None else NOTHING


def _corrected(text: str, question: str) -> Verdict | None:
    """Return the verdict behind the last correction of a response ("Yes — wait, … No."), None if there is none."""
    ends = [found.end() for found in _CORRECTION.finditer(text)]
    rest = text[ends[-1] :] if ends else ""
    found = _LEADING.match(rest)
    verdict = _leading(found, rest, question) if found else _by_words(rest, question)
    return verdict if verdict.value else None


def _without_questions(text: str) -> str:
    """Return `text` without "yes or no", "no doubt", and the Chinese clauses that repeat the question."""
    if "doubt" in text or "yes" in text or "not only" in text or not text.isascii():
        text = _BOTH.sub(" ", text)
    return text if text.isascii() else without_questions(text)


def _leading(found: re.Match[str], text: str, question: str) -> Verdict:
    """A leading "no" that belongs to a noun ("No effusion") denies that noun: no verdict where normality is asked, and
    none against a finding that is stated.
    """
    if found["yes"]:
        return Verdict(YES, "leading_word")
    noun_follows = re.match(r"\s+(?!there\b|it\b|this\b|the\b|that\b|i\b|not\b)\w", text[found.end() :])
    if noun_follows and _NO_PICTURE.match(text, found.end()):
        return NOTHING
    if noun_follows and NORMALITY.search(question.lower()):
        said = finding_verdict(text, question)
        return NOTHING if said is None else Verdict(YES if said else NO, "finding")
    if noun_follows and (later := _last(_LATER, text)):
        return Verdict(later, "leading_word")  # "No stone is seen in the duct. Yes, a mass is present."
    if noun_follows and finding_verdict(text, question):
        return Verdict(YES, "finding")  # "No effusion, but a nodule is seen"
    return Verdict(NO, "leading_word")


def _last(pattern: re.Pattern[str], text: str) -> str:
    value = ""
    for found in pattern.finditer(text):
        value = YES if found["yes"] or found.groupdict().get("yes2") else NO
    return value


def _only_word(text: str) -> Verdict | None:
    values = {NO if found["no"] else YES for found in _ANY.finditer(text)}
    return Verdict(values.pop(), "only_word") if len(values) == 1 else None
