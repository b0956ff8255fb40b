"""Compile at set-up what the stages compute in machine code, as set-up compiles Python's bytecode: a run need not wait.

Run it as `python -m lingshu.commands.compile_kernels`. Each function is called once with a little of what a stage gives
it; numba keeps the machine code beside the source files (core/compiled.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lingshu.core.blake2b import blake2b_hashes
from lingshu.core.folding import folded
from lingshu.core.hamming import cross_pairs
from lingshu.core.packing import plan_bins
from lingshu.decontam.ngrams import ngram_hits, ngram_index
from lingshu.dedup.keys import KeyIndex, joined_keys, string_keys
from lingshu.dedup.params import TextParams
from lingshu.dedup.pictures import picture_copies
from lingshu.dedup.texts import text_copies
from lingshu.evalkit.ngram_matches import matches
from lingshu.evalkit.subsequences import common_words

LATIN = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
WORDS = pl.Series([LATIN, LATIN, LATIN.replace("one", "\u4e00")])
SHINGLES = TextParams(shingle_words=2, permutations=8, bands=4, threshold=0.5, within_groups=True, seed=1)


def main() -> None:
    """Call each once."""
    rows = np.arange(len(WORDS))
    offsets = np.arange(len(WORDS) + 1)
    hashes = np.arange(len(WORDS), dtype=np.uint64)
    keys = string_keys(WORDS)
    KeyIndex.of(joined_keys(keys, offsets)).find(keys)
    picture_copies(rows, hashes, offsets, None, 0)
    picture_copies(rows, hashes, offsets, rows, 3)
    text_copies(_read, np.ones(len(WORDS), dtype=np.bool_), None, SHINGLES)
    ngram_hits(folded(WORDS), ngram_index(folded(WORDS), 13), 0.5)
    cross_pairs(hashes, hashes, 3)
    blake2b_hashes("before", WORDS, "after")
    plan_bins(np.array([3, 2], dtype=np.int64), 4)
    common_words(b"one two", b"two one")
    matches([[["one"]]], [["two"]])


def _read(wanted: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.int64], pl.Series]]:
    yield np.flatnonzero(wanted), WORDS


if __name__ == "__main__":
    main()
