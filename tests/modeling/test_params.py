"""Sizes that cannot work are refused with the key that is wrong."""

from __future__ import annotations

import pytest

from lingshu.core.errors import UserError
from lingshu.core.params import validate
from lingshu.modeling.params import ModelingParams
from tests.tiny_model import PARAMS


@pytest.mark.parametrize(
    ("section", "change", "complaint"),
    [
        ("text", {"heads": 3}, "multiple of heads"),
        ("text", {"mrope_section": [4, 4, 4]}, "mrope_section must sum to half the head size, 8"),
        ("vision", {"heads": 5}, "multiple of 4"),
        ("image", {"min_pixels": 5000}, "min_pixels must not exceed max_pixels"),
        ("pretrain", {"stepps": 3}, "steps"),
    ],
)
def test_wrong_sizes(section, change, complaint):
    data = PARAMS.model_dump()
    data[section] |= change
    with pytest.raises(UserError, match=complaint) as raised:
        validate(ModelingParams, data, "params.yaml: modeling")
    assert f"modeling.{section}" in str(raised.value)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"backbone": {"hub": "owner/name"}}, "has its own vocabulary, initializer_range, text, vision"),
        ({"vocabulary": None, "pretrain": None}, "without `backbone` these keys are needed: vocabulary, pretrain"),
        ({"backbone": {}}, "give hub or folder"),
        ({"backbone": {"folder": "a", "revision": "b"}}, "a folder has no revision"),
        ({"backbone": {"hub": "owner"}}, "match pattern"),
    ],
)
def test_a_backbone_is_published_or_made(change, complaint):
    with pytest.raises(UserError, match=complaint):
        validate(ModelingParams, PARAMS.model_dump() | change, "params.yaml: modeling")
