"""The probe: folds over whole groups, honest figures, abstention."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu.core.parallel import ALONE
from lingshu.modality.params import ModalityParams
from lingshu.modality.probe import assign_folds, fit, held_out, judge, predict

PARAMS = ModalityParams(
    encoder="e",
    method="probe",
    calibrate=False,
    image_size=64,
    max_tagged=50,
    inverse_penalty=1.0,
    folds=5,
    min_probability=0.6,
    seed=1,
    device="cpu",
    threads=1,
    workers=ALONE,
)
ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 6)), max_size=30)


def clusters(labels: list[str], spread: float, seed: int = 0) -> np.ndarray:
    """Features around a centre of each label."""
    rng = np.random.default_rng(seed)
    centres = {label: rng.normal(size=8) for label in sorted(set(labels))}
    return np.array([centres[label] + rng.normal(scale=spread, size=8) for label in labels], dtype=np.float32)


def cross_validate(features: np.ndarray, labels: list[str], groups: list[str], params: ModalityParams) -> dict:
    return judge(held_out(features, labels, groups, params), params)


@given(ROWS)
def test_folds_never_cut_a_group_and_judge_every_label_that_can_be(rows: list[tuple[str, int]]) -> None:
    labels = [label for label, _ in rows]
    groups = [f"{label}{number}" for label, number in rows]
    folds = assign_folds(labels, groups, PARAMS)
    for group in set(groups):
        assert len({fold for fold, g in zip(folds, groups, strict=True) if g == group}) == 1
    for label in set(labels):
        mine = {int(fold) for fold, other in zip(folds, labels, strict=True) if other == label}
        number = len({g for g, other in zip(groups, labels, strict=True) if other == label})
        assert mine == {-1} if number == 1 else len(mine) == min(number, PARAMS.folds)


def test_a_group_with_two_labels_stays_whole() -> None:
    folds = assign_folds(["ct", "mri", "ct", "mri"], ["g", "g", "h", "k"], PARAMS)
    assert folds[0] == folds[1]
    assert (folds >= 0).all()


def test_separable_labels_are_told_apart_on_unseen_groups() -> None:
    labels = [label for label in ("ct", "mri", "x-ray") for _ in range(30)]
    groups = [f"{label}-{i % 6}" for i, label in enumerate(labels)]
    result = cross_validate(clusters(labels, 0.1), labels, groups, PARAMS)
    assert (result["n"], result["groups"], result["accuracy"], result["chance"]) == (90, 18, 1.0, 0.3333)
    assert result["confusion"] == {"ct": {"ct": 30}, "mri": {"mri": 30}, "x-ray": {"x-ray": 30}}
    assert result["training_only"] == []


def test_a_look_shared_within_groups_only_is_no_skill() -> None:
    """Features that name the group say nothing about labels of other groups: leaving groups out must show that."""
    labels = [label for label in ("ct", "mri") for _ in range(40)]
    groups = [f"{label}-{i % 8}" for i, label in enumerate(labels)]
    result = cross_validate(clusters(groups, 0.01), labels, groups, PARAMS)
    assert result["accuracy"] < 0.75


def test_labels_of_one_group_are_trained_on_and_listed() -> None:
    labels = ["ct"] * 6 + ["mri"] * 6 + ["scintigraphy"] * 3
    groups = [f"c{i % 3}" for i in range(6)] + [f"m{i % 3}" for i in range(6)] + ["s"] * 3
    result = cross_validate(clusters(labels, 0.1), labels, groups, PARAMS)
    assert result["n"] == 12
    assert result["training_only"] == ["scintigraphy"]
    assert set(result["confusion"]) == {"ct", "mri"}


def test_nothing_to_judge_gives_no_figures() -> None:
    result = cross_validate(clusters(["a", "b"], 0.1), ["a", "b"], ["g", "h"], PARAMS)
    assert (result["n"], result["accuracy"], result["chance"]) == (0, None, None)


def test_it_abstains_between_labels() -> None:
    labels = ["ct"] * 20 + ["mri"] * 20
    features = clusters(labels, 0.1)
    middle = (features[:1] + features[-1:]) / 2
    clear, unclear = predict(fit(features, labels, PARAMS), np.concatenate([features[:1], middle]), PARAMS)
    assert (clear.label, clear.abstained) == ("ct", False)
    assert clear.probability > 0.9
    assert unclear.probability == pytest.approx(0.5, abs=0.1)
    assert unclear.abstained


def test_fitting_twice_gives_the_same_probabilities() -> None:
    labels = ["ct", "mri", "x-ray"] * 10
    features = clusters(labels, 0.5)
    first, second = (predict(fit(features, labels, PARAMS), features, PARAMS) for _ in range(2))
    assert first == second
