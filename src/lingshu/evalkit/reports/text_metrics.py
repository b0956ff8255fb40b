"""The metrics that need no model, by key: each key names the variant it is (see docs/report-metrics.md)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lingshu.evalkit.ngrams import MAX_ORDER, plain_tokens, plain_words
from lingshu.evalkit.report_metrics import Table, cider_values, corpus_bleu, rouge_l
from lingshu.evalkit.reports.meteor import meteor_exact_stem
from lingshu.evalkit.reports.overlaps import rouge_l_coco, rouge_n, sample_bleu, smooth_bleu
from lingshu.evalkit.reports.sections import Tokens

if TYPE_CHECKING:
    from lingshu.evalkit.ngram_matches import Matches

_UNICODE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")


@dataclass(frozen=True, slots=True)
class Values:
    """The value of the corpus, and of each sample, shape (samples,), where the metric has one; NaN is unscored."""

    corpus: float
    each: NDArray[np.float64] | None


class Texts:
    """References and candidates as metrics take them; tokens and n-gram counts are made once, when first needed."""

    def __init__(self, references: Sequence[str], candidates: Sequence[str], tokens: Tokens) -> None:
        self.references = references
        self.candidates = candidates
        self._cut = TOKENISERS[tokens]
        self.words = WORDS[tokens]

    @cached_property
    def wanted(self) -> list[list[str]]:
        """The tokens of the references."""
        return [self._cut(text) for text in self.references]

    @cached_property
    def given(self) -> list[list[str]]:
        """The tokens of the candidates."""
        return [self._cut(text) for text in self.candidates]

    @cached_property
    def table(self) -> Table:
        """The n-gram counts of both."""
        return Table([[tokens] for tokens in self.wanted], self.given)

    @cached_property
    def found(self) -> Matches:
        """What both share."""
        from lingshu.evalkit.ngram_matches import matches  # noqa: PLC0415 - imports numba

        return matches([[tokens] for tokens in self.wanted], self.given)


def unicode_tokens(text: str) -> list[str]:
    """Return the lower-case runs of letters and digits of any script; each Han character is a token."""
    return _UNICODE.findall(text.lower())


def unicode_words(texts: Sequence[str]) -> bytes:
    """Return the tokens of texts in UTF-8, as `plain_words` returns those of its kind."""
    return "\0".join([*(" ".join(unicode_tokens(text)) for text in texts), ""]).encode()


TOKENISERS: dict[Tokens, Callable[[str], list[str]]] = {"rouge-score": plain_tokens, "unicode": unicode_tokens}
WORDS: dict[Tokens, Callable[[Sequence[str]], bytes]] = {"rouge-score": plain_words, "unicode": unicode_words}


def _mean(each: NDArray[np.float64]) -> Values:
    return Values(float(each.mean()), each)


def _bleu(order: int) -> Callable[[Texts], Values]:
    return lambda texts: Values(corpus_bleu(texts.found)[order - 1], sample_bleu(texts.found)[order - 1])


def _rouge_l_pkg(texts: Texts) -> Values:
    from lingshu.evalkit.reports.rouge_package import rouge_l_package  # noqa: PLC0415 - imports numba

    return _mean(rouge_l_package(texts.references, texts.candidates))


TEXT_METRICS: dict[str, Callable[[Texts], Values]] = {
    **{f"bleu_{order}": _bleu(order) for order in range(1, MAX_ORDER + 1)},
    "bleu_4_smooth": lambda texts: _mean(smooth_bleu(texts.found)),
    "rouge_1": lambda texts: _mean(rouge_n(texts.found, 1)),
    "rouge_2": lambda texts: _mean(rouge_n(texts.found, 2)),
    "rouge_l": lambda texts: _mean(rouge_l(texts.references, texts.candidates, texts.words)),
    "rouge_l_coco": lambda texts: _mean(rouge_l_coco(texts.wanted, texts.given)),
    "rouge_l_pkg": _rouge_l_pkg,
    "meteor_exact_stem": lambda texts: _mean(meteor_exact_stem(texts.wanted, texts.given)),
    "cider": lambda texts: _mean(cider_values(texts.table, clipped=False)),
    "cider_d": lambda texts: _mean(cider_values(texts.table, clipped=True)),
}


def text_warnings(texts: Texts, names: Sequence[str]) -> list[str]:
    """Return what makes one of the named metrics mean less than it seems."""
    found = []
    if len(texts.references) == 1 and {"cider", "cider_d"} & set(names):
        found.append("cider, cider_d: with one sample every n-gram has weight log 1 = 0; give more samples")
    for order in range(1, MAX_ORDER + 1):
        if f"bleu_{order}" in names and not texts.found.guesses[order - 1].any():
            found.append(f"bleu_{order}: not defined, no candidate has {order} tokens; see bleu_4_smooth")
    for side, written, cut in (
        ("references", texts.references, texts.wanted),
        ("candidates", texts.candidates, texts.given),
    ):
        if lost := sum(bool(text) and not tokens for text, tokens in zip(written, cut, strict=True)):
            found.append(f"{lost} {side} have text but no token; --tokens unicode knows letters of every script")
    return found
