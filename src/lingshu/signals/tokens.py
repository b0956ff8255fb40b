"""How many tokens a text has: by the recipe's tokenizer where a file of it lies on disk, else by a stated estimate."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from lingshu.core.errors import UserError
from lingshu.core.text import TOKEN

TOKENIZER_FILE = "tokenizer.json"
ESTIMATE = "estimate"
TEXTS_A_BATCH = 4096

Counter = Callable[[pl.Series], pl.Series]


def token_counter(tokenizer: str, root: Path = Path()) -> Counter:
    """Return what counts tokens, uint32 a text.

    Args:
        tokenizer: "estimate" for `core.text.TOKEN` (each word, Han character and sign is one), else a folder with, or
            the path of, a `tokenizer.json`. The mini recipe trains its tokenizer after the gate has decided, so it has
            only the estimate.
        root: what a relative path starts from.

    Raises:
        UserError: the file is absent or is no tokenizer.
    """
    if tokenizer == ESTIMATE:
        return estimated
    from tokenizers import Tokenizer  # noqa: PLC0415 (only recipes that name one need it)

    path = root / tokenizer
    path = path / TOKENIZER_FILE if path.is_dir() else path
    if not path.is_file():
        raise UserError(f"signals.tokenizer: {path}: no such file", f"give a folder with {TOKENIZER_FILE}, or estimate")
    try:
        loaded = Tokenizer.from_file(str(path))
    except Exception as error:  # noqa: BLE001 (the library raises bare Exception, with the parser's message)
        raise UserError(
            f"signals.tokenizer: {path}: {error}", "give a file that the tokenizers library wrote"
        ) from None
    return partial(_encoded, loaded.encode_batch_fast)


def estimated(texts: pl.Series) -> pl.Series:
    """Return the number of `core.text.TOKEN` in each text."""
    return texts.str.count_matches(TOKEN)


def _encoded(encode: Callable[..., list[Any]], texts: pl.Series) -> pl.Series:
    counts = []
    for start in range(0, len(texts), TEXTS_A_BATCH):
        batch = texts.slice(start, TEXTS_A_BATCH).to_list()
        counts += [len(encoded) for encoded in encode(batch, add_special_tokens=False)]
    return pl.Series(texts.name, counts, dtype=pl.UInt32)
