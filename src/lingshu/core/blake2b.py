"""BLAKE2b (RFC 7693) of many short texts in machine code, equal to hashlib's bit for bit; importing it imports numba.

Sixteen texts are hashed at once, as the lanes of vector registers: each of the sixteen words of a block lies beside the
same word of the other texts.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from lingshu.core.compiled import compiled
from lingshu.core.id_hashes import BLOCK, DIGEST

WORD = 8  # bytes
WORDS = BLOCK // WORD
LANES = 16
ROWS_A_CALL = 1 << 20
LAST_BLOCK = np.uint64(0xFFFFFFFFFFFFFFFF)
# RFC 7693, sections 2.6 (the fractional parts of the square roots of the first eight primes) and 2.7.
IV = np.array(
    [
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ],
    dtype=np.uint64,
)  # fmt: skip
SIGMA = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    ],
    dtype=np.int64,
)


def blake2b_hashes(head: str, texts: pl.Series, tail: str) -> NDArray[np.uint64]:
    """Return the digest (8 bytes, read from the greatest on) of head, text and tail together, of every text.

    Args:
        head: in front of each text.
        texts: strings, without nulls; with head and tail at most `BLOCK` bytes each.
        tail: behind each text.
    """
    ends = [(_at_each_byte(end.encode()), len(end.encode())) for end in (head, tail)]
    block = np.zeros((LANES + 1) * WORDS, dtype=np.uint64)  # one for each lane, and one that the last may write into
    work = block, _words_from(block)
    hashes = np.empty(len(texts), dtype=np.uint64)
    for start in range(0, len(texts), ROWS_A_CALL):  # polars' views become Arrow's offsets a piece at a time
        array = pa.array(texts.slice(start, ROWS_A_CALL).to_arrow(), type=pa.large_string())
        _, bounds, data = array.buffers()
        offsets = np.frombuffer(bounds, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
        text = _at_each_byte(data or b""), offsets
        _hash_rows(ends[0], text, ends[1], work, hashes[start : start + ROWS_A_CALL])
    return hashes.byteswap()


def _at_each_byte(letters: bytes | pa.Buffer) -> NDArray[np.uint64]:
    """Return the word that begins at each byte, two of zeros behind the end: text is copied eight bytes at a time."""
    # One word would do, but a view of a single word is aligned, another type, for which all would be compiled again.
    return _words_from(np.concatenate([np.frombuffer(letters, dtype=np.uint8), np.zeros(2 * WORD, dtype=np.uint8)]))


def _words_from(data: NDArray[np.uint8] | NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the word that begins at each byte of the array: a view, not aligned."""
    return np.ndarray((data.nbytes - WORD + 1,), dtype=np.uint64, buffer=data, strides=(1,))


@compiled
def _hash_rows(
    head: tuple[NDArray[np.uint64], int],
    text: tuple[NDArray[np.uint64], NDArray[np.int64]],
    tail: tuple[NDArray[np.uint64], int],
    work: tuple[NDArray[np.uint64], NDArray[np.uint64]],
    hashes: NDArray[np.uint64],
) -> None:
    _, offsets = text
    block, _ = work
    words = np.zeros(WORDS * LANES, dtype=np.uint64)
    ordered = np.zeros(WORDS * LANES, dtype=np.uint64)
    state = np.zeros(WORDS * LANES, dtype=np.uint64)
    for first in range(0, len(hashes), LANES):
        rows = min(LANES, len(hashes) - first)
        for number in range(8):
            for lane in range(LANES):
                state[number * LANES + lane] = IV[number]
                state[(number + 8) * LANES + lane] = IV[number]
        for lane in range(rows):
            row = first + lane
            _fill(head, text, row, tail, work)
            state[12 * LANES + lane] ^= np.uint64(head[1] + offsets[row + 1] - offsets[row] + tail[1])
        for lane in range(LANES):
            state[lane] ^= np.uint64(0x01010000 ^ DIGEST)
            state[14 * LANES + lane] ^= LAST_BLOCK
        for place in range(WORDS):
            for lane in range(LANES):
                words[place * LANES + lane] = block[lane * WORDS + place]
        _compress(state, words, ordered)
        for lane in range(rows):
            hashes[first + lane] = IV[0] ^ np.uint64(0x01010000 ^ DIGEST) ^ state[lane] ^ state[8 * LANES + lane]


