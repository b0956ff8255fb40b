"""The options of a multiple-choice question: their texts without letters, and where a response names them whole."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from lingshu.evalkit.parsing.clauses import Span

Token = tuple[str, int, int]  # the word in lower case, its start and end
ARTICLES = frozenset({"a", "an", "the"})
_WORD = re.compile(r"\d+(?:\.\d+)?|[\u4e00-\u9fff]|[^\W_\d\u4e00-\u9fff]+|[<>≤≥%+±]|(?<!\w)-(?=\d)")
# Those words that have none; a set of characters at the head lets the engine pass over most of a text.
_NO_LETTERS = re.compile(r"[\d<>≤≥%+±-](?:(?<=\d)\d*(?:\.\d+)?|(?<=[<>≤≥%+±])|(?<=-)(?<!\w.)(?=\d))")
_LETTERS = re.compile(r"[^\W_\d\u4e00-\u9fff]+")
_CHARACTER = re.compile(r"[\u4e00-\u9fff]")  # each is a word
# Full-width forms, each of which becomes one ASCII character, and characters that NFKC leaves as they are.
_WIDE = re.compile(r"[\uff01-\uff5e]")
_USUAL = re.compile(r"[\x00-\x7f\u2018-\u201d\u3001\u3002\u4e00-\u9fff\uff01-\uff5e]*")
_OTHER_UNIT = re.compile(r" ?/ ?(?!d(?:ay)?\b)[A-Za-z]")  # "5 mg/kg" is not 5 mg, "5 mg/day" is
_SIGNS = ("-", "<", ">", "≤", "≥", "±")
_SLACK = 64  # characters of mark-up and punctuation that may stand around an option's text
_PREFIX = re.compile(r"\s*[(\[]?\s*([A-Za-z])\s*[)\].:：、,，]\s*")


def word_set(text: str) -> frozenset[str]:
    """Return the blank-separated words of `text`."""
    return frozenset(text.split())


def plain_form(text: str) -> str:
    """Return `text` with full-width and other compatibility forms made plain (NFKC)."""
    if text.isascii():
        return text
    if not _USUAL.fullmatch(text):
        return unicodedata.normalize("NFKC", text)
    for wide in set(_WIDE.findall(text)):  # the same, at a quarter of the cost for Chinese
        text = text.replace(wide, unicodedata.normalize("NFKC", wide))
    return text


def letter_of(index: int) -> str:
    """Return the letter of the option at `index` (0 is A)."""
    return chr(ord("A") + index)


@lru_cache(maxsize=1 << 14)
def option_texts(choices: tuple[str, ...]) -> tuple[str, ...]:
    """Return the option texts without their letters, where every option shows its own letter; else as they are.

    Full-width and compatibility forms become plain ones, as in responses.
    """
    choices = tuple(plain_form(choice) for choice in choices)
    heads = [_PREFIX.match(choice) for choice in choices]
    if all(head and head[1].upper() == letter_of(i) for i, head in enumerate(heads)):
        return tuple(choice[head.end() :].strip() for choice, head in zip(choices, heads, strict=True) if head)
    return tuple(choice.strip() for choice in choices)


def _tokens(text: str, start: int = 0) -> Iterator[Token]:
    """Yield the words, numbers and signs of `text` from `start` on, without articles.

    A capital "A" within a sentence is a name ("vitamin A"), not an article.
    """
    for found in _WORD.finditer(text, start):
        if (word := found[0].lower()) not in ARTICLES or (found[0] == "A" and _is_name(text, *found.span())):
            yield word, found.start(), found.end()


def _is_name(text: str, at: int, end: int) -> bool:
    if _CHARACTER.match(text, end):
        return True  # "A型"
    before = text[:at].rstrip()[-1:] if at <= _SLACK else text[at - _SLACK : at].rstrip()[-1:]
    return before.isalpha() and not text[max(0, at - _SLACK) : at].isupper()


def words(text: str) -> tuple[str, ...]:
    """Return the lower-case words, numbers and signs of `text` without articles (all of them if only articles)."""
    return tuple(token[0] for token in _tokens(text)) or tuple(found[0].lower() for found in _WORD.finditer(text))


def labelled_option(choices: tuple[str, ...], text: str) -> str:
    """Return the letter if `text` is exactly an option with its letter ("B. Aspirin", "(B) aspirin"), or ""."""
    if len(text) > 2 * max(map(len, choices)) + _SLACK or not (head := _PREFIX.match(text)):
        return ""
    index = ord(head[1].upper()) - ord("A")
    if index >= len(choices) or words(text[head.end() :]) != words(option_texts(choices)[index]):
        return ""
    return letter_of(index)


class _Alike(NamedTuple):
    """The options that begin with one word, longest first, each as its words and its index.

    Attributes:
        number: the word is a number.
        single: the indices of those that are no more than this word.
        second: what follows it in the others.
        heads: those words, and articles, which may stand before them.
        phrases: options as they stand in most texts, each with its letter: those whose words are made out
            by that alone, and that are no other option's text nor the beginning of one.
    """

    number: bool
    options: list[tuple[tuple[str, ...], int]]
    single: list[int]
    second: frozenset[str]
    heads: tuple[str, ...]
    phrases: list[tuple[str, str]]


@lru_cache(maxsize=1 << 14)
def _by_first_word(choices: tuple[str, ...]) -> dict[str, _Alike]:
    table: dict[str, list[tuple[tuple[str, ...], int]]] = {}
    shown = option_texts(choices)
    for index, option in enumerate(shown):
        if option_words := words(option):
            table.setdefault(option_words[0], []).append((option_words, index))
    return {
        first: _Alike(
            first[0].isdigit(),
            sorted(options, key=lambda option: -len(option[0])),
            [index for option, index in options if len(option) == 1],
            second := frozenset(option[1] for option, _ in options if len(option) > 1),
            tuple(second | ARTICLES),
            [
                (phrase, letter_of(index))
                for option, index in options
                if (phrase := _phrase(shown[index], option))
                and sum(other[: len(option)] == option for other, _ in options) == 1
            ],
        )
        for first, options in table.items()
    }


def _phrase(option: str, option_words: tuple[str, ...]) -> str:
    """Return the text of an option from its first word to its last, in lower case; "" if it is not plain words."""
    tokens = list(_tokens(option))
    phrase = option[tokens[0][1] : tokens[-1][2]].lower() if tokens else ""
    # A capital "A" in a response may be a name, where a small one is an article.
    parts = phrase.split(" ")
    plain = all(_LETTERS.fullmatch(part) or part.isdecimal() for part in parts) and "a" not in parts
    kept = tuple(part for part in parts if part not in ARTICLES)
    return phrase if plain and kept == option_words and not kept[-1].isdecimal() else ""


def whole_option(choices: tuple[str, ...], text: str) -> str:
    """Return the letter of the only option whose text is `text` (case, articles and punctuation aside), or ""."""
    if len(text) > 2 * max(map(len, choices)) + _SLACK:
        return ""
    wanted = words(text)
    if not wanted:
        return ""
    alike = _by_first_word(choices).get(wanted[0])
    found = [index for option, index in alike.options if option == wanted] if alike else []
    return letter_of(found[0]) if len(found) == 1 else ""


def _part_of_number(text: str, first: Token, last: Token) -> bool:
    """Return whether an option that begins or ends with a number stands in another number ("-5", "> 5", "5 %")."""
    if first[0][0].isdigit() and _signed(text, first[1]):
        return True
    if first[0][0].isdigit() and _other_unit(text, last[2]):
        return True
    return last[0][0].isdigit() and text[last[2] : last[2] + 2].lstrip()[:1] == "%"


def _other_unit(text: str, end: int) -> bool:
    return "/" in text[end : end + 2] and _OTHER_UNIT.match(text, end) is not None


def _signed(text: str, at: int) -> bool:
    """Return whether a sign belongs to the number at `at`, unless a word is before the sign ("Covid-19")."""
    before = text[at - 1 : at]
    if before == " " or before.isspace():
        return at > 1 and text[at - 2] in _SIGNS
    return before in _SIGNS and not text[max(0, at - 2) : at - 1].isalnum()


def named_options(choices: tuple[str, ...], text: str) -> list[tuple[Span, str]]:
    """Return every place where `text` holds the whole text of one option, in order, longest match first.

    A place within a longer option's text counts for the longer one only. Texts shared by two options name neither.
    """
    table = _by_first_word(choices)
    lowered = text.lower()
    if not any(first in lowered for first in table):
        return []
    simple = len(lowered) == len(text) and "Σ" not in text  # else small letters depend on the place, or are longer
    result: list[tuple[Span, str]] = []
    position = 0
    for first in _first_words(table, text, lowered, simple):
        start = first[1]
        if start < position:
            continue
        alike = table[first[0]]
        if simple:
            plain = 0
            for phrase, letter in alike.phrases:
                if lowered.startswith(phrase, start) and _ends_word(text, plain := start + len(phrase)):
                    if not alike.number or not (_signed(text, start) or _other_unit(text, plain)):
                        position = plain
                        result.append(((start, plain), letter))
                    break
            else:
                plain = 0
            if plain:
                continue
        last, indices = _longest(alike, text, lowered if simple else "", first)
        if not indices or _part_of_number(text, first, last):
            continue
        position = last[2]
        if len(indices) == 1:
            result.append(((start, position), letter_of(indices[0])))
    return result


def _ends_word(text: str, end: int) -> bool:
    return not (text[end : end + 1].isalnum() and _LETTERS.match(text, end))


def _longest(alike: _Alike, text: str, lowered: str, first: Token) -> tuple[Token, list[int]]:
    """Return the last token of the longest options that stand whole from `first` on, and their indices.

    No more tokens are read than it takes to tell: most places hold only the first word of an option. `lowered` is ""
    where small letters stand elsewhere than in `text`.
    """
    if not alike.second:
        return first, alike.single
    second = first[2] + 1
    spelt = lowered[first[2] : second] == " " and lowered[second : second + 1].isalpha()
    if spelt and not lowered.startswith(alike.heads, second):
        return first, alike.single
    following = _WORD.search(text, first[2])
    if not following or ((word := following[0].lower()) not in alike.second and word not in ARTICLES):
        return first, alike.single
    last, indices = first, alike.single
    left = [one for one in alike.options if len(one[0]) > 1]
    for number, token in enumerate(_tokens(text, first[2]), start=1):
        left = [one for one in left if one[0][number] == token[0]]
        if whole := [index for option, index in left if len(option) == number + 1]:
            last, indices = token, whole
            left = [one for one in left if len(one[0]) > number + 1]
        if not left:
            break
    return last, indices


def _first_words(firsts: Collection[str], text: str, lowered: str, simple: bool) -> list[Token]:
    """Return the words of `text` that are one of `firsts`, in order.

    Words of letters are found by `str.find`, which costs far less than all tokens of a long text does.
    """
    if not simple or not ARTICLES.isdisjoint(firsts):
        return [token for token in _tokens(text) if token[0] in firsts]
    found: list[Token] = []
    others: list[str] = []
    for first in firsts:
        if _LETTERS.fullmatch(first) or _CHARACTER.match(first):
            found += _words_found(first, text, lowered)
        elif first.isdecimal() and (numbers := _numbers_found(first, text)) is not None:
            found += numbers
        else:
            others.append(first)
    if others:
        found += [(word, *one.span()) for one in _NO_LETTERS.finditer(text) if (word := one[0]) in others]
    return sorted(found, key=itemgetter(1))


def _words_found(word: str, text: str, lowered: str) -> Iterator[Token]:
    single = _CHARACTER.match(word) is not None
    at = lowered.find(word)
    while at >= 0:
        end = at + len(word)
        if single or not (
            (text[end : end + 1].isalnum() and _LETTERS.match(text, end))
            or (at and text[at - 1].isalnum() and _LETTERS.match(text, at - 1))
        ):
            yield word, at, end
        at = lowered.find(word, end)


def _numbers_found(number: str, text: str) -> list[Token] | None:
    """Return where a whole number stands by itself, None if a stop between digits leaves open where numbers begin."""
    found: list[Token] = []
    at = text.find(number)
    while at >= 0:
        end = at + len(number)
        before, after = text[at - 1 : at], text[end : end + 2]
        if before == "." and text[at - 2 : at - 1].isdecimal():
            return None
        if not before.isdecimal() and not after[:1].isdecimal() and not (after[:1] == "." and after[1:].isdecimal()):
            found.append((number, at, end))
        at = text.find(number, end)
    return found
