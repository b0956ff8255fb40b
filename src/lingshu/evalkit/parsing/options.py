"""The options of a multiple-choice question: their texts without letters, and where a response names them whole."""

from __future__ import annotations

import re
from functools import lru_cache

from lingshu.evalkit.parsing.stance import Span

ARTICLES = frozenset({"a", "an", "the"})
_WORD = re.compile(r"\d+(?:\.\d+)?|[\u4e00-\u9fff]|[^\W_\d\u4e00-\u9fff]+|[<>≤≥%+±]|(?<!\w)-(?=\d)")
_SLACK = 64  # characters of mark-up and punctuation that may stand around an option's text
_PREFIX = re.compile(r"\s*[(\[]?\s*([A-Za-z])\s*[)\].:：、,，]\s*")


def word_set(text: str) -> frozenset[str]:
    """Return the blank-separated words of `text`."""
    return frozenset(text.split())


def letter_of(index: int) -> str:
    """Return the letter of the option at `index` (0 is A)."""
    return chr(ord("A") + index)


@lru_cache(maxsize=1 << 14)
def option_texts(choices: tuple[str, ...]) -> tuple[str, ...]:
    """Return the option texts without their letters, where every option shows its own letter; else as they are."""
    heads = [_PREFIX.match(choice) for choice in choices]
    if all(head and head[1].upper() == letter_of(i) for i, head in enumerate(heads)):
        return tuple(choice[head.end() :].strip() for choice, head in zip(choices, heads, strict=True) if head)
    return tuple(choice.strip() for choice in choices)


def words(text: str) -> tuple[str, ...]:
    """Return the lower-case words, numbers and signs of `text` without articles (all of them if only articles)."""
    found = tuple(m[0] for m in _WORD.finditer(text.lower()))
    return tuple(w for w in found if w not in ARTICLES) or found


@lru_cache(maxsize=1 << 14)
def _by_first_word(choices: tuple[str, ...]) -> dict[str, list[tuple[tuple[str, ...], int]]]:
    table: dict[str, list[tuple[tuple[str, ...], int]]] = {}
    for index, option in enumerate(option_texts(choices)):
        if option_words := words(option):
            table.setdefault(option_words[0], []).append((option_words, index))
    for entries in table.values():
        entries.sort(key=lambda entry: -len(entry[0]))
    return table


def whole_option(choices: tuple[str, ...], text: str) -> str:
    """Return the letter of the only option whose text is `text` (case, articles and punctuation aside), or ""."""
    if len(text) > 2 * max(map(len, choices)) + _SLACK:
        return ""
    wanted = words(text)
    if not wanted:
        return ""
    found = [i for entry, i in _by_first_word(choices).get(wanted[0], ()) if entry == wanted]
    return letter_of(found[0]) if len(found) == 1 else ""


def named_options(choices: tuple[str, ...], text: str) -> list[tuple[Span, str]]:
    """Return every place where `text` (lower case) holds the whole text of one option, in order, longest match first.

    A place within a longer option's text counts for the longer one only. Texts shared by two options name neither.
    """
    table = _by_first_word(choices)
    found = [(m[0], m.start(), m.end()) for m in _WORD.finditer(text)]
    tokens = [token for token in found if token[0] not in ARTICLES]
    names = [token[0] for token in tokens]
    result: list[tuple[Span, str]] = []
    position = 0
    while position < len(names):
        step = 1
        hits = [
            (len(entry), index)
            for entry, index in table.get(names[position], ())
            if tuple(names[position : position + len(entry)]) == entry
        ]
        if hits:
            step = hits[0][0]
            longest = [index for length, index in hits if length == step]
            if len(longest) == 1:
                span = (tokens[position][1], tokens[position + step - 1][2])
                result.append((span, letter_of(longest[0])))
        position += step
    return result
