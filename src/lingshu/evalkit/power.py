"""How many standard errors a true difference has to be so that a test finds it as often as wanted."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import chdtri, ndtr, stdtrit

_LEVELS = 100  # quantiles of an estimated error that are looked at
_STEPS = 50  # of a bisection
_WIDEST = 1e4  # standard errors


def can_show(groups: float, alpha: float) -> bool:
    """Return whether so many clusters can give a p-value of `alpha` at all: all of them differing the same way do."""
    return bool(2.0 ** (1 - groups) <= alpha)


@lru_cache(maxsize=1 << 12)
def multiple(groups: float, alpha: float, power: float) -> float:
    """Return the multiple of an estimated standard error that a true difference has to be.

    A two-sided t-test at `alpha` on new data of as many clusters then finds it with probability `power`, on average
    over the error estimated here and the one estimated there, which of few clusters are both uncertain: each is the
    true one times the root of a chi-squared variable by its degrees of freedom (`groups` less one). For many
    clusters it is z of 1 - alpha / 2 plus z of power.
    """
    freedom = max(groups - 1, 1.0)
    levels = (np.arange(_LEVELS) + 0.5) / _LEVELS
    errors = np.sqrt(chdtri(freedom, levels) / freedom)
    needed = stdtrit(freedom, 1 - alpha / 2) * errors
    low, high = 0.0, _WIDEST
    for _ in range(_STEPS):
        middle = (low + high) / 2
        found = float(ndtr(middle * errors[:, None] - needed[None, :]).mean())
        low, high = (middle, high) if found < power else (low, middle)
    return high
