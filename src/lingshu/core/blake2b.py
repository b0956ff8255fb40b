"""BLAKE2b (RFC 7693) of many texts in machine code, equal to hashlib's bit for bit; importing it imports numba."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from lingshu.core.compiled import compiled

ROWS_A_CALL = 1 << 20
BLOCK = 128  # bytes
DIGEST = 8  # bytes
ALL_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)
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
    dtype=np.uint64,
)


def blake2b_hashes(head: str, texts: pl.Series, tail: str) -> NDArray[np.uint64]:
    """Return the digest (8 bytes, read from the greatest on) of head, text and tail together, of every text.

    Args:
        head: in front of each text.
        texts: strings, without nulls.
        tail: behind each text.
    """
    before, after = (np.frombuffer(text.encode(), dtype=np.uint8) for text in (head, tail))
    hashes = np.empty(len(texts), dtype=np.uint64)
    for start in range(0, len(texts), ROWS_A_CALL):  # polars' views become Arrow's offsets a piece at a time
        array = pa.array(texts.slice(start, ROWS_A_CALL).to_arrow(), type=pa.large_string())
        _, bounds, data = array.buffers()
        offsets = np.frombuffer(bounds, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
        letters = np.frombuffer(data or b"", dtype=np.uint8)
        _hash_rows(before, letters, offsets, after, hashes[start : start + ROWS_A_CALL])
    return hashes.byteswap()


@compiled
def _copy(source: NDArray[np.uint8], target: NDArray[np.uint8], start: int) -> None:
    for place in range(len(source)):  # numba compiles an assignment of slices for two seconds, for its error's text
        target[start + place] = source[place]


@compiled
def _hash_rows(
    head: NDArray[np.uint8],
    letters: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    tail: NDArray[np.uint8],
    hashes: NDArray[np.uint64],
) -> None:
    state = np.empty(8, dtype=np.uint64)
    message = np.zeros(BLOCK, dtype=np.uint8)
    _copy(head[:BLOCK], message, 0)
    used = len(head)
    for row in range(len(offsets) - 1):
        first, size = offsets[row], offsets[row + 1] - offsets[row]
        total = len(head) + size + len(tail)
        if total > len(message):
            message = np.zeros((total // BLOCK + 1) * BLOCK, dtype=np.uint8)
            _copy(head, message, 0)
        _copy(letters[first : first + size], message, len(head))
        _copy(tail, message, len(head) + size)
        message[total : max(total, used)] = 0  # what the row before left
        used = total
        words = message.view(np.uint64)  # little-endian, as every machine that polars runs on
        for place in range(len(IV)):
            state[place] = IV[place]
        state[0] ^= np.uint64(0x01010000 ^ DIGEST)
        start = 0
        while start + BLOCK < total:
            _compress(state, words[start // 8 :], np.uint64(start + BLOCK), np.uint64(0))
            start += BLOCK
        _compress(state, words[start // 8 :], np.uint64(total), ALL_ONES)
        hashes[row] = state[0]


@compiled
def _compress(state: NDArray[np.uint64], words: NDArray[np.uint64], counter: np.uint64, last: np.uint64) -> None:
    """Mix a block of sixteen words into the state; sixteen scalars stay in registers, an array would not."""
    a0, a1, a2, a3 = state[0], state[1], state[2], state[3]
    b0, b1, b2, b3 = state[4], state[5], state[6], state[7]
    c0, c1, c2, c3 = IV[0], IV[1], IV[2], IV[3]
    d0, d1, d2, d3 = IV[4] ^ counter, IV[5], IV[6] ^ last, IV[7]
    for step in range(12):
        s = SIGMA[step]
        a0, b0, c0, d0 = _mix(a0, b0, c0, d0, words[s[0]], words[s[1]])
        a1, b1, c1, d1 = _mix(a1, b1, c1, d1, words[s[2]], words[s[3]])
        a2, b2, c2, d2 = _mix(a2, b2, c2, d2, words[s[4]], words[s[5]])
        a3, b3, c3, d3 = _mix(a3, b3, c3, d3, words[s[6]], words[s[7]])
        a0, b1, c2, d3 = _mix(a0, b1, c2, d3, words[s[8]], words[s[9]])
        a1, b2, c3, d0 = _mix(a1, b2, c3, d0, words[s[10]], words[s[11]])
        a2, b3, c0, d1 = _mix(a2, b3, c0, d1, words[s[12]], words[s[13]])
        a3, b0, c1, d2 = _mix(a3, b0, c1, d2, words[s[14]], words[s[15]])
    for number, value in enumerate((a0 ^ c0, a1 ^ c1, a2 ^ c2, a3 ^ c3, b0 ^ d0, b1 ^ d1, b2 ^ d2, b3 ^ d3)):
        state[number] ^= value


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
