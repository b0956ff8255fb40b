"""Temperature, calibration error and abstention, by hand-made numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu.core.errors import UserError
from lingshu.modality.calibration import calibrate, calibration_error, fit_temperature, tempered
from lingshu.modality.probe import HeldOut, all_held_out, judge
from tests.modality.test_probe import PARAMS


def two(*first: float) -> np.ndarray:
    """Probabilities of two classes, from those of the first."""
    return np.array([[p, 1 - p] for p in first])


def test_a_temperature_divides_logits() -> None:
    chances = np.array([[0.8, 0.2]])
    assert tempered(chances, 1.0) is chances
    np.testing.assert_allclose(tempered(chances, 0.5), [[0.64 / 0.68, 0.04 / 0.68]])  # odds 4 to 1 become 16 to 1
    np.testing.assert_allclose(tempered(chances, 2.0), [[2 / 3, 1 / 3]])  # and 2 to 1
    assert np.isfinite(tempered(np.array([[1.0, 0.0]]), 0.01)).all()


@given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=6), st.floats(0.1, 10))
def test_a_temperature_changes_no_order_and_sums_to_one(parts: list[float], temperature: float) -> None:
    chances = np.array([parts]) / sum(parts)
    found = tempered(chances, temperature)
    assert found.sum() == pytest.approx(1)
    assert (np.diff(found[0][np.argsort(chances[0])]) >= -1e-12).all()


def test_the_fitted_temperature_makes_stated_probabilities_come_true() -> None:
    # Stated at 0.9 and right in 3 of 4: odds 9 become odds 3 at temperature ln 9 / ln 3 = 2.
    chances, truth = two(*[0.9] * 400), np.array([0, 0, 0, 1] * 100)
    assert fit_temperature(chances, truth) == pytest.approx(2.0, rel=1e-3)
    # Right in 9 of 10 where 0.75 was stated: the other way round.
    chances, truth = two(*[0.75] * 10), np.array([0] * 9 + [1])
    assert fit_temperature(chances, truth) == pytest.approx(0.5, rel=1e-3)


def test_the_calibration_error_by_hand() -> None:
    # Bins of 1/15: 0.9 lies in (0.867, 0.933], 0.6 in (0.533, 0.6]. Gaps: |0.5 - 0.9| of 2 rows, |1 - 0.6| of 3.
    chances = two(0.9, 0.9, 0.6, 0.6, 0.4)
    truth = np.array([0, 1, 0, 0, 1])
    assert calibration_error(chances, truth) == pytest.approx((2 * 0.4 + 3 * 0.4) / 5)
    assert calibration_error(two(1.0, 1.0), np.array([0, 0])) == 0
    assert calibration_error(two(0.75, 0.75, 0.75, 0.75), np.array([0, 0, 0, 1])) == 0


def test_calibration_is_judged_on_folds_whose_temperature_it_is_not() -> None:
    chances = two(*[0.9] * 800)
    truth = np.array(([0, 0, 0, 1] * 100) + [0] * 360 + [1] * 40)  # fold 0: right in 3 of 4; fold 1: in 9 of 10
    temperature, after, figures = calibrate(chances, truth, [0] * 400 + [1] * 400)
    np.testing.assert_allclose(after[0], [0.9, 0.1], atol=1e-3)  # by fold 1, where 0.9 comes true
    np.testing.assert_allclose(after[-1], [0.75, 0.25], atol=1e-3)  # by fold 0
    assert figures["ece_before"] == pytest.approx(0.075)  # both folds in one bin: right in 0.825, stated 0.9
    assert figures["ece_after"] == pytest.approx(0.15, abs=1e-3)  # each is off by 0.15: honest, and worse
    assert figures["n"] == 800
    assert tempered(two(0.9), temperature)[0, 0] == pytest.approx(0.825, abs=1e-3)  # of all rows, for new pictures


def test_one_fold_is_too_little_to_calibrate_with() -> None:
    with pytest.raises(UserError, match=r"modality.calibrate: fewer than two groups"):
        calibrate(two(0.9, 0.8), np.array([0, 0]), [1, 1])


def test_confusion_and_abstention_by_hand() -> None:
    chances = np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.1, 0.6, 0.3], [0.3, 0.3, 0.4], [0.0, 0.1, 0.9]])
    held = HeldOut(["ct", "mri", "x-ray"], chances, np.array([0, 1, 1, 0, 2]), [0, 0, 1, 1, 1], 4, ["pet"])
    assert judge(held, PARAMS) == {
        "n": 5,
        "groups": 4,
        "accuracy": 0.6,
        "chance": 0.4,
        "decided": 0.6,  # 0.7, 0.6 and 0.9 are not below 0.6
        "accuracy_decided": 1.0,
        "confusion": {"ct": {"ct": 1, "x-ray": 1}, "mri": {"ct": 1, "mri": 1}, "x-ray": {"x-ray": 1}},
        "training_only": ["pet"],
    }


class Fixed:
    """A classifier that says the same of every picture."""

    def __init__(self) -> None:
        self.classes = ["ct", "mri"]

    def chances(self, features: np.ndarray) -> np.ndarray:
        return np.tile([0.25, 0.75], (len(features), 1))


def test_a_classifier_that_learned_nothing_is_judged_on_every_group() -> None:
    groups = ["a", "a", "b", "c"]
    held = all_held_out(Fixed(), np.zeros((4, 1), dtype=np.float32), ["ct", "mri", "mri", "mri"], groups, PARAMS)
    assert held.folds[0] == held.folds[1]
    assert len(set(held.folds)) == 3
    assert judge(held, PARAMS)["confusion"] == {"ct": {"mri": 1}, "mri": {"mri": 3}}
    assert judge(all_held_out(Fixed(), np.zeros((0, 1), dtype=np.float32), [], [], PARAMS), PARAMS)["n"] == 0
