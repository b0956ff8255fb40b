"""Options in other words that mean the same by rule: spelling, numerals, short forms, units, "all of these".

Read only where a response names no option as it stands. Nothing here is a guess: each pair of forms is equal in every
text, or the option is the only one of its form.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lingshu.evalkit.parsing.options import letter_of, option_texts
from lingshu.evalkit.parsing.short_forms import Form, other_numbers, short_forms

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
    *((r"hepatitis a(?: virus)?", "HAV"), (r"hepatitis b(?: virus)?", "HBV"), (r"hepatitis c(?: virus)?", "HCV")),
    *((r"hepatitis d(?: virus)?", "HDV"), (r"hepatitis e(?: virus)?", "HEV"), (r"phosphofructokinase", "PFK")),
    *((r"percutaneous coronary intervention", "PCI"), (r"coronary artery bypass graft(?:ing)?", "CABG")),
    *((r"n-acetyl-?cysteine", "NAC"), (r"parathyroid hormone[- ]related (?:protein|peptide)", "PTHrP")),
    *((r"measles[-, ]+mumps[-, ]+(?:and )?rubella", "MMR"), (r"red (?:blood )?cell", "RBC")),
    *((r"white (?:blood )?cell", "WBC"), (r"tuberculosis", "TB")),
    *((r"non-?proliferative diabetic retinopathy", "NPDR"), (r"proliferative diabetic retinopathy", "PDR")),
)
_ABBREVIATE = tuple((re.compile(rf"\b(?:{long})\b", re.IGNORECASE), short) for long, short in _ABBREVIATED)
_LONG_PIECES = (
    *("tomogra", "resonance", "sono", "ultraso", "electro", "ekg", "radiogra", "film", "eosin", "schiff", "prolif"),
    *("ct scan", "cat scan", "mri scan", "hepatitis", "fructokin", "percutan", "bypass", "acetyl", "parathyroid"),
    *("measles", "red cell", "blood cell", "white cell", "tubercul"),
)
_POSSESSIVE = re.compile(r"(?<=[a-z])['’]s\b")  # "Crohn's disease", "Crohn disease"
_NO_SIGN = re.compile(
    r"\bno (?:clear |definite )?(?:signs?|evidence|features?|findings?|indication) of\b", re.IGNORECASE
)
_OF_ZH = re.compile(r"(?<=[A-Za-z0-9\u4e00-\u9fff])的(?=[A-Za-z0-9\u4e00-\u9fff])")
_UNITS_ZH = {"毫克": "mg", "克": "g", "千克": "kg", "公斤": "kg", "毫升": "mL", "厘米": "cm", "毫米": "mm"}
_UNIT_ZH = re.compile(r"(?<=[0-9])\s*(?P<unit>毫克|千克|公斤|克|毫升|厘米|毫米)(?![/／])")
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
_HOW_MANY = re.compile(
    r"\bhow many (?P<what>[a-z -]+?)(?: (?:is|are|was|were|do|does|did|can|could|has|have|had|in|of|on|the)\b|\?|\Z)"
)
_COUNTED = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_COUNT = {word: value for value, word in enumerate(_COUNTED)} | {"single": 1, "solitary": 1}


def reworded(text: str, choices: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return `text` and the texts of `choices` in one form, as they are where there is nothing to change."""
    shown, even, forms = _evened(choices)
    text = _even(_aggregates(text, shown))
    for form, option in forms:
        text = form.sub(option, text)
    return other_numbers(text, even), even


@lru_cache(maxsize=1 << 12)
def _evened(choices: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...], list[Form]]:
    """Return option texts, the same in one form, and what finds their other forms in a text."""
    shown = option_texts(choices)
    even = tuple(_even(option) for option in shown)
    return shown, even, short_forms(even)


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
    if not text.isascii():
        text = _UNIT_ZH.sub(lambda found: " " + _UNITS_ZH[found["unit"]], text)
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


@lru_cache(maxsize=1 << 12)
def aggregates(choices: tuple[str, ...]) -> tuple[str, str]:
    """Return the letters of the options "all of the above" and "none of the above", each "" if there is none."""
    shown = option_texts(choices)
    found = [
        [letter_of(i) for i, option in enumerate(shown) if own.match(option)] for own in (_ALL_OPTION, _NONE_OPTION)
    ]
    return tuple(letters[0] if len(letters) == 1 else "" for letters in found)  # type: ignore[return-value]


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
