"""The MMMU parser as MedEvalKit runs it: the public reference logic, with its random choice under a seed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from lingshu.evalkit.official.answers import Verdict
from lingshu.evalkit.official.extraction import NO_BOX, boxed, tagged

RANDOM_CHOICE = "random_choice"
Choose = Callable[[Sequence[str]], str]
_ENDS = ",.!?;:'"  # taken off one after the other, each as often as it stands there
_LONG = 5  # a response of more words is searched for option texts
_TRIVIAL = frozenset(":,.!?;'")
_INDICATORS = ("could be ", "so ", "is ", "thus ", "therefore ", "final ", "answer ", "result ")
_SENTENCE = re.compile(r"\.\s(?=[A-Z])|\n")
_NUMBERS = (
    re.compile(r"-?\b\d{1,3}(?:,\d{3})+\b"),
    re.compile(r"-?\d+(?:\.\d+)?[eE][+-]?\d+"),
    re.compile(r"-?(?:\d+\.\d+|\.\d+|\d+\b)(?![eE][+-]?\d+)(?![,\d])"),
)


def prepared(response: str) -> str:
    """Return what is parsed: answer tags first, then a box within."""
    text = tagged(response) if "<answer>" in response else response
    found = boxed(text)
    return text if found == NO_BOX else found


def multi_choice(texts: Sequence[str], gold: str | Sequence[str], response: str, choose: Choose) -> Verdict:
    """Return the verdict on a multiple-choice question.

    Args:
        texts: option texts without letters.
        gold: the letter, or several of which any will do.
        choose: draws the answer where none is found.
    """
    letters = [chr(ord("A") + index) for index in range(len(texts))]
    letter, rule = _letter(prepared(response), letters, texts, choose)
    golds = (gold,) if isinstance(gold, str) else gold
    return Verdict(letter in golds, letter, rule)


def _letter(response: str, letters: Sequence[str], texts: Sequence[str], choose: Choose) -> tuple[str, str]:
    if "<answer>" in response:
        response = tagged(response)
    elif "\\boxed" in response:
        response = boxed(response)
    text = response.strip()
    for char in _ENDS:
        text = text.strip(char)
    text = f" {text} "
    for shape, rule in (("({})", "bracketed_letter"), (" {} ", "spaced_letter")):
        places = [(text.rfind(shape.format(letter)), letter) for letter in letters if shape.format(letter) in text]
        if places:
            return max(places, key=lambda found: found[0])[1], rule
    if len(text.split()) > _LONG:
        lowered = text.lower()
        named = [(lowered.rfind(option.lower()), index) for index, option in enumerate(texts)]
        if found := [(place, index) for place, index in named if place >= 0]:
            return letters[max(found, key=lambda at: at[0])[1]], "option_text"
    return choose(letters), RANDOM_CHOICE


def open_answer(gold: str | Sequence[str], response: str) -> Verdict:
    """Return the verdict on an open question as the validation run gives it.

    The text is passed where a list is expected, so that the gold is looked for in each of its characters (D46).
    """
    text = prepared(response)
    return Verdict(_contains(gold, list(text)), text, "character")


def open_answer_reference(gold: str | Sequence[str], response: str) -> Verdict:
    """Return the verdict on an open question as the public reference gives it: by substring, numbers by value."""
    found = _parsed_open(prepared(response))
    return Verdict(_contains(gold, found), " | ".join(map(str, found)), "substring_or_number")


def _contains(gold: str | Sequence[str], predictions: Sequence[str | float]) -> bool:
    golds = [form for answer in ((gold,) if isinstance(gold, str) else gold) for form in _forms(answer)]
    return any(
        any(isinstance(form, str) and form in given for form in golds) if isinstance(given, str) else given in golds
        for given in predictions
    )


def _forms(text: str) -> list[str | float]:
    """Return a number rounded to two decimals, else the lower-case text (one character: with a blank on a side)."""
    text = text.strip()
    try:
        float(text.replace(",", ""))
    except ValueError:
        lowered = text.lower()
        return [f" {lowered}", f"{lowered} "] if len(lowered) == 1 else [lowered]
    return [round(float(text.replace(",", "")), 2)]


def _parsed_open(response: str) -> list[str | float]:
    keys = _key_phrases(response)
    texts = keys + [number for key in keys for pattern in _NUMBERS for number in pattern.findall(key)]
    return list(dict.fromkeys(form for text in texts for form in _forms(text)))


def _key_phrases(response: str) -> list[str]:
    """Return for each sentence the shortest text behind an indicator word; the whole response if none has one.

    The text is lower-case by then, so that sentences end at line feeds only.
    """
    whole = response.strip().strip(".").lower()
    sentences = _SENTENCE.split(whole)
    keys: list[str] = []
    for number, sentence in enumerate(sentences):
        indicators = (*_INDICATORS, "=") if number == len(sentences) - 1 else _INDICATORS
        shortest = ""
        for indicator in indicators:
            if indicator in sentence:
                tail = sentence.split(indicator)[-1].strip()
                if not shortest or len(tail) < len(shortest):
                    shortest = tail
        if shortest and shortest not in _TRIVIAL:
            keys.append(shortest)
    return keys or [whole]
