"""Closed answers: a word or short phrase that must equal the gold after normalising, never contain it."""

from __future__ import annotations

import re

from lingshu.evalkit.parsing.options import ARTICLES, plain_form, word_set
from lingshu.evalkit.parsing.stance import lower

_COUNTED = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
_NUMBER_WORDS = {
    **{word: str(value) for value, word in enumerate(_COUNTED)},
    **{digit: str(value) for value, digit in enumerate("〇一二三四五六七八九十")},
    "两": "2",
}
_UNITS = {
    **dict.fromkeys(("millimeter", "millimeters", "millimetre", "millimetres", "毫米"), "mm"),
    **dict.fromkeys(("centimeter", "centimeters", "centimetre", "centimetres", "厘米"), "cm"),
    **dict.fromkeys(("milligram", "milligrams", "毫克"), "mg"),
    **dict.fromkeys(("kilogram", "kilograms", "kgs", "公斤", "千克"), "kg"),
    **dict.fromkeys(("milliliter", "milliliters", "millilitre", "millilitres", "毫升"), "ml"),
    **dict.fromkeys(("percent", "percentage"), "%"),
    **dict.fromkeys(("tesla", "teslas"), "t"),
    **dict.fromkeys(("degree", "degrees"), "°"),
    **dict.fromkeys(("year", "years", "yrs", "yr"), "year"),
    **dict.fromkeys(("hour", "hours", "hr", "hrs"), "hour"),
    **dict.fromkeys(("minute", "minutes", "mins"), "min"),
}
_PREPOSITIONS = frozenset({"in", "on", "at", "within"})
_TOKEN = re.compile(
    r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|[\u4e00-\u9fff]+|[^\W\d_\u4e00-\u9fff]+|[%°<>≤≥+±]|(?<![\w\s])-(?=\d)|(?:(?<=\s)|\A)-(?=\d)"
)
_LEAD = re.compile(
    r"\banswer\s*(?:is|would be|should be|[:：=])[\s:：]*"
    r"|(?:最终)?答案\s*(?:是|为|应为)?\s*[:：]?\s*",
)
_COPULA = re.compile(r"\A([^.!?\n]{0,160}?)(?:['’]s\b|\b(?:is|are|was|were|shows?)\b|[:：]|是|为)\s*", re.IGNORECASE)
_SENTENCE_END = re.compile(r"\n|[!?。！？]|(?<!\bDr)(?<!\bvs)\.(?=\s|\Z)|;\s")
_LIST = re.compile(r"\s*(?:[,;，、；\n]|\band\b|和|与|及)\s*", re.IGNORECASE)
_RESTATING = word_set(
    "it this that these those there the a an image picture photo scan film answer in of shown seen here most likely"
)
_WORD = re.compile(r"\w+")


def normalise(text: str) -> tuple[str, ...]:
    """Return `text` as tokens with full-width forms, case, punctuation, articles, hyphens, numbers and units evened."""
    plain = plain_form(text).lower().replace("μ", "u")
    plain = re.sub(r"(?<=[^\W\d_])[-‐‑–](?=[^\W_])|(?<=\d)[-‐‑](?=[^\W\d_])", " ", plain)
    tokens = [_token(token) for token in _TOKEN.findall(plain)]
    kept = [token for token in tokens if token not in ARTICLES]
    if len(kept) > 1 and kept[0] in _PREPOSITIONS:
        kept = kept[1:]
    return tuple(kept or tokens)


def _token(token: str) -> str:
    token = _UNITS.get(token, _NUMBER_WORDS.get(token, token))
    if token[0].isdigit():
        token = token.replace(",", "")
        return token.rstrip("0").rstrip(".") if "." in token else token.lstrip("0") or "0"
    return token


def same(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Return whether two normalised answers are equal; words may be written together ("x ray", "xray")."""
    if left == right:
        return bool(left)
    digits = any(token[0].isdigit() for token in (*left, *right))
    return bool(left) and not digits and "".join(left) == "".join(right)


def stated_answer(text: str, question: str) -> str:
    """Return the phrase that `text` (from `answer_text`) gives: after its last lead-in, else its first sentence.

    "It is X" and "The modality is X" lose what only restates: pronouns and words of the question.
    """
    leads = [lead.end() for lead in _LEAD.finditer(lower(text))]
    phrase = text[leads[-1] :].strip() if leads else text.strip()
    end = _SENTENCE_END.search(phrase)
    phrase = phrase[: end.start()] if end else phrase
    known = _RESTATING | set(_WORD.findall(question.lower()))
    while (copula := _COPULA.match(phrase)) and copula.end() < len(phrase) and _restates(copula[1], known, question):
        phrase = phrase[copula.end() :]
    return phrase.strip()


def _restates(subject: str, known: set[str] | frozenset[str], question: str) -> bool:
    words = _WORD.findall(subject.lower())
    return bool(words) and all(word in known or (not word.isascii() and word in question) for word in words)


def parts(phrase: str) -> set[tuple[str, ...]]:
    """Return the normalised members of a list ("liver, spleen and kidney")."""
    return {tokens for part in _LIST.split(phrase) if (tokens := normalise(part))}
