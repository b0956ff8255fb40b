"""A linear probe on encoder features: fitted on tagged pictures, judged on whole groups it never saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from lingshu.core.ids import stable_hash
from lingshu.modality.calibration import Chances, tempered
from lingshu.modality.params import ModalityParams

Features = NDArray[np.float32]
MAX_ITERATIONS = 500
DECIMALS = 4


class Classifier(Protocol):
    """Whatever gives each row of features a probability for each of its classes."""

    @property
    def classes(self) -> list[str]:
        """Labels, sorted."""
        ...

    def chances(self, features: Features) -> Chances:
        """Return the probabilities, shape (rows, classes)."""
        ...


@dataclass(frozen=True, slots=True)
class Prediction:
    """The likeliest label of one picture, its probability, and whether that is below the abstention threshold."""

    label: str
    probability: float
    abstained: bool


@dataclass(frozen=True, slots=True)
class Probe:
    """A fitted probe; `classes` are its labels, sorted."""

    pipeline: Pipeline
    classes: list[str]

    def chances(self, features: Features) -> Chances:
        """Return the probabilities, shape (rows, classes)."""
        found: Chances = self.pipeline.predict_proba(features.astype(np.float64))
        return found


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What a classifier says of pictures of groups that it did not learn from.

    Attributes:
        classes: labels, sorted.
        chances: probability of each class, shape (rows, classes).
        truth: class of each row.
        folds: of each row.
        groups: how many groups were held out.
        training_only: labels of one group, which can't be judged.
    """

    classes: list[str]
    chances: Chances
    truth: NDArray[np.int64]
    folds: list[int]
    groups: int
    training_only: list[str]


def fit(features: Features, labels: Sequence[str], params: ModalityParams) -> Probe:
    """Return a multinomial logistic regression on standardised features, classes weighted equally (deterministic).

    BLAS has one thread: its own wait for each other longer than they work on so few rows (900 of 1,280 channels on two
    cores: 0.25 CPU-seconds with one thread, 4 with two).
    """
    model = LogisticRegression(C=params.inverse_penalty, class_weight="balanced", max_iter=MAX_ITERATIONS)
    with threadpool_limits(1, user_api="blas"):
        pipeline = make_pipeline(StandardScaler(), model).fit(features.astype(np.float64), list(labels))
    return Probe(pipeline, [str(label) for label in pipeline.classes_])


def predict(
    model: Classifier, features: Features, params: ModalityParams, temperature: float = 1.0
) -> list[Prediction]:
    """Return one prediction a row, at a temperature; probabilities rounded to 4 decimals."""
    if not len(features):
        return []
    return decide(tempered(model.chances(features), temperature), model.classes, params.min_probability)


def decide(chances: Chances, classes: Sequence[str], min_probability: float) -> list[Prediction]:
    """Return the likeliest class of each row, abstained from below `min_probability`."""
    best = chances.argmax(axis=1)
    top = np.round(chances[np.arange(len(best)), best], DECIMALS)
    return [Prediction(classes[i], float(p), bool(p < min_probability)) for i, p in zip(best, top, strict=True)]


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


def held_out(features: Features, labels: Sequence[str], groups: Sequence[str], params: ModalityParams) -> HeldOut:
    """Return what probes say of groups they never saw, fold by fold."""
    folds = assign_folds(labels, groups, params)
    truth = np.array(labels)
    classes = sorted(set(labels))
    column = {label: number for number, label in enumerate(classes)}
    chances = np.zeros((len(labels), len(classes)))
    judged = np.zeros(len(labels), dtype=np.bool_)
    for fold in sorted(set(folds.tolist()) - {-1}):
        inside = folds == fold
        if len(set(truth[~inside])) < 2:
            continue
        probe = fit(features[~inside], truth[~inside].tolist(), params)
        chances[np.ix_(inside, [column[label] for label in probe.classes])] = probe.chances(features[inside])
        judged |= inside
    return HeldOut(
        classes,
        chances[judged],
        np.array([column[label] for label in truth[judged]], dtype=np.int64),
        folds[judged].tolist(),
        len({g for g, fold in zip(groups, folds, strict=True) if fold >= 0}),
        sorted(set(truth[folds < 0].tolist())),
    )


def all_held_out(
    model: Classifier, features: Features, labels: Sequence[str], groups: Sequence[str], params: ModalityParams
) -> HeldOut:
    """Return what a classifier that learned from no picture says of all of them, in folds of whole groups."""
    column = {label: number for number, label in enumerate(model.classes)}
    order = sorted(set(groups), key=lambda group: (stable_hash(params.seed, "fold", group), group))
    fold_of = {group: number % params.folds for number, group in enumerate(order)}
    chances = model.chances(features) if len(features) else np.zeros((0, len(model.classes)))
    truth = np.array([column[label] for label in labels], dtype=np.int64)
    return HeldOut(list(model.classes), chances, truth, [fold_of[group] for group in groups], len(order), [])


def judge(held: HeldOut, params: ModalityParams) -> dict[str, Any]:
    """Return how well a classifier does on groups it never saw.

    Keys: n (pictures judged), groups, accuracy (of the likeliest label, abstained or not), chance (share of the
    commonest label), decided (share not abstained), accuracy_decided, confusion {true: {predicted: n}}, training_only
    (labels of one group, which can't be judged). Figures are None where no label has two groups.
    """
    truth = [held.classes[number] for number in held.truth]
    guesses = decide(held.chances, held.classes, params.min_probability)
    pairs = list(zip(truth, guesses, strict=True))
    n, right = len(pairs), sum(label == guess.label for label, guess in pairs)
    decided = [label == guess.label for label, guess in pairs if not guess.abstained]
    return {
        "n": n,
        "groups": held.groups,
        "accuracy": round(right / n, DECIMALS) if n else None,
        "chance": round(max(Counter(truth).values()) / n, DECIMALS) if n else None,
        "decided": round(len(decided) / n, DECIMALS) if n else None,
        "accuracy_decided": round(sum(decided) / len(decided), DECIMALS) if decided else None,
        "confusion": _nested(Counter((label, guess.label) for label, guess in pairs)),
        "training_only": held.training_only,
    }


def _nested(confusion: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for (truth, guess), number in sorted(confusion.items()):
        table.setdefault(truth, {})[guess] = number
    return table
