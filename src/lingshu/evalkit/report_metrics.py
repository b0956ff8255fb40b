"""Report metrics against references, each equal to its upstream to 1e-9 and named after the variant it is.

`rouge_l`: rouge-score 0.1.2, F-measure without stemming. `bleu_1` … `bleu_4`: pycocoevalcap, corpus level, closest
reference length. `cider_d`: pycocoevalcap's `Cider`, which computes CIDEr-D (n = 4, sigma = 6). The latter two take
tokens, because pycocoevalcap leaves tokenising to a Java program; `text_scores` gives them those of rouge-score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lingshu.evalkit.ngrams import MAX_ORDER, Counts, count_ngrams, plain_tokens, plain_words

if TYPE_CHECKING:
    from lingshu.evalkit.ngram_matches import Matches

Tokens = Sequence[str]
SIGMA = 6.0  # of the length penalty (pycocoevalcap/cider/cider.py)
# Guards against division by zero (pycocoevalcap/bleu/bleu_scorer.py); they show in the scores of very short corpora.
SMALL, TINY = 1e-9, 1e-15


@dataclass(frozen=True, slots=True)
class TextScores:
    """Corpus scores, and the values of each sample, shape (samples,), where the metric has them."""

    rouge_l: float
    bleu: tuple[float, ...]
    cider_d: float
    rouge_l_each: NDArray[np.float64]
    cider_d_each: NDArray[np.float64]


def text_scores(references: Sequence[str], candidates: Sequence[str]) -> TextScores:
    """Return all metrics of candidates against one reference each.

    Raises:
        ValueError: the numbers differ, or there is no sample.
    """
    if len(references) != len(candidates) or not references:
        raise ValueError(f"{len(references)} references and {len(candidates)} candidates; both need one text a sample")
    given = [plain_tokens(text) for text in candidates]
    wanted = [plain_tokens(text) for text in references]
    rouge = rouge_l(references, candidates)
    groups = [[tokens] for tokens in wanted]
    cider = cider_d(groups, given)
    return TextScores(float(rouge.mean()), bleu(groups, given), float(cider.mean()), rouge, cider)


def rouge_l(
    references: Sequence[str], candidates: Sequence[str], words: Callable[[Sequence[str]], bytes] = plain_words
) -> NDArray[np.float64]:
    """Return ROUGE-L F-measures of texts, shape (samples,); 0 where a side has no token.

    `words` turns texts into tokens as bytes: spaces around each token, and a NUL after each text.

    Raises:
        ValueError: the numbers of texts differ.
    """
    from lingshu.evalkit.subsequences import common_words  # noqa: PLC0415 - imports numba

    wanted, given, common = common_words(words(references), words(candidates))
    precision, recall = common / np.maximum(given, 1), common / np.maximum(wanted, 1)
    scores = np.zeros(len(common))
    np.divide(2 * precision * recall, precision + recall, out=scores, where=common > 0)
    return scores


def bleu(references: Sequence[Sequence[Tokens]], candidates: Sequence[Tokens]) -> tuple[float, ...]:
    """Return corpus BLEU-1 to BLEU-4; every candidate has one or more references."""
    from lingshu.evalkit.ngram_matches import matches  # noqa: PLC0415 - imports numba

    return corpus_bleu(matches(references, candidates))


def cider_d(references: Sequence[Sequence[Tokens]], candidates: Sequence[Tokens]) -> NDArray[np.float64]:
    """Return CIDEr-D of each candidate, shape (samples,), with document frequencies from these references."""
    return cider_values(Table(references, candidates), clipped=True)


class Table:
    """N-gram counts of candidates (texts 0 … samples-1) and of their references (the texts after), and the owners."""

    def __init__(self, references: Sequence[Sequence[Tokens]], candidates: Sequence[Tokens]) -> None:
        if len(references) != len(candidates) or not all(references):
            raise ValueError("every candidate needs at least one reference")
        flat = [reference for group in references for reference in group]
        self.samples = len(candidates)
        self.lengths = np.array([len(text) for text in (*candidates, *flat)], dtype=np.int64)
        repeats = [len(group) for group in references]
        self.owner = np.concatenate([np.arange(self.samples), np.repeat(np.arange(self.samples), repeats)])
        self.counts = count_ngrams([*candidates, *flat])


def _split(table: Table, counts: Counts) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return the (sample, gram) key of each row, and where the references' rows begin."""
    keys = table.owner[counts.text] * max(counts.grams, 1) + counts.gram
    return keys, counts.count, int(np.searchsorted(counts.text, table.samples))


