"""Texts as plain tokens, and as n-gram counts with integer ids, made once and shared by BLEU and CIDEr."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

MAX_ORDER = 4
RADIX_BITS = 16  # of uint16
_SPACED = bytes(code if chr(code).isalnum() and code < 128 else ord(" ") for code in range(256))
_ENDED = b"\0" + _SPACED[1:]  # keeps a NUL, the end of a text


def plain_tokens(text: str) -> list[str]:
    """Return the lower-case runs of ASCII letters and digits: the tokens of rouge-score 0.1.2 without stemming."""
    return _spaced(text).decode("ascii").split()


def plain_words(texts: Sequence[str]) -> bytes:
    """Return the plain tokens of texts as bytes: spaces around each token, and a NUL after each text."""
    ended = "\0".join([*texts, ""])
    if ended.count("\0") > len(texts):
        ended = "\0".join([*(text.replace("\0", " ") for text in texts), ""])
    return _spaced(ended, _ENDED)


def _spaced(text: str, table: bytes = _SPACED) -> bytes:
    # Byte tables are several times faster than a pattern; what is not ASCII becomes "?", and then a space.
    return text.lower().encode("ascii", "replace").translate(table)


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of the n-grams of one order, one row for each distinct n-gram of a text, sorted by (text, gram).

    All arrays have shape (rows,); `grams` is the number of distinct n-grams over all texts.
    """

    text: NDArray[np.int64]
    gram: NDArray[np.int64]
    count: NDArray[np.int64]
    grams: int


def count_ngrams(texts: Sequence[Sequence[str]]) -> list[Counts]:
    """Return the counts of the n-grams of orders 1 to 4 of tokenised texts."""
    vocabulary: defaultdict[str, int] = defaultdict()
    vocabulary.default_factory = vocabulary.__len__
    tokens = np.fromiter(map(vocabulary.__getitem__, chain.from_iterable(texts)), dtype=np.int64)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    text = np.repeat(np.arange(len(texts), dtype=np.int64), lengths)
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(tokens))  # tokens from here to the text's end
    result: list[Counts] = []
    gram, size = tokens, len(vocabulary)
    for order in range(1, MAX_ORDER + 1):
        if order > 1:
            # An n-gram is the (n-1)-gram that starts at the same place and the token that follows it.
            starts = np.flatnonzero(left >= order)
            following = tokens[starts + order - 1]
            gram_at = np.zeros(len(tokens), dtype=np.int64)
            gram_at[starts], size = _numbered(gram[starts] * len(vocabulary) + following)
            gram = gram_at
        else:
            starts = np.arange(len(tokens))
        result.append(_counts(text[starts], gram[starts], size))
    return result


def _numbered(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Return codes as numbers 0 … distinct-1 in order of size, and how many are distinct."""
    if not len(codes):
        return codes, 0
    place = np.arange(len(codes))
    for digit in range(0, int(codes.max()).bit_length(), RADIX_BITS):
        # By the lowest digit first: numpy sorts 16 bits by counting, which is several times faster than comparing.
        digits = (codes[place] >> digit).astype(np.uint16)
        place = place[np.argsort(digits, kind="stable")]
    ordered = codes[place]
    number = np.zeros(len(codes), dtype=np.int64)
    number[1:] = np.cumsum(ordered[1:] != ordered[:-1])
    result = np.empty_like(number)
    result[place] = number
    return result, int(number[-1]) + 1


def _counts(text: NDArray[np.int64], gram: NDArray[np.int64], grams: int) -> Counts:
    # Texts follow one another, so that a sort which knows ordered runs has only each text's own n-grams to sort.
    keys = np.sort(text * max(grams, 1) + gram, kind="stable")
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else keys
    count = np.diff(np.append(first, len(keys)))
    distinct = keys[first]
    owner = distinct // max(grams, 1)
    return Counts(owner, distinct - owner * max(grams, 1), count, grams)
