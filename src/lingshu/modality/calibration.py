"""Calibrated probabilities: one temperature, and how far stated probabilities are from what comes true.

Temperature scaling and the expected calibration error as Guo et al. 2017 (arXiv:1706.04599) define them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from lingshu.core.errors import UserError

Chances = NDArray[np.float64]
Calibrated = tuple[float, Chances, dict[str, Any]]
BINS = 15  # of equal width, as in the paper's experiments
LEAST = 1e-12  # of a probability whose logarithm is taken
COLDEST, HOTTEST = 0.01, 100.0  # temperatures that are looked through
DECIMALS = 4


def tempered(chances: Chances, temperature: float) -> Chances:
    """Return the probabilities at a temperature, shape (rows, classes): softmax of their logarithms divided by it."""
    if temperature == 1.0:
        return chances
    logits = np.log(np.clip(chances, LEAST, None)) / temperature
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    scaled: Chances = raised / raised.sum(axis=1, keepdims=True)
    return scaled


def fit_temperature(chances: Chances, truth: NDArray[np.int64]) -> float:
    """Return the temperature, 0.01 to 100, at which the true classes are likeliest; 4 significant digits.

    Args:
        chances: shape (rows, classes), of rows that the classifier did not learn from.
        truth: class of each row.
    """
    rows = np.arange(len(truth))

    def surprise(log_temperature: float) -> float:
        likely = tempered(chances, float(np.exp(log_temperature)))[rows, truth]
        return float(-np.log(np.clip(likely, LEAST, None)).mean())

    found = minimize_scalar(surprise, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(f"{np.exp(found.x):.4g}")


def calibration_error(chances: Chances, truth: NDArray[np.int64]) -> float:
    """Return the expected calibration error of the likeliest class: 0 where 70 % of what is stated at 0.7 is right.

    Bins hold probabilities above their lower and up to their upper edge, weighted by their rows.
    """
    stated = chances.max(axis=1)
    right = (chances.argmax(axis=1) == truth).astype(np.float64)
    of = np.clip(np.ceil(stated * BINS).astype(np.int64) - 1, 0, BINS - 1)
    gaps = np.abs(np.bincount(of, right, BINS) - np.bincount(of, stated, BINS))
    return float(gaps.sum() / len(truth))


def calibrate(
    chances: Chances, truth: NDArray[np.int64], folds: Sequence[int]
) -> tuple[float, Chances, dict[str, Any]]:
    """Return the temperature for other pictures, the held-out rows calibrated by other folds' alone, and figures.

    Args:
        chances: of held-out rows, shape (rows, classes).
        truth: class of each row.
        folds: of each row, whole groups each.

    Returns:
        The temperature fitted on all rows; the rows' probabilities at the temperature of the other folds; and the keys
        n, temperature, ece_before and ece_after (of the latter).

    Raises:
        UserError: fewer than two folds have rows, so a temperature can't be judged.
    """
    number = np.asarray(folds)
    if len(np.unique(number)) < 2:
        raise UserError(
            "params.yaml: modality.calibrate: fewer than two groups of tagged pictures can be held out",
            "enable sources with tagged pictures, or set it to false",
        )
    after = chances.copy()
    for fold in np.unique(number):
        inside = number == fold
        after[inside] = tempered(chances[inside], fit_temperature(chances[~inside], truth[~inside]))
    temperature = fit_temperature(chances, truth)
    return (
        temperature,
        after,
        {
            "n": len(truth),
            "temperature": temperature,
            "ece_before": round(calibration_error(chances, truth), DECIMALS),
            "ece_after": round(calibration_error(after, truth), DECIMALS),
        },
    )
