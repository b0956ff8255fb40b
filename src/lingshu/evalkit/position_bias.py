"""Does a model answer by content or by place? Its answers to the same questions with their options in several orders.

Letter preference is tested by a permutation test: if the place decides nothing, the options that an item was answered
with in its orders may be exchanged among these orders. It needs no assumption on how the orders were drawn, and holds
an item's answers together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingshu.core.progress import track
from lingshu.evalkit.parsing.options import letter_of
from lingshu.evalkit.statistics import Estimate, estimate

VERSION = 1
RESAMPLES = 2000
DECIMALS = 6
Order = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one item in one order.

    Attributes:
        order: at each place, the original place of the option shown there.
        chosen: places that were chosen, as shown (none: no answer).
        gold: places of the right options, as shown.
        correct: the strict verdict.
    """

    order: Order
    chosen: tuple[int, ...]
    gold: tuple[int, ...]
    correct: bool

    def options(self) -> frozenset[int]:
        """Return the chosen options by their original places."""
        return frozenset(self.order[place] for place in self.chosen)


@dataclass(frozen=True, slots=True)
class Asked:
    """One item: its replies, the original order first, and the image or patient that it belongs to."""

    id: str
    cluster: str
    replies: tuple[Reply, ...]

    @property
    def one_answer(self) -> bool:
        """Whether a single option is right."""
        return len(self.replies[0].gold) == 1

    def same(self) -> bool:
        """Tell whether the same option was chosen in every order."""
        return bool(self.replies[0].chosen) and len({reply.options() for reply in self.replies}) == 1


def position_bias(items: Sequence[Asked], confidence: float, seed: int) -> dict[str, Any]:
    """Return accuracy in each order, consistency, letters chosen against gold letters, and the test of preference.

    Accuracies and consistency are clustered by image or patient, over all orders by item too. Letters are counted over
    items with one right option, and answers that name one.

    Raises:
        ValueError: no item, or items with different numbers of replies.
    """
    if not items or len({len(item.replies) for item in items}) != 1:
        raise ValueError(f"{len(items)} items, or not as many replies to each")
    clusters = [item.cluster or f"item {item.id}" for item in items]
    right = [[float(reply.correct) for reply in item.replies] for item in items]
    orders = range(len(items[0].replies))
    pooled = [value for values in right for value in values]
    same = [float(item.same()) for item in items]
    return {
        "version": VERSION,
        "confidence": confidence,
        "items": len(items),
        "orders": [
            _cell(estimate([values[number] for values in right], clusters, confidence))
            | {"no_answer": sum(not item.replies[number].chosen for item in items)}
            for number in orders
        ],
        "all_orders": _cell(estimate(pooled, [name for name in clusters for _ in orders], confidence)),
        "right_in_every_order": _cell(estimate([float(all(values)) for values in right], clusters, confidence)),
        "consistency": _cell(estimate(same, clusters, confidence)),
        **_letters([item for item in items if item.one_answer], seed),
    }


def _cell(found: Estimate) -> dict[str, Any]:
    share = {name: round(getattr(found, name), DECIMALS) for name in ("mean", "low", "high")}
    return {"share": share.pop("mean"), **share, "n": found.n, "clusters": found.clusters}


def _letters(items: Sequence[Asked], seed: int) -> dict[str, Any]:
    """Return how often each letter was chosen and was right, and whether places alone explain the difference."""
    replies = [reply for item in items for reply in item.replies]
    chosen = Counter(reply.chosen[0] for reply in replies if len(reply.chosen) == 1)
    gold = Counter(reply.gold[0] for reply in replies)
    letters = max((len(reply.order) for reply in replies), default=0)
    expected, statistic, p_value = _preference(items, letters, seed)
    named = chosen.total()
    return {
        "answers_with_a_letter": named,
        "letters": {
            letter_of(place): {
                "chosen": _share(chosen[place], named),
                "gold": _share(gold[place], len(replies)),
                "without_preference": _share(float(expected[place]), named),
                "chosen_n": chosen[place],
                "gold_n": gold[place],
            }
            for place in range(letters)
        },
        "letter_preference": {
            "test": "exchange of an item's chosen options among its orders",
            "statistic": round(statistic, DECIMALS),
            "p_value": round(p_value, DECIMALS),
            "resamples": RESAMPLES,
            "seed": seed,
        },
    }


def _share(count: float, total: int) -> float | None:
    return round(count / total, DECIMALS) if total else None


def _preference(items: Sequence[Asked], letters: int, seed: int) -> tuple[NDArray[np.float64], float, float]:
    """Return the counts of letters to expect if places decide nothing, Pearson's statistic against them, and its p.

    The p-value is the share of exchanges with a statistic as large, the observed one among them.
    """
    fixed = np.zeros(letters)
    moving: list[Asked] = []
    for item in items:
        if len({reply.options() for reply in item.replies}) > 1:
            moving.append(item)
        else:
            for reply in item.replies:
                fixed += _counts(np.array(_single(reply.chosen)), letters)
    if not moving:
        return fixed, 0.0, 1.0
    # Places of the options in each order, of shape (items, orders, options), and the chosen options, (items, orders).
    places = np.full((len(moving), len(moving[0].replies), letters + 1), -1)
    options = np.full(places.shape[:2], letters)
    for row, item in enumerate(moving):
        for column, reply in enumerate(item.replies):
            places[row, column, list(reply.order)] = range(len(reply.order))
            if len(reply.chosen) == 1:
                options[row, column] = reply.order[reply.chosen[0]]
    random = np.random.default_rng(seed)
    draws = np.stack(
        [
            _counts(_placed(places, _exchanged(options, random)), letters)
            for _ in track(range(RESAMPLES), "position bias", RESAMPLES)
        ]
    )
    observed = _counts(_placed(places, options), letters)
    expected = draws.mean(axis=0) + fixed
    statistics = _pearson(draws + fixed, expected)
    statistic = float(_pearson((observed + fixed)[np.newaxis], expected)[0])
    # A sum of squares may come out a last digit lower than an equal one.
    p_value = (1 + int((statistics >= statistic * (1 - 1e-12)).sum())) / (RESAMPLES + 1)
    return expected, statistic, p_value


def _single(chosen: tuple[int, ...]) -> list[int]:
    return list(chosen) if len(chosen) == 1 else []


def _exchanged(options: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
    return random.permuted(options, axis=1)


def _placed(places: NDArray[np.int64], options: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places at which the options stand in their orders; -1 for no answer."""
    return np.take_along_axis(places, options[:, :, np.newaxis], axis=2)[:, :, 0]


def _counts(places: NDArray[np.int64], letters: int) -> NDArray[np.float64]:
    flat = places.reshape(-1).astype(np.int64)
    return np.bincount(flat[flat >= 0], minlength=letters).astype(np.float64)


def _pearson(counts: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Σ (count - expected)² / expected of each row, over the letters that are ever chosen."""
    used = expected > 0
    found: NDArray[np.float64] = ((counts[:, used] - expected[used]) ** 2 / expected[used]).sum(axis=1)
    return found
