"""The generated JSON schemas are those of the models, and the shipped files satisfy them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lingshu.commands.recipes import RECIPES, modeline
from lingshu.commands.schemas import documents

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("path", sorted(documents()))
def test_schema_is_not_stale(path: Path) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == documents()[path], f"{path} is stale: run `lingshu schema`"


def test_params_and_recipes_name_their_schema() -> None:
    files = {ROOT / "params.yaml": "schemas/params.json"}
    files |= dict.fromkeys((ROOT / RECIPES).glob("*.yaml"), "../schemas/params.json")
    for path, schema in files.items():
        assert path.read_text(encoding="utf-8").startswith(modeline(schema)), path
        assert (path.parent / schema).exists()
