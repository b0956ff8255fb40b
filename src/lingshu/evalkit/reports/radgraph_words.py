"""From a report to the words that a RadGraph model reads, by the rules of the package radgraph 0.1.18.

The first model has its own rule; the later ones share another, which was made for text exported as JSON: a line break,
a form feed, a trade mark and a quotation mark may stand there as their escapes.
"""

from __future__ import annotations

import re

from lingshu.evalkit.reports.radgraph import RadGraphType

_MARK = re.compile(r"([/,:.!?()])")
_RUN = re.compile(r"\w+|[^\w\s]+")
_ESCAPES = ((r"\n", "  "), (r"\f", "  "), (r"\u2122", "  "), (r"\"", "``"))
# Runs of marks are parted at these places, one after the other.
_PARTED = (").", "%.", ".'", "%,", "%)")
_READ_AS = {"/.": ".", "/?": "?"}  # what DyGIE++'s reader takes a word for


def words_of(text: str, kind: RadGraphType) -> list[str]:
    """Return the words of a report for a model of this type."""
    if kind == "radgraph":
        return _MARK.sub(r" \1 ", text).split()
    for escape, plain in _ESCAPES:
        text = text.replace(escape, plain)
    joined = " ".join(_RUN.findall(text))
    for pair in _PARTED:
        joined = joined.replace(pair, f"{pair[0]} {pair[1]}")
    return joined.split()


def read_as(word: str) -> str:
    """Return what the model reads for a word; the annotation keeps the word."""
    return _READ_AS.get(word, word)
