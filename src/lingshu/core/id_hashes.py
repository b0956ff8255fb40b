"""`core.ids.stable_hash` of a whole column.

A mixture draws and orders samples by the hash of their ids. Polars and DuckDB hash by functions of their own, which
change with their versions.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import polars as pl

BLOCK = 128  # bytes of a text that are hashed in one step: no id of a sample is longer
DIGEST = 8  # bytes: `stable_hash` takes so many
SEPARATOR = "\x1f"  # as `stable_hash` joins seed and keys
# A million take 0.6 CPU seconds by hashlib, 0.14 in machine code, but 0.6 once to import numba and load it; a mixture
# hashes twice.
ROWS_FOR_MACHINE_CODE = 500_000


def stable_hashes(
    seed: int | str, ids: pl.Series, *, before: tuple[str, ...], after: tuple[str, ...] = ()
) -> pl.Series:
    """Return `stable_hash(seed, *before, id, *after)` of every id, as UInt64.

    Args:
        seed: as of `stable_hash`.
        ids: strings, without nulls.
        before: keys in front of the id.
        after: keys behind it.
    """
    head = "".join(f"{part}{SEPARATOR}" for part in (str(seed), *before))
    tail = "".join(f"{SEPARATOR}{part}" for part in after)
    room = BLOCK - len((head + tail).encode())
    if len(ids) < ROWS_FOR_MACHINE_CODE or (ids.str.len_bytes() > room).any():
        texts = (head + ids + tail).cast(pl.Binary)
        digests = b"".join([blake2b(text, digest_size=DIGEST).digest() for text in texts])
        hashes = np.frombuffer(digests, dtype=">u8").astype(np.uint64)
    else:
        from lingshu.core.blake2b import blake2b_hashes  # noqa: PLC0415 (imports numba)

        hashes = blake2b_hashes(head, ids, tail)
    return pl.Series(hashes, dtype=pl.UInt64)
