from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lingshu.commands import recipes
from lingshu.core.errors import UserError


def read(path: Path) -> dict:
    return yaml.safe_load(path.read_text())


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def variant(root: Path, name: str, seed: int) -> None:
    """Add a recipe that differs from mini in its seed."""
    text = (root / "recipes/mini.yaml").read_text()
    mini = read(root / "recipes/mini.yaml")
    text = text.replace("recipe: mini", f"recipe: {name}").replace(f"seed: {mini['seed']}", f"seed: {seed}", 1)
    (root / f"recipes/{name}.yaml").write_text(text)


def test_switching_there_and_back_restores_the_file(repository: Path) -> None:
    before = (repository / "params.yaml").read_bytes()
    variant(repository, "other", 4711)
    changed = recipes.activate(repository, "other")
    assert any(line.startswith("seed: ") and line.endswith("-> 4711") for line in changed)
    assert read(repository / "params.yaml") == read(repository / "recipes/other.yaml")
    recipes.activate(repository, "mini")
    assert (repository / "params.yaml").read_bytes() == before


def test_comments_and_schema_line_are_kept(repository: Path) -> None:
    variant(repository, "other", 4711)
    recipes.activate(repository, "other")
    first, *rest = (repository / "params.yaml").read_text().splitlines()
    assert first == "# yaml-language-server: $schema=schemas/params.json"
    assert rest == (repository / "recipes/other.yaml").read_text().splitlines()[1:]


def test_uncommitted_edits_are_not_overwritten(repository: Path) -> None:
    edit(repository / "params.yaml", "recipe: mini", "# my own note\nrecipe: mini")
    edited = (repository / "params.yaml").read_text()
    with pytest.raises(UserError, match="in no commit and in no recipe"):
        recipes.activate(repository, "mini")
    assert (repository / "params.yaml").read_text() == edited
    recipes.activate(repository, "mini", force=True)
    assert "my own note" not in (repository / "params.yaml").read_text()


def test_saved_edits_may_be_overwritten_and_come_back(repository: Path) -> None:
    edit(repository / "params.yaml", "recipe: mini", "# my own note\nrecipe: mini")
    recipes.save(repository, "mine")
    assert read(repository / "params.yaml")["recipe"] == "mine"
    recipes.activate(repository, "mini")
    recipes.activate(repository, "mine")
    assert "# my own note" in (repository / "params.yaml").read_text()


def test_a_recipe_is_not_overwritten_by_saving(repository: Path) -> None:
    before = (repository / "recipes/mini.yaml").read_bytes()
    edit(repository / "params.yaml", "recipe: mini", "# note\nrecipe: mini")
    with pytest.raises(UserError, match="exists already"):
        recipes.save(repository, "mini")
    assert (repository / "recipes/mini.yaml").read_bytes() == before


def test_unknown_recipe_offers_the_closest(checkout: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'mini'"):
        recipes.activate(checkout, "minni")


def test_invalid_recipe_leaves_params_alone(repository: Path) -> None:
    before = (repository / "params.yaml").read_bytes()
    variant(repository, "broken", 4711)
    edit(repository / "recipes/broken.yaml", "seed: 4711", "seed: many")
    with pytest.raises(UserError, match=r"recipes/broken\.yaml: seed"):
        recipes.activate(repository, "broken")
    assert (repository / "params.yaml").read_bytes() == before


def test_a_recipe_must_say_its_own_name(repository: Path) -> None:
    variant(repository, "other", 4711)
    edit(repository / "recipes/other.yaml", "recipe: other", "recipe: mini")
    with pytest.raises(UserError, match="write `recipe: other`"):
        recipes.activate(repository, "other")


def test_listing_marks_the_active_one_and_its_edits(checkout: Path) -> None:
    seed = read(checkout / "params.yaml")["seed"]
    edit(checkout / "params.yaml", f"seed: {seed}", "seed: 4711")
    lines = recipes.listing(checkout)
    assert "* mini" in lines
    assert f"    seed: {seed} -> 4711" in lines
