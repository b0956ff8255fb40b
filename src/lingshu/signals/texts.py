"""What is measured on each sample's text."""

from __future__ import annotations

import re
from collections.abc import Collection

import polars as pl

from lingshu.core.text import digests, normalised
from lingshu.privacy.identifiers import identifier_columns
from lingshu.signals.language import language
from lingshu.signals.params import SignalsParams
from lingshu.signals.tokens import Counter, estimated

# Elements and entities of HTML, and the `<image>` markers of other code bases. Tags of a reply's own format
# (<think>, <answer>) are none of these.
MARKUP = (
    r"(?i)</?(?:a|b|br|code|div|em|font|h[1-6]|hr|i|img|image|li|ol|p|pre|span|strong|sub|sup|table|tbody|td|th|tr|u|ul)"
    r"(?:\s[^<>]*)?/?>|&(?:[a-z]{2,8}|#\d{1,6});"
)
REPEATED_WORDS = 3
# Headings of a radiology report other than its findings. The paper takes MIMIC-CXR's findings only (section 2.1.4).
OTHER_SECTIONS = (
    r"(?im)^\s*(?:impression|conclusion|indication|history|clinical\s+(?:history|information|indication)|technique"
    r"|comparison|exam(?:ination)?|reason\s+for\s+exam(?:ination)?|recommendations?|notification|wet\s+read)\s*:"
    r"|\b(?-i:IMPRESSION|INDICATION|COMPARISON|TECHNIQUE|HISTORY|CONCLUSION|EXAMINATION|RECOMMENDATIONS?)\s*:"
    r"|(?:印象|诊断意见|诊断提示|检查方法|临床病史|临床诊断|检查技术)\s*[:：]"
)


def measure_texts(table: pl.DataFrame, params: SignalsParams, count: Counter = estimated) -> pl.DataFrame:
    """Return one row a sample of `core.tables.sample_table`, in its order.

    Columns: sample_id, source, split, task; images (how many); prompt_tokens, target_tokens, answer_tokens (as `count`
    says); characters (prompt and target), target_characters; language (of prompt, choices and target: see
    `signals.language`); repetition (share of the target's three-word runs that occurred before in it, 0 for fewer than
    4 words); markup, assistant_phrases, refusal_phrases (hits in prompt and target, refusals in the target only);
    picture_phrases (hits in the prompt); other_sections (headings in the target of report sections other than the
    findings); identifier_<kind> (candidates in everything a sample says, see `privacy.identifiers`); text_digest (of
    prompt, choices, target and answer in normal form).

    Args:
        table: may have a column `rationale`, whose text is searched for identifiers too.
        params: the phrases.
        count: counts tokens.
    """
    both = pl.concat_str("prompt", "target", separator="\n")
    measured = table.select(
        "sample_id",
        "source",
        "split",
        "task",
        pl.col("image_ids").list.len().alias("images"),
        count(table["prompt"]).alias("prompt_tokens"),
        count(table["target"]).alias("target_tokens"),
        count(table["answer"]).alias("answer_tokens"),
        (pl.col("prompt").str.len_chars() + pl.col("target").str.len_chars()).alias("characters"),
        pl.col("target").str.len_chars().alias("target_characters"),
        language(pl.concat_str("prompt", "choices", "target", separator="\n")).alias("language"),
        _repetition(pl.col("target")).alias("repetition"),
        both.str.count_matches(MARKUP).alias("markup"),
        _hits(both, params.assistant_phrases).alias("assistant_phrases"),
        _hits(pl.col("target"), params.refusal_phrases).alias("refusal_phrases"),
        _hits(pl.col("prompt"), params.picture_phrases).alias("picture_phrases"),
        pl.col("target").str.count_matches(OTHER_SECTIONS).alias("other_sections"),
        *identifier_columns(_everything(table.columns)),
        _identity().alias("text_digest"),
    )
    return measured.with_columns(digests(measured["text_digest"]))


def _everything(columns: Collection[str]) -> pl.Expr:
    """Return all that a sample says, in one text."""
    said = [name for name in ("prompt", "choices", "target", "rationale") if name in columns]
    # The answer of a sample without a gold answer is its target, which would count twice.
    answer = pl.when(pl.col("answer") != pl.col("target")).then("answer").otherwise(pl.lit(""))
    return pl.concat_str([*said, answer], separator="\n")


def _repetition(text: pl.Expr) -> pl.Expr:
    words = normalised(text).str.split(" ")
    runs = pl.concat_str([pl.element().shift(-i) for i in range(REPEATED_WORDS)], separator=" ").drop_nulls()
    distinct = words.list.eval(runs).list.n_unique()
    total = words.list.eval(runs).list.len()
    return pl.when(total > 1).then(1.0 - distinct / total).otherwise(0.0)


def _identity() -> pl.Expr:
    fields = [normalised(pl.col(name)) for name in ("prompt", "choices", "target", "answer")]
    return pl.concat_str(fields, separator="\n")


def _hits(text: pl.Expr, phrases: tuple[str, ...]) -> pl.Expr:
    """Return how often any of the phrases occurs, in any case; Latin phrases as whole words, Chinese has no gaps."""
    if not phrases:
        return pl.lit(0, dtype=pl.UInt32)
    plain = text.str.replace_all("’", "'", literal=True)
    return plain.str.count_matches("(?i)" + "|".join(_whole(phrase) for phrase in sorted(phrases)))


def _whole(phrase: str) -> str:
    """Return a pattern that wants a word's edge (of ASCII letters and digits) at an end that is an ASCII letter.

    A word goes on behind a hyphen: "as an AI-based tool" does not say "as an AI".
    """
    left = r"(?-u:\b)" if phrase[0].isascii() and phrase[0].isalnum() else ""
    right = r"(?-u:\b)(?:[^-]|$)" if phrase[-1].isascii() and phrase[-1].isalnum() else ""
    return left + re.escape(phrase) + right
