"""How many rows each part of a mixture gets, from `samples`, `share` and `weight`: raising a total lowers no part.

Parts are apportioned by Webster's method (a divisor method: each row goes to the part with the greatest weight over
rows held + 1/2). Largest remainders, the usual rounding, would take rows away from a part when the total grows
(Balinski and Young 1982, the Alabama paradox).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from lingshu.core.errors import UserError
from lingshu.mix.params import Amount

ENOUGH = 1e-9  # shares written as decimals need not add up to 1 exactly


def resolve(key: str, total_key: str, total: int | None, amounts: Mapping[str, Amount]) -> dict[str, int]:
    """Return the rows of each part.

    `samples` are taken as they stand; the rest of the total is divided: a `share` is of that rest, weights divide what
    shares leave.

    Args:
        key: of the mapping of parts, for messages (`mix.deep`).
        total_key: of the total (`mix.deep.total`).
        total: rows in all; may be None where every part has `samples`.
        amounts: exactly one of samples, share and weight each.

    Raises:
        UserError: no total where one is needed, or parts that do not add up to it.
    """
    fixed = {name: amount.samples for name, amount in amounts.items() if amount.samples is not None}
    shares = {name: amount.share for name, amount in amounts.items() if amount.share is not None}
    weights = {name: amount.weight for name, amount in amounts.items() if amount.weight is not None}
    taken = sum(fixed.values())
    if total is None:
        if shares or weights:
            name = min(shares | weights)
            raise UserError(
                f"params.yaml: {key}.{name} has a share or weight, but there is no {total_key}",
                f"add {total_key}, or give {key}.{name}.samples",
            )
        return fixed
    _check_sums(key, total_key, total, taken=taken, shares=shares, weights=weights)
    given, whole = sum(shares.values()), sum(weights.values())
    rates = shares | {name: max(0.0, 1 - given) * weight / (whole or 1.0) for name, weight in weights.items()}
    return fixed | apportion(total - taken, rates)


def _check_sums(
    key: str, total_key: str, total: int, *, taken: int, shares: Mapping[str, float], weights: Mapping[str, float]
) -> None:
    """Find out whether parts add up to the total (`taken`: rows of the parts with `samples`).

    Raises:
        UserError: they do not.
    """
    if taken > total or (taken < total and not shares and not weights):
        raise UserError(
            f"params.yaml: {key}: samples add up to {taken}, {total_key} is {total}",
            f"set {total_key} to {taken}, or give a part a weight in place of samples",
        )
    given = sum(shares.values())
    if given > 1 + ENOUGH or (shares and not sum(weights.values()) and given < 1 - ENOUGH):
        raise UserError(
            f"params.yaml: {key}: shares add up to {given:.6g}",
            "let them add up to 1" + ("" if weights else ", or give a part a weight: weights divide what is left"),
        )
    if total > taken and not given and not sum(weights.values()):
        raise UserError(f"params.yaml: {key}: every share and weight is 0", f"raise one, or set {total_key} to {taken}")


def apportion(total: int, rates: Mapping[str, float], caps: Mapping[str, int] | None = None) -> dict[str, int]:
    """Return integers in proportion to `rates` that add up to `total`, as far as `caps` allow.

    With a greater total no part gets fewer. What a full part cannot take goes to the others; with every part of a rate
    above 0 full, the sum stays below `total`.

    Args:
        total: at least 0.
        rates: at least 0 each.
        caps: the most of each part; no limit without.
    """
    limits = {name: total if caps is None else min(total, caps[name]) for name in rates}
    open_parts = {name: rate for name, rate in rates.items() if rate > 0}

    def held(scale: float) -> dict[str, int]:
        return {
            name: min(limits[name], math.floor(rate * scale + 0.5)) if name in open_parts else 0
            for name, rate in rates.items()
        }

    goal = min(total, sum(limits[name] for name in open_parts))
    low, high = 0.0, (total + 1.0) / min(open_parts.values(), default=1.0)
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if sum(held(middle).values()) <= goal else (low, middle)
    counts = held(low)
    for _ in range(goal - sum(counts.values())):  # parts that get their next row at the very same scale
        name = max(
            (name for name in open_parts if counts[name] < limits[name]),
            key=lambda name: (open_parts[name] / (counts[name] + 0.5), name),
        )
        counts[name] += 1
    return counts
