"""The generated JSON schemas are those of the models, and the shipped files satisfy them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lingshu.commands.recipes import RECIPES, modeline
from lingshu.commands.schemas import documents, write, write_apart
from lingshu.core.errors import UserError

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("path", sorted(documents()))
def test_schema_is_not_stale(path: Path) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == documents()[path], f"{path} is stale: run `lingshu schema`"


def test_schemas_are_written_in_a_checkout_or_where_one_says(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no checkout of Lingshu") as caught:
        write(tmp_path)
    assert "--out" in caught.value.fix
    assert list(tmp_path.iterdir()) == []
    written = write_apart(tmp_path / "here")
    assert {path.name: path.read_text(encoding="utf-8") for path in written} == {
        path.name: text for path, text in documents().items()
    }
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="can't be written"):
        write_apart(tmp_path / "file")
    for file in ("params.yaml", "catalog/public_benchmarks.yaml"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    assert write(tmp_path) == list(documents())
    assert write(tmp_path) == []


def test_params_and_recipes_name_their_schema() -> None:
    files = {ROOT / "params.yaml": "schemas/params.json"}
    files |= dict.fromkeys((ROOT / RECIPES).glob("*.yaml"), "../schemas/params.json")
    for path, schema in files.items():
        assert path.read_text(encoding="utf-8").startswith(modeline(schema)), path
        assert (path.parent / schema).exists()
