"""MedEvalKit's text metrics of open answers: unsmoothed sentence BLEU, ROUGE on sets, and its precision/recall/f1.

Values equal nltk 3.9's `sentence_bleu` and the `rouge` 1.0.1 package's to the last bit, at a fraction of their time.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from lingshu.evalkit.official.extraction import parsed

_ORDERS = 4
_ROUGE_EPSILON = 1e-8  # in the f-score of the `rouge` package


class UndefinedError(Exception):
    """MedEvalKit's scoring stops with an exception on this pair; the message is the reason."""


def open_metrics(gold: str, response: str) -> dict[str, float]:
    """Return em, bleu1 … bleu4, rouge1, rouge2, rougel, precision, recall and f1 as MedEvalKit reports them.

    The last three are rotated there (D26): `precision` holds F1, `recall` precision, and `f1` recall.

    Raises:
        UndefinedError: MedEvalKit raises an exception here (an empty gold or response, D27).
    """
    gold, given = gold.lower(), parsed(response)
    bleus = _bleu(_bleu_tokens(gold), _bleu_tokens(given))
    sentences, references = _sentences(given.lower()), _sentences(gold.lower())
    if not sentences or not references:
        raise UndefinedError("rouge: the response is empty" if not sentences else "rouge: the gold answer is empty")
    rouges = (_rouge_n(1, sentences, references), _rouge_n(2, sentences, references), _rouge_l(sentences, references))
    f1, precision, recall = _word_sets(given, gold)
    return {
        "em": float(given == gold),
        **{f"bleu{order}": value for order, value in enumerate(bleus, start=1)},
        **dict(zip(("rouge1", "rouge2", "rougel"), rouges, strict=True)),
        "precision": f1,
        "recall": precision,
        "f1": recall,
    }


def _bleu_tokens(text: str) -> list[str]:
    return text.lower().replace(".", " .").split(" ")


def _bleu(gold: Sequence[str], given: Sequence[str]) -> list[float]:
    """Return BLEU-1 to BLEU-4 with uniform weights; an order without a match counts as the smallest float."""
    penalty = 1.0 if len(given) > len(gold) else math.exp(1 - len(gold) / len(given))
    logs: list[float] = []
    for order in range(1, _ORDERS + 1):
        counts, expected = _ngrams(given, order), _ngrams(gold, order)
        matches = sum(min(count, expected[gram]) for gram, count in counts.items())
        if order == 1 and not matches:
            return [0.0] * _ORDERS
        logs.append(math.log(matches / max(1, counts.total()) if matches else sys.float_info.min))
    weighted = ([log * (1 / order) for log in logs[:order]] for order in range(1, _ORDERS + 1))
    return [penalty * math.exp(math.fsum(terms)) for terms in weighted]


def _ngrams(tokens: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(tokens[start:] for start in range(order)), strict=False))


def _sentences(text: str) -> list[list[str]]:
    """Return the words of each part between full stops; a part of blanks is one empty word."""
    return [part.split() or [""] for part in text.split(".") if part]


def _rouge_n(order: int, given: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> float:
    grams: list[set[str] | set[tuple[str, str]]] = []
    for sentences in (given, gold):
        words = [word for sentence in sentences for word in sentence]
        grams.append(set(words) if order == 1 else set(pairwise(words)))
    common = len(grams[0] & grams[1])
    precision = common / len(grams[0]) if grams[0] else 0.0
    recall = common / len(grams[1]) if grams[1] else 0.0
    return 2.0 * ((precision * recall) / (precision + recall + _ROUGE_EPSILON))


def _rouge_l(given: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> float:
    union: set[str] = set()
    for reference in gold:
        for sentence in given:
            union |= _common_words(reference, sentence)
    precision = len(union) / len({word for sentence in given for word in sentence})
    recall = len(union) / len({word for sentence in gold for word in sentence})
    return 2.0 * ((precision * recall) / (precision + recall + _ROUGE_EPSILON))


def _common_words(left: Sequence[str], right: Sequence[str]) -> set[str]:
    """Return the words of the longest common subsequence that the package walks to: from the end, ties to the left."""
    table = [[0] * (len(right) + 1)]
    for word in left:
        above, row = table[-1], [0]
        for place, other in enumerate(right):
            row.append(above[place] + 1 if word == other else max(above[place + 1], row[place]))
        table.append(row)
    found: set[str] = set()
    i, j = len(left), len(right)
    while i and j:
        if left[i - 1] == right[j - 1]:
            i, j = i - 1, j - 1
            found.add(left[i])
        elif table[i - 1][j] > table[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return found


def _word_sets(given: str, gold: str) -> tuple[float, float, float]:
    """Return (f1, precision, recall) of the sets of blank-separated words, in this order."""
    left, right = set(given.lower().split()), set(gold.lower().split())
    if not left or not right:
        raise UndefinedError("f1: the response or the gold answer has no words")
    common = len(left & right)
    precision, recall = common / len(left), common / len(right)
    if not common:
        return 0.0, 0.0, 0.0
    return 2 * (precision * recall) / (precision + recall), precision, recall
