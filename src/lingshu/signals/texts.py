"""What is measured on each sample's text."""

from __future__ import annotations

import re

import polars as pl

from lingshu.core.text import TOKEN, digests, normalised

# Elements and entities of HTML, and the `<image>` markers of other code bases. Tags of a reply's own format
# (<think>, <answer>) are none of these.
MARKUP = (
    r"(?i)</?(?:a|b|br|code|div|em|font|h[1-6]|hr|i|img|image|li|ol|p|pre|span|strong|sub|sup|table|tbody|td|th|tr|u|ul)"
    r"(?:\s[^<>]*)?/?>|&(?:[a-z]{2,8}|#\d{1,6});"
)
REPEATED_WORDS = 3


def measure_texts(
    table: pl.DataFrame, assistant_phrases: tuple[str, ...], picture_phrases: tuple[str, ...]
) -> pl.DataFrame:
    """Return one row a sample of `core.tables.sample_table`, in its order.

    Columns: sample_id, source, split, task; images (how many); prompt_tokens, target_tokens (see `core.text.TOKEN`);
    characters (prompt and target), target_characters; repetition (share of the target's three-word runs that
    occurred before in it, 0 for fewer than 4 words); markup, assistant_phrases (hits in prompt and target),
    picture_phrases (hits in the prompt); text_digest (of prompt, choices, target and answer in normal form).
    """
    both = pl.concat_str("prompt", "target", separator="\n")
    measured = table.select(
        "sample_id",
        "source",
        "split",
        "task",
        pl.col("image_ids").list.len().alias("images"),
        pl.col("prompt").str.count_matches(TOKEN).alias("prompt_tokens"),
        pl.col("target").str.count_matches(TOKEN).alias("target_tokens"),
        (pl.col("prompt").str.len_chars() + pl.col("target").str.len_chars()).alias("characters"),
        pl.col("target").str.len_chars().alias("target_characters"),
        _repetition(pl.col("target")).alias("repetition"),
        both.str.count_matches(MARKUP).alias("markup"),
        both.str.count_matches(_any_of(assistant_phrases)).alias("assistant_phrases"),
        pl.col("prompt").str.count_matches(_any_of(picture_phrases)).alias("picture_phrases"),
        _identity().alias("text_digest"),
    )
    return measured.with_columns(digests(measured["text_digest"]))


def _repetition(text: pl.Expr) -> pl.Expr:
    words = normalised(text).str.split(" ")
    runs = pl.concat_str([pl.element().shift(-i) for i in range(REPEATED_WORDS)], separator=" ").drop_nulls()
    distinct = words.list.eval(runs).list.n_unique()
    total = words.list.eval(runs).list.len()
    return pl.when(total > 1).then(1.0 - distinct / total).otherwise(0.0)


def _identity() -> pl.Expr:
    fields = [normalised(pl.col(name)) for name in ("prompt", "choices", "target", "answer")]
    return pl.concat_str(fields, separator="\n")


def _any_of(phrases: tuple[str, ...]) -> str:
    return r"(?i)\b(?:" + "|".join(re.escape(phrase) for phrase in sorted(phrases)) + r")\b"
