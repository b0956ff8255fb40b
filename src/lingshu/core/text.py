"""Text as steps compare it: tokens without a tokenizer, a normal form, and digests that do not depend on libraries."""

from __future__ import annotations

import hashlib

import polars as pl

# Words of letters, marks and digits, each Han character by itself, and each other visible character by itself. It
# stands in for the recipe's tokenizer, which is trained later in the pipeline; the paper does not name the one it
# used for its caption limits (section 2.1.4). Rust regex syntax (polars).
TOKEN = r"\p{Han}|[\p{L}\p{M}\p{N}_&&[^\p{Han}]]+|[^\s\p{L}\p{M}\p{N}_]"

# Everything that does not change what a text says: spaces, control and private-use characters, and punctuation,
# except % / - (5 %, mg/ml, negative numbers); mathematical signs (<, >, +, =) are symbols, not punctuation: kept.
IGNORED = r"[\s\p{C}\p{P}--[%/\-]]+"
UNSEEN = r"\p{Cf}+"  # soft hyphens, joiners, spaces of no width: they stand inside words, and no reader sees them
DIGEST_BYTES = 16


def normalised(text: pl.Expr) -> pl.Expr:
    """Return the text in compatibility form (NFKC) and lower case, punctuation gone, words apart by one space.

    Han characters are words by themselves, because Chinese is written without spaces. Characters that nobody sees, as
    soft hyphens, part no words.
    """
    folded = text.str.normalize("NFKC").str.replace_all(UNSEEN, "").str.to_lowercase()
    return folded.str.replace_all(r"(\p{Han})", " $1 ").str.replace_all(IGNORED, " ").str.strip_chars(" ")


def digests(texts: pl.Series) -> pl.Series:
    """Return the first 128 bits of each text's BLAKE2b as 32 hex digits."""
    values = [hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).hexdigest() for text in texts]
    return pl.Series(texts.name, values, dtype=pl.String)
