"""Options in other words that mean the same by rule: spelling, numerals, a genus cut short, "all of these".

Read only where a response names no option as it stands. Nothing here is a guess: each pair of forms is equal in every
text, or the option is the only one of its form.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lingshu.evalkit.parsing.options import letter_of, option_texts

# British and American spelling, by the piece of a word that differs.
_SPELLING = (
    *(("haem", "hem"), ("oedem", "edem"), ("anaem", "anem"), ("oesoph", "esoph"), ("paed", "ped"), ("tumour", "tumor")),
    *(
        ("colour", "color"),
        ("oestr", "estr"),
        ("caes", "ces"),
        ("foet", "fet"),
        ("leuk", "leuc"),
        ("diarrhoe", "diarrhe"),
    ),
    *(("ischaem", "ischem"), ("gynaec", "gynec"), ("orthopaed", "orthoped"), ("faec", "fec"), ("coel", "cel")),
    *(("apnoea", "apnea"), ("dyspnoea", "dyspnea"), ("isation", "ization"), ("sulph", "sulf"), ("fibre", "fiber")),
    *(
        ("litre", "liter"),
        ("calibre", "caliber"),
        ("grey", "gray"),
        ("aluminium", "aluminum"),
        ("adrenaline", "epinephrine"),
    ),
)
# What has a common abbreviation.
_ABBREVIATED = (
    *((r"computed tomography|ct scan|cat scan", "CT"), (r"magnetic resonance(?: imaging)?|mri scan", "MRI")),
    *((r"positron emission tomography", "PET"), (r"optical coherence tomography", "OCT")),
    *(
        (r"ultrasonography|sonography|ultrasound scan|sonogram", "ultrasound"),
        (r"electrocardiogra(?:m|phy)|ekg", "ECG"),
    ),
    *((r"(?:plain )?(?:radiograph|radiography|x[- ]?ray film|plain film)", "X-ray"), (r"electroencephalogram", "EEG")),
    *((r"hematoxylin and eosin", "H&E"), (r"periodic acid[- ]schiff", "PAS")),
    *((r"non-?proliferative diabetic retinopathy", "NPDR"), (r"proliferative diabetic retinopathy", "PDR")),
)
_ABBREVIATE = tuple((re.compile(rf"\b(?:{long})\b", re.IGNORECASE), short) for long, short in _ABBREVIATED)
_LONG_PIECES = (
    *("tomogra", "resonance", "sono", "ultraso", "electro", "ekg", "radiogra", "film", "eosin", "schiff", "prolif"),
    *("ct scan", "cat scan", "mri scan"),
)
_POSSESSIVE = re.compile(r"(?<=[a-z])['’]s\b")  # "Crohn's disease", "Crohn disease"
_NO_SIGN = re.compile(
    r"\bno (?:clear |definite )?(?:signs?|evidence|features?|findings?|indication) of\b", re.IGNORECASE
)
_OF_ZH = re.compile(r"(?<=[A-Za-z0-9\u4e00-\u9fff])的(?=[A-Za-z0-9\u4e00-\u9fff])")
_ROMAN = {
    "i": "1",
    "ii": "2",
    "iii": "3",
    "iv": "4",
    "v": "5",
    "vi": "6",
    "vii": "7",
    "viii": "8",
    "ix": "9",
    "x": "10",
}
_NUMBERED = re.compile(
    r"\b(?P<noun>types?|grades?|stages?|class|groups?|degree|phase|factor|cranial nerve|nerve|zone|level|category|lead)"
    r"(?P<gap>[ -])(?P<roman>viii|vii|vi|iv|v|ix|x|iii|ii|i)\b",
    re.IGNORECASE,
)
_NUMBERED_NOUNS = (
    *("type", "grade", "stage", "class", "group", "degree", "phase", "factor", "nerve", "zone", "level", "category"),
    "lead",
)
_ALL = re.compile(
    r"\ball of (?:these|them|those|the (?:listed|given|above|following)?\s*(?:options?|choices?|answers?|\w+)?)\b", re.I
)
_NONE = re.compile(
    r"\bnone of (?:these|them|those|the (?:(?:listed|given|above|following|provided|other)\b\s*)*(?:options?"
    r"|choices?|answers?|\w+)?)\b",
    re.I,
)
_ALL_OPTION = re.compile(
    r"all (?:of )?(?:the )?above|all of (?:these|them)|以上(?:都|均|皆)(?:是|对|正确)", re.IGNORECASE
)
_NONE_OPTION = re.compile(r"none (?:of )?(?:the )?above|none of (?:these|them)", re.IGNORECASE)
_GENUS = re.compile(r"(?P<genus>[A-Z][a-z]{2,}) (?P<species>[a-z]{4,})\Z")
_HOW_MANY = re.compile(
    r"\bhow many (?P<what>[a-z -]+?)(?: (?:is|are|was|were|do|does|did|can|could|has|have|had|in|of|on|the)\b|\?|\Z)"
)
_COUNTED = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_COUNT = {word: value for value, word in enumerate(_COUNTED)} | {"single": 1, "solitary": 1}


def reworded(text: str, choices: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return `text` and the texts of `choices` in one form, as they are where there is nothing to change."""
    shown, even, genera = _evened(choices)
    text = _aggregates(text, shown)
    for short, genus in genera:
        text = short.sub(genus, text)
    return _even(text), even


