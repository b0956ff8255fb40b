"""params.yaml, the recipes and the root model agree with each other and with the stages' own models."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Iterator
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest

from lingshu.commands import recipes
from lingshu.config import Recipe
from lingshu.core.errors import UserError
from lingshu.core.params import PARAMS_FILE, Strict, load_section, read_yaml, validate

ROOT = Path(__file__).resolve().parents[1]
SECTIONS = {name: field.annotation for name, field in Recipe.model_fields.items() if name not in {"recipe", "seed"}}


def test_params_are_those_of_their_recipe() -> None:
    """Who changes params.yaml for good changes the recipe too; local edits of an experiment are no fault."""
    edits = recipes.edits(ROOT)
    if edits and not recipes.committed(ROOT):
        pytest.skip(f"params.yaml has local edits: {', '.join(key for key, _, _ in edits)}")
    assert edits == []


@pytest.mark.parametrize("name", recipes.available(ROOT))
def test_every_recipe_is_valid(name: str) -> None:
    path = ROOT / recipes.RECIPES / f"{name}.yaml"
    recipes.check_name(validate(Recipe, read_yaml(path), f"{path}:"), path)


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_a_stage_reads_a_section_as_the_root_model_does(name: str) -> None:
    model = SECTIONS[name]
    assert isinstance(model, type)
    assert issubclass(model, Strict)
    whole = validate(Recipe, read_yaml(ROOT / PARAMS_FILE), f"{PARAMS_FILE}:")
    assert load_section(name, model, ROOT / PARAMS_FILE) == getattr(whole, name)


def _numbers(values: Any, keys: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(values, dict | list):
        for key, value in values.items() if isinstance(values, dict) else enumerate(values):
            yield from _numbers(value, (*keys, key))
    elif isinstance(values, int | float) and not isinstance(values, bool):
        yield keys


def test_no_number_of_the_recipe_may_be_a_boolean_or_infinite() -> None:
    recipe = read_yaml(ROOT / PARAMS_FILE)
    places = list(_numbers(recipe))
    assert len(places) > 200
    for keys, value in itertools.product(places, (True, math.inf, math.nan)):
        changed = copy.deepcopy(recipe)
        reduce(getitem, keys[:-1], changed)[keys[-1]] = value
        with pytest.raises(UserError) as caught:
            validate(Recipe, changed, "params.yaml:")
        assert ".".join(str(key) for key in keys) in caught.value.what.replace(".union", "")


def test_sections_are_areas() -> None:
    """A section's model lies in the area of the same name."""
    for name, model in SECTIONS.items():
        assert model.__module__ == f"lingshu.{name}.params"
