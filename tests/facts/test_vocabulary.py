"""Facts are refused when a key is unknown, a value is not allowed, or a pair contradicts itself."""

from __future__ import annotations

from typing import Any

import pytest

from lingshu.core.errors import UserError
from lingshu.facts.vocabulary import check_facts, parsable


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ({"modalty": "ct"}, "modalty"),
        ({"modality": "MR"}, "modality"),
        ({"contrast": "yes"}, "contrast"),
        ({"nuclei_count": True}, "nuclei_count"),
        ({"nuclei_count": -1}, "nuclei_count"),
        ({"nodule_count": 2}, "nodule_side"),
        ({"nodule_count": 2, "nodule_side": "none"}, "contradict"),
        ({"effusion_side": "left", "effusion_level": "none"}, "contradict"),
        ({"nodule_count": 0, "nodule_side": "left"}, "contradict"),
        ({"labels": ["melanoma"]}, "labels"),
        ({"labels": {"diagnosis": []}}, "labels"),
        ({"labels": {"diagnosis": [" "]}}, "labels"),
        ({"boxes": [{"label": "tumour", "box": [1, 2, 3]}]}, "no box"),
        ({"boxes": [{"label": "tumour", "box": [5, 2, 5, 9]}]}, "no box"),
        ({"boxes": [{"label": "tumour", "box": [1.0, 2.0, 3.0, 4.0]}]}, "no box"),
        ({"boxes": [{"box": [1, 2, 3, 4]}]}, "label, box"),
    ],
)
def test_wrong_facts_are_named(facts: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=named) as error:
        check_facts(facts, "radiology: a/b.dcm")
    assert "radiology: a/b.dcm" in str(error.value)


def test_right_facts_pass() -> None:
    check_facts({}, "x")
    check_facts({"nodule_count": 0, "nodule_side": "none", "effusion_side": "left", "effusion_level": "small"}, "x")


def test_annotations_are_facts_that_are_not_spoken() -> None:
    facts = {
        "modality": "dermoscopy",
        "labels": {"diagnosis": ["melanoma"]},
        "boxes": [{"label": "lesion", "box": [1, 2, 3, 4]}],
    }
    check_facts(facts, "x")
    assert parsable(facts) == {"modality": "dermoscopy"}


def test_generated_is_a_fact_that_is_not_spoken() -> None:
    assert parsable({"generated": True, "heart": "normal"}) == {"heart": "normal"}