@lru_cache(maxsize=1 << 12)
def _evened(choices: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...], list[tuple[re.Pattern[str], str]]]:
    """Return option texts, the same in one form, and patterns of genera that are cut short ("E. coli")."""
    shown = option_texts(choices)
    named = [found for option in shown if (found := _GENUS.match(option))]
    genera = [
        (re.compile(rf"\b{found['genus'][0]}\. ?(?={found['species']}\b)"), found["genus"] + " ") for found in named
    ]
    return shown, tuple(_even(option) for option in shown), genera


def _even(text: str) -> str:
    lowered = text.lower()
    for british, american in _SPELLING:
        if british in lowered:
            text = re.sub(british, american, text, flags=re.IGNORECASE)
    if any(piece in lowered for piece in _LONG_PIECES):
        for long, short in _ABBREVIATE:
            text = long.sub(short, text)
    if "'s" in text or "’s" in text:
        text = _POSSESSIVE.sub("", text)
    if " of " in text:
        text = _NO_SIGN.sub("no", text)
    if "的" in text:
        text = _OF_ZH.sub(" ", text)
    if any(noun in lowered for noun in _NUMBERED_NOUNS):
        text = _NUMBERED.sub(lambda found: found["noun"] + found["gap"] + _ROMAN[found["roman"].lower()], text)
    return text


def _aggregates(text: str, shown: tuple[str, ...]) -> str:
    """Return `text` with "all of these" and "none of them" in the words of the option that says so, if one does."""
    if " of " not in text:
        return text
    for pattern, of_option in ((_ALL, _ALL_OPTION), (_NONE, _NONE_OPTION)):
        own = [option for option in shown if of_option.match(option)]
        if len(own) == 1:
            text = pattern.sub(lambda _, option=own[0]: option, text)  # type: ignore[misc]
    return text


def counted(text: str, question: str) -> str:
    """Return the one number of what `question` asks "how many" of ("two small lesions") as digits, else "".

    Args:
        text: lower case.
    """
    asked = _HOW_MANY.search(question.lower())
    if not asked:
        return ""
    noun = asked["what"].split()[-1].rstrip("s")
    number = rf"(?<!to )(?<!or )(?<!-)\b(?P<number>\d+|{'|'.join(_COUNT)})"
    between = r"(?: (?!(?:and|or|to|in|of|the|than)\b)[a-z-]+){0,3}?"
    found = {
        str(_COUNT.get(one["number"], one["number"]))
        for one in re.finditer(rf"{number}{between} {re.escape(noun)}", text)
    }
    return found.pop() if len(found) == 1 else ""


def counted_option(text: str, choices: tuple[str, ...], question: str) -> str:
    """Return the letter of the option that is the number of what is asked after; "" unless all options are numbers."""
    shown = [str(_COUNT.get(option.lower().rstrip("."), option.rstrip("."))) for option in option_texts(choices)]
    if not all(option.isdecimal() for option in shown):
        return ""
    number = counted(text.lower(), question)
    return letter_of(shown.index(number)) if shown.count(number) == 1 else ""