def _place(keys: NDArray[np.int64], wanted: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return for each of `wanted` its place in the sorted `keys`, and whether it is there."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=np.bool_)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return place, keys[place] == wanted


def _distinct(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the distinct keys, sorted (`np.unique` hashes integers, which is far slower than sorting them)."""
    ordered = np.sort(keys, kind="stable")  # mostly in order already: one run with one reference a candidate
    first = np.ones(len(ordered), dtype=np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    distinct: NDArray[np.int64] = ordered[first]
    return distinct


def corpus_bleu(found: Matches) -> tuple[float, ...]:
    """Return BLEU-1 to BLEU-4 of the whole corpus (pycocoevalcap's first value)."""
    product, scores = 1.0, []
    for order, (correct, guesses) in enumerate(zip(found.correct.sum(1), found.guesses.sum(1), strict=True), start=1):
        product *= (int(correct) + TINY) / (int(guesses) + SMALL)
        scores.append(product ** (1 / order))
    ratio = (int(found.lengths.sum()) + TINY) / (int(found.closest.sum()) + SMALL)
    penalty = math.exp(1 - 1 / ratio) if ratio < 1 else 1.0
    return tuple(score * penalty for score in scores)


def cider_values(table: Table, *, clipped: bool) -> NDArray[np.float64]:
    """Return CIDEr of each candidate, shape (samples,).

    `clipped` is CIDEr-D (pycocoevalcap): counts clipped at the reference's, and a penalty of the difference in length.
    Without it, the plain cosine of the tf-idf vectors (`cider` of the package cidereval).
    """
    texts = len(table.lengths)
    references = np.arange(table.samples, texts)
    owner = table.owner[references]
    # pycocoevalcap takes the number of bigrams as the length.
    bigrams = np.maximum(table.lengths - 1, 0)
    penalty = np.exp(-((bigrams[owner] - bigrams[references]).astype(np.float64) ** 2) / (2 * SIGMA**2))
    total = np.zeros(len(references))
    for counts in table.counts:
        total += _cosines(table, counts, clipped=clipped) * (penalty if clipped else 1.0)
    per_sample = np.bincount(owner, weights=total, minlength=table.samples)
    return 10.0 * per_sample / MAX_ORDER / np.bincount(owner, minlength=table.samples)


def _cosines(table: Table, counts: Counts, *, clipped: bool) -> NDArray[np.float64]:
    """Return for each reference the cosine with its candidate over n-grams of one order, shape (references,)."""
    references = np.arange(table.samples, len(table.lengths))
    keys, count, start = _split(table, counts)
    documents = np.bincount(_distinct(keys[start:]) % max(counts.grams, 1), minlength=counts.grams)
    idf = math.log(table.samples) - np.log(np.maximum(documents, 1))
    weight = count * idf[counts.gram]
    norm = np.sqrt(np.bincount(counts.text, weights=weight**2, minlength=len(table.lengths)))
    place, found = _place(keys[:start], keys[start:])
    other = weight[:start][place] if start else np.zeros(len(place))
    shared = np.minimum(other, weight[start:]) if clipped else other
    overlap = np.where(found, shared * weight[start:], 0.0)
    value = np.bincount(counts.text[start:] - table.samples, weights=overlap, minlength=len(references))
    value = value.astype(np.float64)  # bincount of nothing gives integers
    scale = norm[table.owner[references]] * norm[references]
    cosine: NDArray[np.float64] = np.divide(value, scale, out=value, where=scale != 0)
    return cosine
