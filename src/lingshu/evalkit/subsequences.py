"""Longest common subsequences of words, read from bytes: no Python string a word, texts of any length.

A text is words of bytes above 32 with spaces around them, and ends with a NUL. Equal words have equal bytes: hashes
only find the place to compare. Importing this module imports numba.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lingshu.core.compiled import compiled

SPACE = 32
BLOCK = 64  # words that one integer holds
ROTATE, REST = np.uint64(8), np.uint64(56)
NONE, ONE, ALL = np.uint64(0), np.uint64(1), np.uint64(0xFFFFFFFFFFFFFFFF)
STEP = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: multiplicative hashing (Knuth, volume 3, 6.4)


def common_words(references: bytes, candidates: bytes) -> NDArray[np.int64]:
    """Return the words of each reference, of its candidate, and of their longest common subsequence.

    Shape (3, samples).

    Raises:
        ValueError: the numbers of texts differ.
    """
    samples, others = references.count(b"\0"), candidates.count(b"\0")
    if samples != others:
        raise ValueError(f"{samples} references and {others} candidates; both need one text a sample")
    letters = np.frombuffer(references + candidates, dtype=np.uint8)
    words, bounds = found_words(letters, 2 * samples)
    common = np.zeros(samples, dtype=np.int64)
    _common(letters, words, bounds, common)
    return np.array([*np.diff(bounds).reshape(2, samples), common])


def found_words(letters: NDArray[np.uint8], texts: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return hash and first place of each word, shape (words or more, 2), and the bounds of texts, shape (texts + 1,).

    Text i has the words bounds[i] to bounds[i + 1].
    """
    words = np.empty((len(letters) // 2, 2), dtype=np.uint64)  # a word takes a byte, and what ends it another
    bounds = np.zeros(texts + 1, dtype=np.int64)
    _find(letters, words, bounds)
    return words, bounds


@compiled
def _find(letters: NDArray[np.uint8], words: NDArray[np.uint64], bounds: NDArray[np.int64]) -> None:
    count, text, begin, state = 0, 0, -1, NONE
    for place in range(len(letters)):
        letter = letters[place]
        if letter > SPACE:
            if begin < 0:
                begin = place
            # By rotation, words of up to eight bytes each have a hash of their own.
            state = ((state << ROTATE) | (state >> REST)) ^ np.uint64(letter)
            continue
        if begin >= 0:
            words[count, 0], words[count, 1] = state * STEP, begin
            count, begin, state = count + 1, -1, NONE
        if letter == 0:
            text += 1
            bounds[text] = count


@compiled
def _common(
    letters: NDArray[np.uint8], words: NDArray[np.uint64], bounds: NDArray[np.int64], common: NDArray[np.int64]
) -> None:
    """Fill in the common words of texts i and samples + i; the work arrays are made once, for the longest text."""
    samples, longest = len(common), 1
    for text in range(2 * samples):
        longest = max(longest, bounds[text + 1] - bounds[text])
    slots, numbers = np.empty(4 * longest, dtype=np.int64), np.empty((2, longest), dtype=np.int64)
    masks, carries = np.zeros(longest, dtype=np.uint64), np.empty(longest, dtype=np.uint64)
    for row in range(samples):
        other = samples + row
        pair = (bounds[row], bounds[row + 1], bounds[other], bounds[other + 1])
        known = _number(letters, words, pair, slots, numbers)
        common[row] = _longest(numbers[0, : pair[1] - pair[0]], numbers[1, :known], masks, carries)


@compiled
def _number(
    letters: NDArray[np.uint8],
    words: NDArray[np.uint64],
    pair: tuple[int, int, int, int],
    slots: NDArray[np.int64],
    numbers: NDArray[np.int64],
) -> int:
    """Number the words of a pair by their first place in the reference; return how many of the candidate are there.

    The others can't be common and are left out. `pair` has the bounds of both texts, `numbers` a row for each, and
    `slots` has room for two to four slots a word of the reference.
    """
    first, last, begin, end = pair
    bits = 1
    while (1 << bits) < 2 * (last - first):
        bits += 1
    table, shift = slots[: 1 << bits], np.uint64(64 - bits)
    table[:] = -1
    for word in range(first, last):
        slot = _slot(letters, words, table, shift, word)
        if table[slot] < 0:
            table[slot] = word
        numbers[0, word - first] = table[slot] - first
    known = 0
    for word in range(begin, end):
        slot = _slot(letters, words, table, shift, word)
        if table[slot] >= 0:
            numbers[1, known] = table[slot] - first
            known += 1
    return known


@compiled
def _slot(
    letters: NDArray[np.uint8], words: NDArray[np.uint64], table: NDArray[np.int64], shift: np.uint64, word: int
) -> np.int64:
    """Return the slot of an equal word, or the free one (-1) for it: linear probing in a table of 2**n slots."""
    slot = np.int64(words[word, 0] >> shift)  # not int(): it stays unsigned, and unsigned with signed is a float
    while table[slot] >= 0:
        other = table[slot]
        if words[other, 0] == words[word, 0] and _same(letters, np.int64(words[other, 1]), np.int64(words[word, 1])):
            break
        slot = (slot + 1) & (len(table) - 1)
    return slot


@compiled
def _same(letters: NDArray[np.uint8], i: np.int64, j: np.int64) -> bool:
    """Return whether the words that begin at `i` and `j` have the same bytes."""
    while letters[i] == letters[j] and letters[i] > SPACE:
        i, j = i + 1, j + 1
    return bool(letters[i] <= SPACE and letters[j] <= SPACE)


@compiled
def _longest(
    wanted: NDArray[np.int64], given: NDArray[np.int64], masks: NDArray[np.uint64], carries: NDArray[np.uint64]
) -> np.int64:
    """Return the length of a longest common subsequence (Hyyrö 2004, "Bit-parallel LCS-length computation revisited").

    A column of 64 words of `wanted` at a time, with the carries of all of `given` from one column to the next, so that
    memory grows with the words and not with their product. `masks` is 0 before and after.
    """
    length = np.int64(0)
    carries[: len(given)] = NONE
    for begin in range(0, len(wanted), BLOCK):
        block = wanted[begin : begin + BLOCK]
        for bit in range(len(block)):
            masks[block[bit]] |= ONE << np.uint64(bit)
        state = ALL
        for place in range(len(given)):
            hits = state & masks[given[place]]
            total = state + hits
            carried = total + carries[place]
            carries[place] = np.uint64(total < hits) | np.uint64(carried < total)
            state = carried | (state - hits)
        for bit in range(len(block)):
            masks[block[bit]] = NONE
            length += np.int64(~(state >> np.uint64(bit)) & ONE)
    return length
