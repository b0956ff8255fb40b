"""Hashes of word runs straight from texts as they are: normal form, words and runs, a text at a time.

The runs are those of `core.words.ngram_hashes(word_hashes(normalised(text)))` at a tenth of the cost; the hashes are
others. Each step goes through the text without a branch for each byte or word, so that most of it runs in vector
registers. Importing this module imports numba.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from lingshu.core.compiled import compiled
from lingshu.core.folding import Texts, as_texts, folded
from lingshu.core.words import HashLists

# SplitMix64 (Steele, Lea, Flood 2014), the finaliser's constants and its golden-ratio step.
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
STEP = np.uint64(0x9E3779B97F4A7C15)
SPACE = np.uint8(32)
ASCII = np.uint8(128)
ANY = 256  # more than a byte can be
# A word's hash is a polynomial in 257, which exceeds every byte, modulo 2**64; eight bytes of it are three sums of
# halves. Pairs of UTF-8 bytes (244 at most) fit 16 bits, fours 32.
BASE, BASE_2, BASE_4 = np.uint64(257), np.uint64(257**2), np.uint64(257**4)
BASE_8, BASE_16 = np.uint64(pow(257, 8, 1 << 64)), np.uint64(pow(257, 16, 1 << 64))
BYTES, PAIRS, FOURS = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF), np.uint64(0xFFFFFFFF)
# Which of the last eight bytes, and of the eight before, belong to a word of 0 to 16 letters; the first byte is lowest.
LAST = np.array([(1 << 64) - (1 << (64 - 8 * min(n, 8))) for n in range(17)], dtype=np.uint64)
BEFORE = np.array([(1 << 64) - (1 << (64 - 8 * max(n - 8, 0))) for n in range(17)], dtype=np.uint64)
LEAD, BLOCK = 16, 64  # bytes of room before a text, which its first word may be read with, and after it


def shingle_hashes(texts: pl.Series, size: int) -> HashLists:
    """Return the hash of every run of `size` words of every text's normal form, in reading order.

    Args:
        texts: as they are, no nulls.
        size: words in a run; a text with fewer words has none.
    """
    lists, foreign = _hashed(as_texts(texts), size, 128)
    rows = np.flatnonzero(foreign)
    if not len(rows):
        return lists
    others, _ = _hashed(folded(texts.gather(rows)), size, ANY)
    return _with_rows(lists, rows, others)


def _hashed(texts: Texts, size: int, limit: int) -> tuple[HashLists, NDArray[np.bool_]]:
    """Return the runs of texts, none for those with a byte of `limit` or more, and which these are."""
    lengths = np.diff(texts.offsets)
    longest = int(lengths.max(initial=0))
    values = np.empty(int((lengths // 2 + 1).sum()), dtype=np.uint64)
    bounds = np.zeros(len(texts) + 1, dtype=np.int64)
    foreign = np.zeros(len(texts), dtype=np.bool_)
    plain = np.zeros(LEAD + longest + 2 * BLOCK, dtype=np.uint8)
    edges = np.empty(longest + 2, dtype=np.int32)
    words = np.empty(longest // 2 + 2, dtype=np.uint64)
    _hash_texts((texts.letters, texts.offsets), (plain, edges, words), (size, limit), (values, bounds, foreign))
    return HashLists(values[: bounds[-1]], bounds), foreign


def _with_rows(lists: HashLists, rows: NDArray[np.int64], other: HashLists) -> HashLists:
    """Return `lists` with the given rows replaced by those of `other`."""
    lengths = np.diff(lists.offsets)
    lengths[rows] = np.diff(other.offsets)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    source = np.full(len(lists), -1, dtype=np.int64)
    source[rows] = np.arange(len(rows))
    values = np.empty(offsets[-1], dtype=np.uint64)
    _merge((lists.values, lists.offsets), (other.values, other.offsets), source, values, offsets)
    return HashLists(values, offsets)


@intrinsic  # type: ignore[untyped-decorator]
def _letters_at(_typing: Any, text: Any, place: Any) -> Any:  # noqa: ARG001 (numba counts the arguments)
    """Return which of the 64 bytes from `place` on are no spaces, the first in the lowest bit: one comparison."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        vector = ir.VectorType(ir.IntType(8), BLOCK)
        at = builder.bitcast(builder.gep(data, [arguments[1]]), vector.as_pointer())
        loaded = builder.load(at, align=1)
        letters = builder.icmp_unsigned("!=", loaded, ir.Constant(vector, [int(SPACE)] * BLOCK))
        return builder.bitcast(letters, ir.IntType(64))

    return types.uint64(text, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def _lowest_bit(_typing: Any, bits: Any) -> Any:  # noqa: ARG001 (numba counts the arguments)
    """Return the number of the lowest bit that is set; there is one."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate


@compiled
def _mix(value: np.uint64) -> np.uint64:
    value = (value ^ (value >> np.uint64(30))) * MIX_1
    value = (value ^ (value >> np.uint64(27))) * MIX_2
    return value ^ (value >> np.uint64(31))


@compiled
def _hash_texts(
    texts: tuple[NDArray[np.uint8], NDArray[np.int64]],
    room: tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.uint64]],
    how: tuple[int, int],
    found: tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.bool_]],
) -> None:
    letters, offsets = texts
    plain, edges, words = room
    size, limit = how
    values, bounds, foreign = found
    for row in range(len(offsets) - 1):
        bounds[row + 1] = bounds[row]
        if _fold(letters[offsets[row] : offsets[row + 1]], plain[LEAD:]) >= limit:
            foreign[row] = True
            continue
        count = _find_edges(plain, offsets[row + 1] - offsets[row], edges) // 2
        _hash_words(plain, edges, words[:count])
        if count >= size:
            bounds[row + 1] += count - size + 1
            _hash_runs(words[:count], size, values[bounds[row] : bounds[row + 1]])


@compiled
def _fold(letters: NDArray[np.uint8], plain: NDArray[np.uint8]) -> np.uint8:
    """Put `core.folding.byte_table` of every letter, or a letter beyond ASCII, into `plain`, then a block of spaces.

    Returns all bits that are set in any of them. In comparisons of bytes with bytes, so 64 go at a time.
    """
    seen = np.uint8(0)
    for place in range(len(letters)):
        c = letters[place]
        seen = np.uint8(seen | c)
        low = np.uint8(c + SPACE) if (c >= np.uint8(65)) & (c <= np.uint8(90)) else c
        kept = ((low >= np.uint8(97)) & (low <= np.uint8(122))) | ((c >= np.uint8(48)) & (c <= np.uint8(57)))  # a-z 0-9
        kept |= ((c >= np.uint8(60)) & (c <= np.uint8(62))) | (c >= ASCII)  # <=>
        kept |= (c == np.uint8(36)) | (c == np.uint8(37)) | (c == np.uint8(43)) | (c == np.uint8(45))  # $%+-
        kept |= (c == np.uint8(47)) | (c == np.uint8(94)) | (c == np.uint8(96))  # /^`
        kept |= (c == np.uint8(124)) | (c == np.uint8(126))  # |~
        plain[place] = low if kept else SPACE
    for place in range(len(letters), len(letters) + BLOCK):
        plain[place] = SPACE
    return seen


@compiled
def _find_edges(plain: NDArray[np.uint8], length: int, edges: NDArray[np.int32]) -> np.int64:
    """Put first place and end of every word into `edges`; return how many there are of both."""
    count = before = np.uint64(0)
    for block in range(LEAD, LEAD + length + 1, BLOCK):
        letters = _letters_at(plain, block)
        changes = letters ^ ((letters << np.uint64(1)) | before)
        before = letters >> np.uint64(63)
        while changes != 0:
            edges[count] = np.int32(block + np.int64(_lowest_bit(changes)))
            count += np.uint64(1)
            changes &= changes - np.uint64(1)
    return np.int64(count)


@compiled
def _eight(plain: NDArray[np.uint8], start: np.int64) -> np.uint64:
    """Return eight bytes as one number, the first the lowest: the compiler makes one load of it."""
    at = np.uint64(start)  # unsigned: counts from the front only
    value = np.uint64(plain[at]) | (np.uint64(plain[at + np.uint64(1)]) << np.uint64(8))
    value |= np.uint64(plain[at + np.uint64(2)]) << np.uint64(16)
    value |= np.uint64(plain[at + np.uint64(3)]) << np.uint64(24)
    value |= np.uint64(plain[at + np.uint64(4)]) << np.uint64(32)
    value |= np.uint64(plain[at + np.uint64(5)]) << np.uint64(40)
    value |= np.uint64(plain[at + np.uint64(6)]) << np.uint64(48)
    return value | (np.uint64(plain[at + np.uint64(7)]) << np.uint64(56))


@compiled
def _polynomial(eight: np.uint64) -> np.uint64:
    pairs = (eight & BYTES) * BASE + ((eight >> np.uint64(8)) & BYTES)
    fours = (pairs & PAIRS) * BASE_2 + ((pairs >> np.uint64(16)) & PAIRS)
    return (fours & FOURS) * BASE_4 + (fours >> np.uint64(32))


@compiled
def _hash_words(plain: NDArray[np.uint8], edges: NDArray[np.int32], words: NDArray[np.uint64]) -> None:
    for number in range(len(words)):
        start, end = np.int64(edges[2 * number]), np.int64(edges[2 * number + 1])
        length = np.int64(min(end - start, np.int64(16)))
        before, last = _eight(plain, end - 16) & BEFORE[length], _eight(plain, end - 8) & LAST[length]
        state = _polynomial(before) * BASE_8 + _polynomial(last)
        if end - start > 16:
            front = np.uint64(0)
            for place in range(start, end - 16):
                front = front * BASE + np.uint64(plain[place])
            state += front * BASE_16
        words[number] = state
    for number in range(len(words)):
        words[number] = _mix(words[number])


@compiled
def _hash_runs(words: NDArray[np.uint64], size: int, runs: NDArray[np.uint64]) -> None:
    for place in range(len(runs)):
        runs[place] = words[place]
    for later in range(1, size):
        following = words[later:]
        for place in range(len(runs)):
            runs[place] = runs[place] * STEP + following[place]
    for place in range(len(runs)):
        runs[place] = _mix(runs[place])


@compiled
def _merge(
    lists: tuple[NDArray[np.uint64], NDArray[np.int64]],
    other: tuple[NDArray[np.uint64], NDArray[np.int64]],
    source: NDArray[np.int64],
    values: NDArray[np.uint64],
    offsets: NDArray[np.int64],
) -> None:
    for row in range(len(source)):
        here, bounds, number = (lists[0], lists[1], row) if source[row] < 0 else (other[0], other[1], source[row])
        for place in range(offsets[row + 1] - offsets[row]):
            values[offsets[row] + place] = here[bounds[number] + place]
