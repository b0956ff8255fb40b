"""`lingshu check`: every mistake in params.yaml, recipes/, catalog/ and dvc.yaml at once, without running anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lingshu.commands import recipes, references
from lingshu.commands.graph import DVC_FILE, Graph, Stage, has_key, read_graph
from lingshu.config import Recipe
from lingshu.core.errors import UserError
from lingshu.core.params import PARAMS_FILE, read_yaml, validate


def problems(root: Path) -> list[UserError]:
    """Return what is wrong, each naming file, key and fix; an empty list means that the pipeline may be run."""
    found: list[UserError] = []
    for part in (_params, _recipes, _pipeline):
        try:
            found.extend(part(root))
        except UserError as error:
            found.append(error)
    return list({str(problem): problem for problem in found}.values())


def summary(root: Path) -> list[str]:
    """Return what a valid checkout holds, in a few lines."""
    graph = read_graph(root)
    values = read_yaml(root / PARAMS_FILE)
    edits = recipes.edits(root)
    lines = [
        f"{PARAMS_FILE}: recipe {values['recipe']}" + (f", {len(edits)} values changed:" if edits else ", unchanged")
    ]
    lines += [f"  {key}: {old!r} -> {new!r}" for key, old, new in edits]
    lines.append(f"{DVC_FILE}: {len(graph.stages)} stages")
    return [*lines, "no problems"]


def _params(root: Path) -> Iterator[UserError]:
    """Yield what is wrong between a params.yaml that is valid by itself and the catalogue."""
    recipe = validate(Recipe, read_yaml(root / PARAMS_FILE), f"{PARAMS_FILE}:")
    yield from references.problems(root, recipe)


def _recipes(root: Path) -> Iterator[UserError]:
    """Yield what is wrong with each file under recipes/."""
    for name in recipes.available(root):
        path = recipes.RECIPES / f"{name}.yaml"
        try:
            recipes.check_name(validate(Recipe, read_yaml(root / path), f"{path}:"), path)
        except UserError as error:
            yield error


def _pipeline(root: Path) -> Iterator[UserError]:
    """Yield what is wrong with dvc.yaml: scripts, code folders and parameter keys that do not exist, shared outputs."""
    graph = read_graph(root)
    files: dict[str, Any] = {}
    for stage in graph.stages:
        yield from _missing_paths(root, stage)
        for key in stage.params:
            if key.file not in files:
                files[key.file] = read_yaml(root / key.file) if (root / key.file).exists() else None
                if files[key.file] is None:
                    yield UserError(
                        f"{DVC_FILE}: {stage.family}: params: {key.file} does not exist", "restore it from Git"
                    )
            if files[key.file] is not None and key.key and not has_key(files[key.file], key.key):
                yield UserError(
                    f"{DVC_FILE}: {stage.family}: params: {key.file} has no key {key.key!r}",
                    f"add it to {key.file}, or take it off the stage",
                )
    yield from _shared_outputs(graph)


def _missing_paths(root: Path, stage: Stage) -> Iterator[UserError]:
    where = f"{DVC_FILE}: {stage.family}"
    if not stage.script:
        yield UserError(f"{where}: cmd {stage.command!r} runs no Python script", "name one under stages/")
    elif not (root / stage.script).exists():
        yield UserError(f"{where}: cmd: {stage.script} does not exist", "mend the name, or restore the script from Git")
    for dep in stage.deps:
        if dep != stage.script and dep.startswith(("src/", "stages/", "catalog")) and not (root / dep).exists():
            yield UserError(f"{where}: deps: {dep} does not exist", "mend the path, or take it off the stage")


def _shared_outputs(graph: Graph) -> Iterator[UserError]:
    counted = Counter(out for stage in graph.stages for out in stage.outs)
    for out, number in counted.items():
        if number > 1:
            writers = [stage.name for stage in graph.stages if out in stage.outs]
            yield UserError(f"{DVC_FILE}: {', '.join(writers)} all write {out}", "give each stage an output of its own")
