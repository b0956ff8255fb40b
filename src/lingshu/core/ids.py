"""Content ids and stable hashes: equal content gives equal ids on every machine and in every run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

CHUNK_BYTES = 1 << 20


def canonical_json(value: Any) -> str:
    """Serialise to JSON with sorted keys and no spaces, so that equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256_bytes(data: bytes) -> str:
    """Return the SHA-256 of `data` as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hex digits, read in chunks of 1 MiB."""
    state = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK_BYTES):
            state.update(chunk)
    return state.hexdigest()


def content_id(prefix: str, value: Any) -> str:
    """Return `prefix:` and the first 20 hex digits (80 bits) of the SHA-256 of the canonical JSON of `value`."""
    return f"{prefix}:{sha256_bytes(canonical_json(value).encode())[:20]}"


def stable_hash(seed: int | str, *keys: str) -> int:
    """Return a 64-bit hash of seed and keys that does not depend on library versions or process."""
    text = "\x1f".join((str(seed), *keys))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def stable_fraction(seed: int | str, *keys: str) -> float:
    """Return a number in [0, 1) that depends only on seed and keys (uniform over keys)."""
    return stable_hash(seed, *keys) / 2.0**64
