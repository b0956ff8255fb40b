"""ROUGE-1, ROUGE-2 and smoothed BLEU of single samples, from n-gram matches counted once; and COCO's ROUGE-L."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq

from lingshu.evalkit.ngrams import MAX_ORDER
from lingshu.evalkit.report_metrics import SMALL, TINY, Tokens

if TYPE_CHECKING:
    from lingshu.evalkit.ngram_matches import Matches

COCO_BETA = 1.2  # weight of recall in ROUGE-L (pycocoevalcap/rouge/rouge.py)


def rouge_n(found: Matches, order: int) -> NDArray[np.float64]:
    """Return F-measures of n-grams, shape (samples,): `rouge1`, `rouge2` of rouge-score 0.1.2, one reference each."""
    shared = found.correct[order - 1].astype(np.float64)
    precision = shared / np.maximum(found.guesses[order - 1], 1)
    recall = shared / np.maximum(found.closest - order + 1, 1)
    total = precision + recall
    scores = np.zeros(len(shared))
    np.divide(2 * precision * recall, total, out=scores, where=total > 0)
    return scores


def sample_bleu(found: Matches) -> NDArray[np.float64]:
    """Return BLEU-1 to BLEU-4 of each sample, shape (4, samples): the second value of pycocoevalcap's `Bleu`."""
    product = np.cumprod((found.correct + TINY) / (found.guesses + SMALL), axis=0)
    ratio = (found.lengths + TINY) / (found.closest + SMALL)
    penalty = np.exp(np.minimum(1 - 1 / ratio, 0.0))
    powers = 1 / np.arange(1, MAX_ORDER + 1)
    scores: NDArray[np.float64] = product ** powers[:, None] * penalty
    return scores


def smooth_bleu(found: Matches) -> NDArray[np.float64]:
    """Return BLEU-4 of each sample with one added to both counts of orders above 1, shape (samples,).

    The smoothing of Lin and Och 2004. Equals NLTK 3.10's `sentence_bleu([reference], candidate, auto_reweigh=True,
    smoothing_function=SmoothingFunction().method2)`: a candidate of under four words is scored by the orders it has.
    """
    columns = zip(found.correct.T, found.guesses.T, found.lengths, found.closest, strict=True)
    return np.array([_smooth(c.tolist(), g.tolist(), int(n), int(r)) for c, g, n, r in columns], dtype=np.float64)


def _smooth(correct: list[int], guesses: list[int], length: int, reference: int) -> float:
    if not correct[0]:
        return 0.0
    orders = min(length, MAX_ORDER)
    logs = [math.log(correct[0] / guesses[0])]
    logs += [math.log((c + 1) / (g + 1)) for c, g in zip(correct[1:orders], guesses[1:orders], strict=True)]
    penalty = 1.0 if length > reference else math.exp(1 - reference / length)
    return penalty * math.exp(math.fsum(value / orders for value in logs))


def rouge_l_coco(references: Sequence[Tokens], candidates: Sequence[Tokens]) -> NDArray[np.float64]:
    """Return ROUGE-L as pycocoevalcap's `Rouge`, shape (samples,); 0 where a side has no token.

    pycocoevalcap reads an empty text as one empty word, so that two empty texts score 1 there, and 0 here.
    """
    return np.array([_rouge_l_coco(r, c) for r, c in zip(references, candidates, strict=True)], dtype=np.float64)


def _rouge_l_coco(reference: Tokens, candidate: Tokens) -> float:
    common = LCSseq.similarity(reference, candidate)
    if not common:
        return 0.0
    precision, recall = common / len(candidate), common / len(reference)
    weight = COCO_BETA**2
    return (1 + weight) * precision * recall / (recall + weight * precision)
