"""The Porter stemmer as NLTK's `PorterStemmer()` applies it (its default mode, with NLTK's extensions).

The algorithm: M. Porter, "An algorithm for suffix stripping", Program 14 (1980). A step's rules are tried in order; the
first suffix that fits decides, whether its condition on the rest (the stem) holds or not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

Condition = Callable[[str], bool]
Rule = tuple[str, str, Condition]

SHORTEST = 3  # shorter words are stems
_IRREGULAR = {
    "sky": "sky",
    "skies": "sky",
    "dying": "die",
    "lying": "lie",
    "tying": "tie",
    "news": "news",
    "innings": "inning",
    "inning": "inning",
    "outings": "outing",
    "outing": "outing",
    "cannings": "canning",
    "canning": "canning",
    "howe": "howe",
    "proceed": "proceed",
    "exceed": "exceed",
    "succeed": "succeed",
}


@cache
def stem(word: str) -> str:
    """Return the stem of a word, in lower case."""
    word = word.lower()
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < SHORTEST:
        return word
    word = _present(_past(_plural(word)))
    word = _apply(_apply(_double(word), _STEP_3), _STEP_4)
    return _final(word)


def _shape(text: str) -> str:
    """Return `c` for each consonant and `v` for each vowel; y is a vowel after a consonant."""
    shape = ""
    for letter in text:
        vowel = shape.endswith("c") if letter == "y" else letter in "aeiou"
        shape += "v" if vowel else "c"
    return shape


def _measure(text: str) -> int:
    """Return how often a vowel is followed by a consonant."""
    return _shape(text).count("vc")


def _short_end(text: str) -> bool:
    """Return whether the text ends consonant, vowel, consonant (not w, x, y), or is a vowel and a consonant."""
    shape = _shape(text)
    return (shape.endswith("cvc") and text[-1] not in "wxy") or shape == "vc"


def _double_end(text: str) -> bool:
    return len(text) > 1 and text[-1] == text[-2] and _shape(text)[-1] == "c"


def _some(text: str) -> bool:
    return _measure(text) > 0


def _more(text: str) -> bool:
    return _measure(text) > 1


def _apply(word: str, rules: tuple[Rule, ...]) -> str:
    for suffix, replacement, condition in rules:
        if word.endswith(suffix):
            rest = word.removesuffix(suffix)
            return rest + replacement if condition(rest) else word
    return word


def _plural(word: str) -> str:
    if word.endswith("ies"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _past(word: str) -> str:
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return word[:-1] if _some(word[:-3]) else word
    for suffix in ("ed", "ing"):
        rest = word.removesuffix(suffix)
        if rest != word and "v" in _shape(rest):
            return _mended(rest)
    return word


def _mended(rest: str) -> str:
    """Return what is left of a word after -ed or -ing with the letter it lost put back, or a double one made single."""
    if rest.endswith(("at", "bl", "iz")):
        return rest + "e"
    if _double_end(rest):
        return rest if rest[-1] in "lsz" else rest[:-1]
    return rest + "e" if _measure(rest) == 1 and _short_end(rest) else rest


def _present(word: str) -> str:
    if word.endswith("y") and len(word) > 2 and _shape(word)[-2] == "c":
        return word[:-1] + "i"
    return word


def _double(word: str) -> str:
    if word.endswith("alli") and _some(word[:-4]):
        return _double(word[:-2])
    if word.endswith("logi"):  # the l counts for the stem, so that short ones as "geo" will do
        return word[:-1] if _some(word[:-3]) else word
    return _apply(word, _STEP_2)


def _final(word: str) -> str:
    if word.endswith("e"):
        rest = word[:-1]
        measure = _measure(rest)
        if measure > 1 or (measure == 1 and not _short_end(rest)):
            word = rest
    return word[:-1] if word.endswith("ll") and _more(word[:-1]) else word


def _after_s_or_t(text: str) -> bool:
    return text.endswith(("s", "t")) and _more(text)


_STEP_2: tuple[Rule, ...] = tuple(
    (suffix, replacement, _some)
    for suffix, replacement in (
        ("ational", "ate"),
        ("tional", "tion"),
        ("enci", "ence"),
        ("anci", "ance"),
        ("izer", "ize"),
        ("bli", "ble"),
        ("alli", "al"),
        ("entli", "ent"),
        ("eli", "e"),
        ("ousli", "ous"),
        ("ization", "ize"),
        ("ation", "ate"),
        ("ator", "ate"),
        ("alism", "al"),
        ("iveness", "ive"),
        ("fulness", "ful"),
        ("ousness", "ous"),
        ("aliti", "al"),
        ("iviti", "ive"),
        ("biliti", "ble"),
        ("fulli", "ful"),
    )
)
_STEP_3: tuple[Rule, ...] = tuple(
    (suffix, replacement, _some)
    for suffix, replacement in (
        ("icate", "ic"),
        ("ative", ""),
        ("alize", "al"),
        ("iciti", "ic"),
        ("ical", "ic"),
        ("ful", ""),
        ("ness", ""),
    )
)
_STEP_4: tuple[Rule, ...] = (
    *((end, "", _more) for end in ("al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent")),
    ("ion", "", _after_s_or_t),
    *((end, "", _more) for end in ("ou", "ism", "ate", "iti", "ous", "ive", "ize")),
)
