"""RadCliQ-v0 and -v1 (Yu et al. 2023) from their published constants; a lower value is a better report.

The constants are those of the released models of CXR-Report-Metric, read from the files without running them. Each
sub-score is standardised, weighted and summed. BLEU-2 has no weight in v1 (4e-12 there, 0 here: less than 1e-10).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Of a mean at or under which its reciprocal says nothing: it grows beyond bounds and changes sign at 0.
NEAR_ZERO = 0.25
NO_MATCH = 0.1  # NLTK's SmoothingFunction().method1


@dataclass(frozen=True, slots=True)
class Term:
    """A sub-score's mean, scale and weight."""

    mean: float
    scale: float
    weight: float


@dataclass(frozen=True, slots=True)
class Composite:
    """A weighted sum of standardised sub-scores."""

    terms: dict[str, Term]
    intercept: float


RADCLIQ = {
    "radcliq_v0": Composite(
        {
            "radgraph": Term(0.5398376, 0.30183444, -0.47962526),
            "bertscore": Term(0.63125496, 0.22466951, -0.67621705),
            "semb": Term(0.77167979, 0.24750334, -0.46366575),
            "bleu_2": Term(0.46073721, 0.30336671, 0.21658619),
        },
        1.64166667,
    ),
    "radcliq_v1": Composite(
        {
            "radgraph": Term(0.5379231241355762, 0.3028258411486429, -0.37708368261038905),
            "bertscore": Term(0.6175725628125001, 0.22430938459304575, -0.37030009974480316),
            "semb": Term(0.7647942121140658, 0.2539439110169773, -0.25261621789593225),
        },
        2.467e-10,
    ),
}
SUB_SCORES = tuple(RADCLIQ["radcliq_v0"].terms)


def radcliq(version: str, sub_scores: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
    """Return RadCliQ of each sample, shape (samples,); `sub_scores` holds one sequence for each term of the version.

    Raises:
        KeyError: a sub-score of this version is not there.
    """
    composite = RADCLIQ[version]
    parts = [
        term.weight * (np.asarray(sub_scores[name], dtype=np.float64) - term.mean) / term.scale
        for name, term in composite.terms.items()
    ]
    total: NDArray[np.float64] = np.sum(parts, axis=0) + composite.intercept
    return total


def radcliq_bleu_2(references: Sequence[str], candidates: Sequence[str]) -> NDArray[np.float64]:
    """Return BLEU-2 of each sample as RadCliQ-v0 was fitted on, shape (samples,); another one than the metric `bleu_2`.

    CXR-Report-Metric takes lower-case words between blanks, full stops apart (`prep_reports`), and fast_bleu 0.0.90
    with its defaults: NLTK's first smoothing, a tenth of a match where an order has none; 0 without a common word.
    """
    return np.array([_bleu_2(r, c) for r, c in zip(references, candidates, strict=True)], dtype=np.float64)


def _bleu_2(reference: str, candidate: str) -> float:
    wanted, given = (
        [word for word in text.lower().replace(".", " .").split(" ") if word] for text in (reference, candidate)
    )
    ones = (Counter(wanted) & Counter(given)).total()
    if not ones:
        return 0.0
    twos = (Counter(pairwise(wanted)) & Counter(pairwise(given))).total()
    precision = ones / len(given) * (twos or NO_MATCH) / max(len(given) - 1, 1)
    penalty = 1.0 if len(given) > len(wanted) else math.exp(1 - len(wanted) / len(given))
    return penalty * math.sqrt(precision)


def reciprocal_warning(name: str, mean: float) -> str | None:
    """Return why the reciprocal of this mean (what ReXrank and RadEval print) can't be used, or None if it can."""
    if mean > NEAR_ZERO:
        return None
    side = "below" if mean < 0 else "near"
    return f"{name}: its mean {mean:.4f} is {side} zero, where the reciprocal is not monotone; compare the means"
