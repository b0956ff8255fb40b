"""`lingshu recipe`: make recipes/NAME.yaml the active params.yaml, or keep the active one under a name."""

from __future__ import annotations

import difflib
import re
import subprocess
from pathlib import Path
from typing import Any

from lingshu.config import Recipe
from lingshu.core.errors import UserError
from lingshu.core.files import write_text
from lingshu.core.params import PARAMS_FILE, differences, read_yaml, validate

RECIPES = Path("recipes")
_MODELINE = re.compile(r"\A# yaml-language-server: .*\n")
_NAME = re.compile(r"^recipe: \S+", flags=re.MULTILINE)


def modeline(schema: str) -> str:
    """Return the comment by which editors find the JSON schema of a YAML file."""
    return f"# yaml-language-server: $schema={schema}\n"


def available(root: Path) -> list[str]:
    """Return the names of the recipes under recipes/, sorted."""
    return sorted(path.stem for path in (root / RECIPES).glob("*.yaml"))


def activate(root: Path, name: str, *, force: bool = False) -> list[str]:
    """Write recipe `name` to params.yaml; return the values that changed, one line each.

    Raises:
        UserError: no such recipe, it is not valid, or params.yaml has edits that neither Git nor a recipe holds.
    """
    source = RECIPES / f"{name}.yaml"
    if name not in available(root):
        close = difflib.get_close_matches(name, available(root), n=1)
        meant = f"did you mean {close[0]!r}?" if close else f"choose one of {', '.join(available(root))}"
        raise UserError(f"{source}: no such recipe", meant)
    values = read_yaml(root / source)
    check_name(validate(Recipe, values, f"{source}:"), source)
    text = _MODELINE.sub("", (root / source).read_text(encoding="utf-8"))
    target = root / PARAMS_FILE
    before: Any = read_yaml(target) if target.exists() else {}
    if target.exists() and not force and not _is_stored(root):
        raise UserError(
            f"{PARAMS_FILE}: has edits that are in no commit and in no recipe",
            f"keep them with `lingshu recipe NEW_NAME --save`, or drop them with `lingshu recipe {name} --force`",
        )
    write_text(target, modeline("schemas/params.json") + text)
    return [f"{key}: {old!r} -> {new!r}" for key, old, new in differences(before, values)]


def save(root: Path, name: str, *, force: bool = False) -> list[str]:
    """Write params.yaml to recipes/NAME.yaml under its new name; return the values that changed there.

    Raises:
        UserError: params.yaml is not valid, the name is not a slug, or the recipe exists and `force` is not given.
    """
    target = RECIPES / f"{name}.yaml"
    values = read_yaml(root / PARAMS_FILE)
    validate(Recipe, values, f"{PARAMS_FILE}:")
    values = {**values, "recipe": name}
    validate(Recipe, values, f"{target}:")
    exists = (root / target).exists()
    if exists and not force:
        raise UserError(f"{target}: exists already", "choose another name, or overwrite it with --force")
    before: Any = read_yaml(root / target) if exists else {}
    text = _MODELINE.sub("", (root / PARAMS_FILE).read_text(encoding="utf-8"))
    text = _NAME.sub(f"recipe: {name}", text, count=1)
    write_text(root / target, modeline("../schemas/params.json") + text)
    write_text(root / PARAMS_FILE, modeline("schemas/params.json") + text)
    return [f"{key}: {old!r} -> {new!r}" for key, old, new in differences(before, values)]


def check_name(recipe: Recipe, path: Path) -> None:
    """Check that a recipe file says its own name.

    Raises:
        UserError: its `recipe:` is another.
    """
    if recipe.recipe != path.stem:
        raise UserError(f"{path}: recipe: is {recipe.recipe!r}", f"write `recipe: {path.stem}`")


def edits(root: Path) -> list[tuple[str, Any, Any]]:
    """Return where params.yaml differs in value from the recipe it names: `(dotted key, recipe's, params.yaml's)`."""
    values = read_yaml(root / PARAMS_FILE)
    path = root / RECIPES / f"{values.get('recipe')}.yaml"
    return differences(read_yaml(path), values) if path.exists() else []


def _is_stored(root: Path) -> bool:
    """Return whether the text of params.yaml can be had again from a recipe or from Git's last commit."""
    text = _MODELINE.sub("", (root / PARAMS_FILE).read_text(encoding="utf-8"))
    stored = (_MODELINE.sub("", path.read_text(encoding="utf-8")) for path in (root / RECIPES).glob("*.yaml"))
    return text in stored or committed(root)


def committed(root: Path) -> bool:
    """Return whether Git holds params.yaml as it is; False outside a repository."""
    command = ["git", "status", "--porcelain", "--", str(PARAMS_FILE)]
    try:
        result = subprocess.run(command, cwd=root, capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return result.returncode == 0 and not result.stdout


def listing(root: Path) -> list[str]:
    """Return a line per recipe, the active one marked, and how params.yaml differs from it."""
    values = read_yaml(root / PARAMS_FILE)
    active = values.get("recipe") if isinstance(values, dict) else None
    lines = [f"{'*' if name == active else ' '} {name}" for name in available(root)]
    return lines + [f"    {key}: {old!r} -> {new!r}" for key, old, new in edits(root)]
