"""Knobs that contradict each other are refused with the key that is wrong."""

from __future__ import annotations

import pytest
import torch

from lingshu.core.errors import UserError
from lingshu.core.params import validate
from lingshu.training.params import TrainingParams
from lingshu.training.trainer import make_config
from tests.training.conftest import COMMON, stage_params


def section(**stages):
    whole = {name: stage_params().model_dump(exclude_none=True) for name in ("deep", "instruct")}
    frozen = stage_params(trainable=["vision", "projector"], learning_rate={"vision": 1e-3, "projector": 1e-3})
    whole |= {"common": COMMON.model_dump(), "shallow": frozen.model_dump(exclude_none=True)}
    for name, change in stages.items():
        whole[name] |= change
    return whole


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"deep": {"trainable": ["vision"]}}, r"training\.deep.*learning_rate must name exactly.*vision"),
        ({"deep": {"learning_rate": {"vision": 1e-3}}}, r"training\.deep.*learning_rate must name exactly"),
        ({"deep": {"trainable": ["eyes"]}}, r"training\.deep\.trainable"),
        ({"shallow": {"trainable": ["llm"], "learning_rate": {"llm": 1e-3}}}, "shallow alignment keeps the llm frozen"),
        ({"common": {"checkpoint_steps": 3, "log_steps": 2}}, "multiple of log_steps"),
        ({"instruct": {"epoch": 3}}, "did you mean 'epochs'"),
    ],
)
def test_contradictions(change, complaint):
    with pytest.raises(UserError, match=f"(?s){complaint}"):
        validate(TrainingParams, section(**change), "params.yaml: training")


def test_a_stage_is_found_by_name():
    params = validate(TrainingParams, section(deep={"batch": 3}), "params.yaml: training")
    assert [params.stage(name).batch for name in ("shallow", "deep", "instruct")] == [6, 3, 6]


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_not_there_is_named(tmp_path):
    common = COMMON.model_copy(update={"device": "cuda"})
    with pytest.raises(UserError, match=r"training\.common\.device"):
        make_config(tmp_path, stage_params(), common, 1)
