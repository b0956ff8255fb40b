"""Yes or no, by words: a leading verdict word wins, then a stated answer, then what is said of the finding asked."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lingshu.evalkit.parsing.options import word_set

YES, NO = "yes", "no"
_GOLD = {
    **dict.fromkeys(("yes", "y", "true", "是", "是的", "有", "对", "正确", "存在"), YES),
    **dict.fromkeys(("no", "n", "false", "否", "不是", "没有", "无", "不", "不对", "错误", "不存在"), NO),
}
# All patterns are for lower-case text.
_BOTH = re.compile(r"\b(?:no|without(?: a| any)?) doubt\b|\byes\s*(?:or|and|/)\s*no\b|是(?:或者?|/)否")
_ZH_ASKING = re.compile(r"是否|是不是|有没有|有无|吗")
_ZH_CLAUSE = re.compile(r"[^。！？?，,：:\n]+|[。！？?，,：:\n]+")
_YES_WORD = r"yes|yeah|yep|yup|true|affirmative|indeed|correct"
_NO_WORD = r"no|nope|nah|false|incorrect"
_LEADING = re.compile(rf"[\W_]*(?:(?P<yes>{_YES_WORD})|(?P<no>{_NO_WORD}))\b(?!['’]t|\s+(?:doubt|question|idea)\b)")
_STATED = re.compile(
    rf"\banswer\b[^.\n]{{0,40}}?(?:\bis\b|\bwould be\b|\bshould be\b|[:：=])[\s\"'“‘(\[:]*"
    rf"(?:(?P<yes>{_YES_WORD})|(?P<no>{_NO_WORD}))\b(?!\s*(?:or|/))",
)
_STATED_ZH = re.compile(
    r"(?:答案|结论)\s*(?:应?[是为]|[:：])?[\s\"“(]*(?:(?P<no>否|不是|没有|不|无|错)|(?P<yes>是|有|对|正确))"
)
_ANY = re.compile(r"\b(?:(?P<yes>yes)|(?P<no>no)(?=\s*(?:\Z|[.,;:!?\n)\]])))\b|\b(?P<yes2>yes)\b")
_WHOLE = {
    **dict.fromkeys(("present", "positive", "seen", "visible", "y"), YES),
    **dict.fromkeys(("absent", "negative", "none", "not present", "not seen", "not visible", "not identified"), NO),
    **dict.fromkeys(("unlikely", "not likely", "n"), NO),
    **dict.fromkeys(("there is", "there are", "sure, there is", "it does", "it is", "definitely", "certainly"), YES),
    **dict.fromkeys(("of course", "i think so", "i believe so", "当然有", "确实有", "肯定有", "应该有"), YES),
    **dict.fromkeys(("there isn't", "there is not", "there aren't", "there are not", "it does not", "it doesn't"), NO),
    **dict.fromkeys(("it is not", "it isn't", "absolutely not", "definitely not", "certainly not", "not at all"), NO),
    **dict.fromkeys(("of course not", "not really", "probably not", "likely not", "most likely not", "none seen"), NO),
    **dict.fromkeys(("i don't think so", "i do not think so", "i do not see one", "i don't see one"), NO),
    **dict.fromkeys(("确实没有", "肯定没有", "应该没有", "好像没有"), NO),
}
_SHORT_ANSWER = re.compile(r"(?:the )?(?:final )?answer\s*(?:is|:|=)\s*(?P<word>y|n|positive|negative)")
_IT_IS = re.compile(r"\A(?:it is|it['’]s|it was|they are) ")
_ZH_UNSURE = re.compile(
    r"[\W_]*(?:无法|不能|难以|不确定|不知道|不清楚|对不起|抱歉|对于|有可能|没有足够|是否|有没有|可能)"
)
_ZH_NO = re.compile(r"[\W_]*(?:不是|没有|不存在|未见|未发现|看不到|看不见|未看到|不对|错误|否|无|不)")
_ZH_YES = re.compile(r"[\W_]*(?:是的|是|有|对|正确|存在|可见)")
_ZH_ABNORMAL = re.compile(r"[\W_]*(?:不正常|不健康|有?异常)")
_ZH_NEGATED = {"有": ("没有", "无", "未见"), "是": ("不是", "并非"), "存在": ("不存在",), "可见": ("未见", "不可见")}
_ZH_QUESTION = {"是否有": "有", "有没有": "有", "有无": "有", "是不是": "是", "是否": ""}
_ABNORMAL = re.compile(r"\babnormal\b|\bunhealthy\b")
_NORMALITY = re.compile(r"\b(?:normal|clear|healthy|unremarkable|intact|clean)\b|正常|健康")

_SENTENCE = re.compile(
    r"[.!?;\n。！？；]+(?:\s|\Z)?|,\s|，|\b(?:but|although|though|however|whereas|because|since|while)\b"
)
_WORD = re.compile(r"[a-z0-9]+(?:['’]t)?")
_DENIAL = frozenset(
    {"no", "not", "without", "absent", "absence", "neither", "nor", "never", "negative", "free", "lacks", "cannot"}
    | {"lack", "lacking", "fails", "unlikely", "improbable", "doubt", "doubtful", "excluded", "resolved", "disappeared"}
)
_ASKING = frozenset({"whether", "asks", "asked", "asking"})
_NOT_SHORT = frozenset({"n't", "n’t"})
_EMPTY = word_set(
    "a an the is are was were be been being there this that these those it its in on of at to for with from "
    "by and or any some do does did has have had can could may might would should will shall i we you see "
    "seen show shows showing shown visible visualized present presence evidence evident appear appears "
    "demonstrate demonstrates reveal reveals contain contains noted note identified identify detected detect "
    "depicted image images picture photo scan film here given patient sign signs finding findings found "
    "observed observe as which suggest suggests suggestive suggesting indicate indicates what how many if "
    "whether your answer"
)
_STATING = word_set(
    "is are was were there has have show shows demonstrates reveals contains see seen visible present evident "
    "noted appears suggests indicates depicts observed identified detected positive"
)
_UNSURE = re.compile(
    r"\b(?:cannot|can['’]t|could not|couldn['’]t|unable to|(?:not possible|impossible|difficult|hard) to)\s+(?:\w+\s+)?"
    r"(?:determin\w*|tell|say|assess\w*|conclude|answer|help|assist|exclude|rule out"
    r"|be (?:determined|assessed|ruled out|excluded))"
    r"|\b(?:unknown|unclear|uncertain|indeterminate|not sure|not certain|don['’]t know|do not know)\b",
)


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
    if found := _LEADING.match(text):
        return _leading(found, text, question)
    chinese = not text.isascii()
    if chinese and (value := _chinese(text, question)):
        return Verdict(value, "leading_word")
    stated = _last(_STATED, text) if "answer" in text else ""
    if stated or (chinese and (stated := _last(_STATED_ZH, text))):
        return Verdict(stated, "stated_word")
    if chinese and (value := _chinese_finding(text, question)):
        return Verdict(value, "finding")
    return _only_word(text) or (_finding(text, question) if text else NOTHING)


def _without_questions(text: str) -> str:
    """Return `text` without "yes or no", "no doubt", and the Chinese clauses that repeat the question."""
    if "doubt" in text or "yes" in text or not text.isascii():
        text = _BOTH.sub(" ", text)
    if not text.isascii() and _ZH_ASKING.search(text):
        text = "".join(clause for clause in _ZH_CLAUSE.findall(text) if not _ZH_ASKING.search(clause))
    return text


def _leading(found: re.Match[str], text: str, question: str) -> Verdict:
    """A leading "no" that belongs to a noun ("No effusion") denies that noun: no verdict where normality is asked."""
    if found["yes"]:
        return Verdict(YES, "leading_word")
    noun_follows = re.match(r"\s+(?!there\b|it\b|this\b|the\b|that\b|i\b|not\b)\w", text[found.end() :])
    if noun_follows and _NORMALITY.search(question.lower()):
        return NOTHING
    return Verdict(NO, "leading_word")


def _chinese(text: str, question: str) -> str:
    if _ZH_UNSURE.match(text):
        return ""
    normality = _NORMALITY.search(question.lower()) is not None
    if normality and _ZH_ABNORMAL.match(text):
        return NO
    if found := _ZH_NO.match(text):
        return "" if normality and found.end() < len(text.rstrip("。. ")) else NO
    return YES if _ZH_YES.match(text) else ""


def _chinese_finding(text: str, question: str) -> str:
    """Return whether `text` states what is asked, word for word, or states it with its verb negated."""
    asked = question.lower().strip(" ?？。吗呢\n")
    for asking, plain in _ZH_QUESTION.items():
        asked = asked.replace(asking, plain)
    if asked.isascii() or len(asked) < 3:
        return ""
    values = {YES} if asked in text else set[str]()
    for verb, negations in _ZH_NEGATED.items():
        if verb in asked and any(asked.replace(verb, negation, 1) in text for negation in negations):
            values.add(NO)
    return values.pop() if len(values) == 1 else ""


def _last(pattern: re.Pattern[str], text: str) -> str:
    value = ""
    for found in pattern.finditer(text):
        value = YES if found["yes"] else NO
    return value


def _only_word(text: str) -> Verdict | None:
    values = {NO if found["no"] else YES for found in _ANY.finditer(text)}
    return Verdict(values.pop(), "only_word") if len(values) == 1 else None


def _finding(text: str, question: str) -> Verdict:
    """Compare each clause with the question's content words: all stated means yes, a part of them denied means no."""
    asked = _content(_words(question))
    if not any(word in text for word in asked) or _DENIAL & set(_words(question)):
        return NOTHING
    if "normal" in asked or "healthy" in asked:
        text = _ABNORMAL.sub(lambda word: f"not {word[0][2:]}", text)
    values: set[str] = set()
    for clause in _SENTENCE.split(text):
        if not any(word in clause for word in asked):
            continue
        words = _words(clause)
        if not _ASKING.isdisjoint(words):
            continue
        cue = next((i for i, w in enumerate(words) if w in _DENIAL or w[-3:] in _NOT_SHORT), None)
        if cue is None:
            if asked <= _content(words) and not _STATING.isdisjoint(words):
                values.add(YES)
            continue
        denied = _content(words[cue + 1 :]) or _content(words[:cue])
        if denied and denied <= asked:
            values.add(NO)
    return Verdict(values.pop(), "finding") if len(values) == 1 and not _UNSURE.search(text) else NOTHING


def _words(text: str) -> list[str]:
    return [m[0] for m in _WORD.finditer(text.lower())]


def _content(words: list[str]) -> set[str]:
    return {w[:-1] if w[-1] == "s" and len(w) > 3 and w[-2] != "s" else w for w in set(words)} - _EMPTY