@compiled
def _fill(
    head: tuple[NDArray[np.uint64], int],
    text: tuple[NDArray[np.uint64], NDArray[np.int64]],
    row: int,
    tail: tuple[NDArray[np.uint64], int],
    work: tuple[NDArray[np.uint64], NDArray[np.uint64]],
) -> None:
    """Write head, text and tail into the block of the row's lane, zeros behind them.

    Each is copied in whole words; what is too much is overwritten by the next, the tail's zeros, or the next lane.
    """
    letters, offsets = text
    block, block_bytes = work
    lane = row % LANES
    for place in range(lane * WORDS, (lane + 1) * WORDS):
        block[place] = np.uint64(0)
    at = lane * BLOCK
    for place in range(0, head[1], WORD):
        block_bytes[at + place] = head[0][place]
    at += head[1]
    start, size = offsets[row], offsets[row + 1] - offsets[row]
    for place in range(0, size, WORD):
        block_bytes[at + place] = letters[start + place]
    at += size
    for place in range(0, tail[1] + 1, WORD):
        block_bytes[at + place] = tail[0][place]


@compiled
def _compress(state: NDArray[np.uint64], words: NDArray[np.uint64], ordered: NDArray[np.uint64]) -> None:
    """Mix a block of sixteen words into the state, in every lane; sixteen scalars stay in registers."""
    for step in range(12):
        for place in range(WORDS):
            source = SIGMA[step, place] * LANES
            for lane in range(LANES):
                ordered[place * LANES + lane] = words[source + lane]
        _round(state, ordered)


@compiled
def _round(v: NDArray[np.uint64], w: NDArray[np.uint64]) -> None:
    for n in range(LANES):
        a0, a1, a2, a3 = v[n], v[LANES + n], v[2 * LANES + n], v[3 * LANES + n]
        b0, b1, b2, b3 = v[4 * LANES + n], v[5 * LANES + n], v[6 * LANES + n], v[7 * LANES + n]
        c0, c1, c2, c3 = v[8 * LANES + n], v[9 * LANES + n], v[10 * LANES + n], v[11 * LANES + n]
        d0, d1, d2, d3 = v[12 * LANES + n], v[13 * LANES + n], v[14 * LANES + n], v[15 * LANES + n]
        a0, b0, c0, d0 = _mix(a0, b0, c0, d0, w[n], w[LANES + n])
        a1, b1, c1, d1 = _mix(a1, b1, c1, d1, w[2 * LANES + n], w[3 * LANES + n])
        a2, b2, c2, d2 = _mix(a2, b2, c2, d2, w[4 * LANES + n], w[5 * LANES + n])
        a3, b3, c3, d3 = _mix(a3, b3, c3, d3, w[6 * LANES + n], w[7 * LANES + n])
        a0, b1, c2, d3 = _mix(a0, b1, c2, d3, w[8 * LANES + n], w[9 * LANES + n])
        a1, b2, c3, d0 = _mix(a1, b2, c3, d0, w[10 * LANES + n], w[11 * LANES + n])
        a2, b3, c0, d1 = _mix(a2, b3, c0, d1, w[12 * LANES + n], w[13 * LANES + n])
        a3, b0, c1, d2 = _mix(a3, b0, c1, d2, w[14 * LANES + n], w[15 * LANES + n])
        v[n], v[LANES + n], v[2 * LANES + n], v[3 * LANES + n] = a0, a1, a2, a3
        v[4 * LANES + n], v[5 * LANES + n], v[6 * LANES + n], v[7 * LANES + n] = b0, b1, b2, b3
        v[8 * LANES + n], v[9 * LANES + n], v[10 * LANES + n], v[11 * LANES + n] = c0, c1, c2, c3
        v[12 * LANES + n], v[13 * LANES + n], v[14 * LANES + n], v[15 * LANES + n] = d0, d1, d2, d3


@compiled
def _mix(  # noqa: PLR0917 (the names of RFC 7693, section 3.1)
    a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64, x: np.uint64, y: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    a += b + x
    d = _turned(d ^ a, np.uint64(32))
    c += d
    b = _turned(b ^ c, np.uint64(24))
    a += b + y
    d = _turned(d ^ a, np.uint64(16))
    c += d
    return a, _turned(b ^ c, np.uint64(63)), c, d


@compiled
def _turned(value: np.uint64, bits: np.uint64) -> np.uint64:
    return value >> bits | value << (np.uint64(64) - bits)
