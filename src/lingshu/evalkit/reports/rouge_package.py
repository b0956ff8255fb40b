"""ROUGE-L of the package `rouge` 1.0.1 (`Rouge().get_scores`, value `f`), which MedEvalKit uses, on the text as it is.

It cuts sentences at full stops and words at blanks, and works on sets: a word counts once, so a repeated word earns as
much as a whole sentence of it (defect D29). The score is at most 0.999999995. Of several longest common subsequences
it takes one by a fixed rule, which matters because the sets of their words may differ.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lingshu.core.compiled import compiled

GUARD = 1e-8  # against division by zero (rouge/rouge_score.py)


def rouge_l_package(references: Sequence[str], candidates: Sequence[str]) -> NDArray[np.float64]:
    """Return ROUGE-L of each candidate text, shape (samples,); 0 where a side has no sentence (`rouge` raises)."""
    return np.array([_rouge_l(r, c) for r, c in zip(references, candidates, strict=True)], dtype=np.float64)


def _rouge_l(reference: str, candidate: str) -> float:
    numbers: dict[str, int] = {}
    wanted, given = _sentences(reference, numbers), _sentences(candidate, numbers)
    if not wanted or not given:
        return 0.0
    union: set[int] = set()
    for sentence in wanted:
        for other in given:
            union.update(_common(sentence, other).tolist())
    recall = len(union) / len(set(np.concatenate(wanted).tolist()))
    precision = len(union) / len(set(np.concatenate(given).tolist()))
    return 2 * precision * recall / (precision + recall + GUARD)


def _sentences(text: str, numbers: dict[str, int]) -> list[NDArray[np.int64]]:
    """Return sentences as word numbers; a sentence of blanks only is one empty word, as in `rouge`."""
    return [
        np.array([numbers.setdefault(word, len(numbers)) for word in part.split() or [""]], dtype=np.int64)
        for part in text.split(".")
        if part
    ]


@compiled
def _common(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the words of one longest common subsequence, last first, shape (length,)."""
    rows, columns = len(left), len(right)
    longest = np.zeros((rows + 1, columns + 1), dtype=np.int64)
    for i in range(rows):
        for j in range(columns):
            if left[i] == right[j]:
                longest[i + 1, j + 1] = longest[i, j] + 1
            else:
                longest[i + 1, j + 1] = max(longest[i, j + 1], longest[i + 1, j])
    found = np.empty(longest[rows, columns], dtype=np.int64)
    count, i, j = 0, rows, columns
    while i > 0 and j > 0:
        if left[i - 1] == right[j - 1]:
            found[count] = left[i - 1]
            count, i, j = count + 1, i - 1, j - 1
        elif longest[i - 1, j] > longest[i, j - 1]:
            i -= 1
        else:
            j -= 1
    return found
