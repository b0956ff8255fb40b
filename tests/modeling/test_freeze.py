"""Only the declared parts are trained, and the table says so."""

from __future__ import annotations

import copy
from itertools import combinations

import pytest

from lingshu.modeling.freeze import freeze_all_but, part_of, print_sizes, trained_by_part
from lingshu.modeling.params import PARTS

SUBSETS = [parts for size in (1, 2, 3) for parts in combinations(PARTS, size)]


@pytest.mark.parametrize("parts", SUBSETS, ids="+".join)
def test_exactly_the_declared_parts_are_trained(toy, parts):
    model = copy.deepcopy(toy[0])
    sizes = freeze_all_but(model, parts)
    assert {part for part, size in sizes.items() if size.trained} == set(parts)
    assert trained_by_part(model).keys() == set(parts)
    assert sum(size.total for size in sizes.values()) == sum(w.numel() for w in model.parameters())
    for name, weight in model.named_parameters():
        assert weight.requires_grad == (part_of(name) in parts)


def test_the_projector_is_the_patch_merger_alone(toy):
    names = [name for name, _ in toy[0].named_parameters() if part_of(name) == "projector"]
    assert names
    assert all(name.startswith("model.visual.merger.") for name in names)


def test_an_unknown_weight_is_refused():
    with pytest.raises(ValueError, match="audio_tower"):
        part_of("model.audio_tower.weight")


def test_the_table_names_frozen_parts(toy, capsys):
    sizes = freeze_all_but(copy.deepcopy(toy[0]), ["vision", "projector"])
    print_sizes("train@shallow", sizes, {"vision": 2e-6, "projector": 1e-5})
    lines = capsys.readouterr().out.splitlines()
    assert any("llm" in line and "frozen" in line for line in lines)
    assert any("vision" in line and "2e-06" in line for line in lines)
