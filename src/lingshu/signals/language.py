"""The language of a text, by script and function words: English and Chinese are told from everything else.

A detector trained for 100 languages would be a dependency for a question with three answers. Short texts have no
function words: Latin letters alone count as English, so that "CT" is not foreign.
"""

from __future__ import annotations

import polars as pl

LANGUAGES = ("en", "zh", "other", "none")
MIN_HAN_SHARE = 0.2  # of the letters: Chinese medical text is full of Latin abbreviations, one Han letter is a word
MAX_OTHER_SHARE = 0.2  # of the letters: Greek letters and loan words in English text
_ENGLISH = r"(?i)\b(?:the|of|and|is|are|in|to|with|what|which|for|this|that|was|not|no|an|or|by|from|be|has|at|on)\b"
# Function words of French, Spanish, Portuguese, Italian, German and Dutch that are no English or Latin words, nor of
# names and terms (von Willebrand, van der Woude, del(5q), gravida 3 para 2, Duke criteria met). In capitals they are
# abbreviations (IL-6, MET, LES, DAS), behind a capital most are names (Los Angeles, Le Fort).
_FOREIGN = (
    r"\b(?:le|[Ll]es|[Uu]ne|est|dans|avec|qui|que|aux|sont|el|los|las|[Uu]na|por|como|é|não|[Uu]ma|dos|della|delle|nel|gli|che"
    r"|tiene|con|und|[Dd]as|ist|nicht|[Ee]in(?:e[rn]?)?|mit|bei|auf|für|wurde|een|niet|voor)\b"
)


def language(text: pl.Expr) -> pl.Expr:
    """Return one of `LANGUAGES`; `none` for a text without letters (numbers, signs)."""
    letters = text.str.count_matches(r"\p{L}")
    han = text.str.count_matches(r"\p{Han}")
    kana = text.str.count_matches(r"[\p{Hiragana}\p{Katakana}\p{Hangul}]")
    latin = text.str.count_matches(r"\p{Latin}")
    foreign = text.str.count_matches(_FOREIGN) > text.str.count_matches(_ENGLISH)
    return (
        pl.when(letters == 0)
        .then(pl.lit("none"))
        .when((han >= MIN_HAN_SHARE * letters) & (kana <= MAX_OTHER_SHARE * letters))
        .then(pl.lit("zh"))
        .when((letters - latin <= MAX_OTHER_SHARE * letters) & ~foreign)
        .then(pl.lit("en"))
        .otherwise(pl.lit("other"))
    )
