"""A linear probe on encoder features: fitted on tagged pictures, judged on whole groups it never saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from lingshu.core.ids import stable_hash
from lingshu.modality.params import ModalityParams

Features = NDArray[np.float32]
MAX_ITERATIONS = 500
DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Prediction:
    """The likeliest label of one picture, its probability, and whether that is below the abstention threshold."""

    label: str
    probability: float
    abstained: bool


def fit(features: Features, labels: Sequence[str], params: ModalityParams) -> Pipeline:
    """Return a multinomial logistic regression on standardised features, classes weighted equally (deterministic)."""
    model = LogisticRegression(C=params.inverse_penalty, class_weight="balanced", max_iter=MAX_ITERATIONS)
    return make_pipeline(StandardScaler(), model).fit(features.astype(np.float64), list(labels))


def predict(probe: Pipeline, features: Features, params: ModalityParams) -> list[Prediction]:
    """Return one prediction a row; probabilities rounded to 4 decimals."""
    if not len(features):
        return []
    chances = probe.predict_proba(features.astype(np.float64))
    best = chances.argmax(axis=1)
    top = np.round(chances[np.arange(len(best)), best], DECIMALS)
    return [
        Prediction(str(probe.classes_[i]), float(p), bool(p < params.min_probability))
        for i, p in zip(best, top, strict=True)
    ]


def assign_folds(labels: Sequence[str], groups: Sequence[str], params: ModalityParams) -> NDArray[np.int64]:
    """Return each row's fold, shape (rows,), or -1 where it is only ever trained on.

    A group is in one fold. A label of one group can't be judged on unseen groups, so its rows are trained on in every
    fold and judged in none. Groups of a label are dealt out in the order of a stable hash, so that each label of two
    groups or more is in two folds or more.
    """
    groups_of: dict[str, set[str]] = {}
    for label, group in zip(labels, groups, strict=True):
        groups_of.setdefault(label, set()).add(group)
    first_label: dict[str, str] = {}
    for label, group in sorted(zip(labels, groups, strict=True)):
        first_label.setdefault(group, label)
    order = sorted(first_label, key=lambda g: (first_label[g], stable_hash(params.seed, "fold", g)))
    fold_of = {group: number % params.folds for number, group in enumerate(order)}
    folds = [fold_of[g] if len(groups_of[label]) > 1 else -1 for label, g in zip(labels, groups, strict=True)]
    return np.array(folds, dtype=np.int64)


def cross_validate(
    features: Features, labels: Sequence[str], groups: Sequence[str], params: ModalityParams
) -> dict[str, Any]:
    """Return how well the probe does on groups it never saw.

    Keys: n (pictures judged), groups, accuracy (of the likeliest label, abstained or not), chance (share of the
    commonest label), decided (share not abstained), accuracy_decided, confusion {true: {predicted: n}}, training_only
    (labels of one group, which can't be judged). Figures are None where no label has two groups.
    """
    folds = assign_folds(labels, groups, params)
    truth = np.array(labels)
    confusion: Counter[tuple[str, str]] = Counter()
    right = decided = right_decided = 0
    for fold in sorted(set(folds.tolist()) - {-1}):
        inside = folds == fold
        if len(set(truth[~inside])) < 2:
            continue
        probe = fit(features[~inside], truth[~inside].tolist(), params)
        for label, guess in zip(truth[inside].tolist(), predict(probe, features[inside], params), strict=True):
            confusion[label, guess.label] += 1
            right += label == guess.label
            decided += not guess.abstained
            right_decided += label == guess.label and not guess.abstained
    n = confusion.total()
    judged = truth[folds >= 0].tolist()
    return {
        "n": n,
        "groups": len({g for g, fold in zip(groups, folds, strict=True) if fold >= 0}),
        "accuracy": round(right / n, DECIMALS) if n else None,
        "chance": round(max(Counter(judged).values()) / n, DECIMALS) if n else None,
        "decided": round(decided / n, DECIMALS) if n else None,
        "accuracy_decided": round(right_decided / decided, DECIMALS) if decided else None,
        "confusion": _nested(confusion),
        "training_only": sorted(set(truth[folds < 0].tolist())),
    }


def _nested(confusion: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for (truth, guess), number in sorted(confusion.items()):
        table.setdefault(truth, {})[guess] = number
    return table
