"""Closed answers: a word or short phrase that must equal the gold after normalising, never contain it."""

from __future__ import annotations

import re

from lingshu.evalkit.parsing.clauses import lower
from lingshu.evalkit.parsing.options import ARTICLES, plain_form, word_set

_COUNTED = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
_NUMBER_WORDS = {
    **{word: str(value) for value, word in enumerate(_COUNTED)},
    **{digit: str(value) for value, digit in enumerate("〇一二三四五六七八九十")},
    "两": "2",
}
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_NUMBER_WORDS.update({word: str(10 * value) for value, word in enumerate(_TENS, start=2)})
_COMPOUND = re.compile(rf"\b({'|'.join(_TENS)})[ -]({'|'.join(_COUNTED[1:10])})\b")  # "twenty-five"
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
_ZH_COUNT = re.compile(r"(?<![〇一二三四五六七八九十百])[一二三四五六七八九两](?=[个条张根只处块枚颗])")
MEASURES = frozenset("个条张根只处块枚颗例")
"""Chinese words between a number and what is counted."""
_PREPOSITIONS = frozenset({"in", "on", "at", "within"})
# The first character tells which alternative a token is; words are the commonest. Hyphens come before what is beside
# them, so that a search goes from hyphen to hyphen.
_TOKEN = re.compile(
    r"[^\W\d_\u4e00-\u9fff]+|\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|[\u4e00-\u9fff]+|[%°<>≤≥+±]"
    r"|(?<![\w\s])-(?=\d)|(?:(?<=\s)|\A)-(?=\d)"
)
_HYPHEN = re.compile(r"[-‐‑–](?:(?<=[^\W\d_].)(?=[^\W_])|(?<=\d[-‐‑])(?=[^\W\d_]))")
_LEAD = re.compile(
    r"\banswer\s*(?:is|would be|should be|[:：=])[\s:：]*"
    r"|(?:最终)?答案\s*(?:是|为|应为)?\s*[:：]?\s*",
)
_COPULA = re.compile(
    r"\A([^.!?\n]{0,160}?)"
    r"(?:['’]s\b|\b(?:(?:is|was|were) (?:obtained|acquired|taken|made|produced|performed|done) (?:with|by|using"
    r"|via|on|in)"
    r"|is|are|was|were|shows?|(?:appears?|seems?) to be|looks? like|measures?(?: about| approximately)?)\b"
    r"|[:：]|位于|是|为)\s*",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[\n!?。！？.;](?:(?<=[\n!?。！？])|(?<=\.)(?<!\bDr\.)(?<!\bvs\.)(?=\s|\Z)|(?<=;)(?=\s))")
_LIST = re.compile(r"\s*(?:[,;，、；\n]|\band\b|和|与|及)\s*", re.IGNORECASE)
_RESTATING = word_set(
    "it this that these those there the a an image picture photo scan film answer in of shown seen here most likely"
    " i think believe say would definitely probably certainly clearly"
)
_HEDGE = re.compile(r"(?:(?:most |very )?(?:likely|probably)|definitely|certainly|clearly)\s+(?=\w)", re.IGNORECASE)
_IT_IS = re.compile(r"\s+it (?:is|must be|has to be)\Z", re.IGNORECASE)
# "The liver is the largest organ", where the question holds the rest.
_INVERSE = re.compile(r"(?P<answer>[^.,;!?\n]{1,80}?)(?:\s+(?:is|are|was|were)\s+|[是为])(?P<rest>[^.,;!?\n]+)")
_HEAD = re.compile(r"(?:[A-Za-z]+\s+){1,5}(?:of|by)\s+(?=\w)")
_TAIL = re.compile(r"(?<=\w)\s+(?:in|of)\s+(?:the\s+)?[A-Za-z]+\Z")
_LINKING = word_set("of by in the a an")
_RESTATING_ZH = re.compile(
    r"(?:这|那|此|该|它|其|张|幅|个|图中|图|图像|图片|影像|检查|部位|所示|显示|的|答案|应该|可能|大概|最|我认|我觉得)*"
)
_WORD = re.compile(r"\w+")
_EQUALS = re.compile(r"=|≈|≃|\b(?:equals|equal to)\b", re.IGNORECASE)
_AROUND_NUMBERS = (
    _RESTATING
    | set(_UNITS.values())
    | word_set(
        "about approximately approx roughly around nearly or is so thus therefore hence value result total l g m s"
    )
    | word_set("ms kpa mmhg hz khz mhz mmol mol meq kcal cal j v mv w k min day days week weeks month months bpm")
)


def normalise(text: str) -> tuple[str, ...]:
    """Return `text` as tokens with full-width forms, case, punctuation, articles, hyphens, numbers and units evened."""
    plain = plain_form(text).lower().replace("μ", "u")
    plain = _HYPHEN.sub(" ", plain)
    if "ty" in plain:
        plain = _COMPOUND.sub(lambda word: str(int(_NUMBER_WORDS[word[1]]) + int(_NUMBER_WORDS[word[2]])), plain)
    if not plain.isascii():
        plain = _ZH_COUNT.sub(lambda word: _NUMBER_WORDS[word[0]], plain)
    found = _TOKEN.findall(plain)
    plain_tokens = {token: _token(token) for token in set(found)}  # a long text says the same words again and again
    tokens = [plain_tokens[token] for token in found]
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
    if not left or "".join(left) != "".join(right):
        return False
    return not any(token[0].isdigit() for token in (*left, *right))


def number(text: str) -> float | None:
    """Return a text that is only a number as its value to two decimals, else None."""
    tokens = normalise(text)
    sign = -1.0 if tokens[:1] == ("-",) else 1.0
    rest = tokens[1:] if sign < 0 else tokens
    return sign * round(float(rest[0]), 2) if len(rest) == 1 and _is_number(rest[0]) else None


def lone_number(phrase: str) -> float | None:
    """Return the value, to two decimals, of the one number of a phrase ("x = 4.5 cm"); None with none or several.

    Of a phrase with an equals or approximation sign only what follows the last one counts. Words other than units and
    those that restate ("it is about") make it another answer.
    """
    tail = _EQUALS.split(phrase)[-1]
    tokens = [token for token in normalise(tail) if token not in _AROUND_NUMBERS]
    return number(" ".join(tokens).replace("- ", "-"))


def _is_number(token: str) -> bool:
    return token[0].isdigit() and token.replace(".", "", 1).isascii()


def stated_answer(text: str, question: str) -> str:
    """Return the phrase that `text` (from `answer_text`) gives: after its last lead-in, else its first sentence.

    "It is X" and "The modality is X" lose what only restates: pronouns and words of the question.
    """
    lowered = lower(text)
    led = "answer" in lowered or "答案" in lowered
    leads = [lead.end() for lead in _LEAD.finditer(lowered)] if led else []
    phrase = text[leads[-1] :].strip() if leads else text.strip()
    end = _SENTENCE_END.search(phrase)
    phrase = phrase[: end.start()] if end else phrase
    known = _RESTATING | set(_WORD.findall(question.lower()))
    while (copula := _COPULA.match(phrase)) and copula.end() < len(phrase) and _restates(copula[1], known, question):
        phrase = phrase[copula.end() :]
    phrase = phrase.strip()
    if hedge := _HEDGE.match(phrase):
        phrase = phrase[hedge.end() :]
    phrase = _IT_IS.sub("", phrase)
    if (inverse := _INVERSE.fullmatch(phrase)) and _restates(inverse["rest"], known, question):
        return inverse["answer"]
    return phrase


def without_question(phrase: str, question: str) -> str:
    """Return a phrase without what repeats the question: "5 cm in diameter", "caused by a deficiency of vitamin C"."""
    known = _RESTATING | set(_WORD.findall(question.lower()))
    forms = {form for word in known for form in (word, word + "d", word + "ed", word.removesuffix("s") + "d")}
    head = _HEAD.match(phrase)
    if head and (words := set(_WORD.findall(head[0].lower())) - _LINKING) and words <= forms:
        phrase = phrase[head.end() :]
    last = phrase.rsplit(None, 3)  # as many words as a tail has
    tail = _TAIL.search(phrase, len(last[0]) - 1) if len(last) == 4 else _TAIL.search(phrase)
    if tail and set(_WORD.findall(tail[0].lower())) - _LINKING <= known:
        phrase = phrase[: tail.start()]
    return phrase


def _restates(subject: str, known: set[str] | frozenset[str], question: str) -> bool:
    if not subject.strip() or (not subject.isascii() and _RESTATING_ZH.fullmatch(subject.strip())):
        return True
    words = _WORD.findall(subject.lower())
    return bool(words) and all(word in known or (not word.isascii() and word in question) for word in words)


def parts(phrase: str) -> set[tuple[str, ...]]:
    """Return the normalised members of a list ("liver, spleen and kidney")."""
    return {tokens for part in _LIST.split(phrase) if (tokens := normalise(part))}
