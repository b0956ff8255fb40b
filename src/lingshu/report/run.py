"""What was run: the parameters as they stand, how they differ from their recipe, and which sources are generated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu.core.params import PARAMS_FILE, differences, read_yaml

RECIPES = Path("recipes")


@dataclass(frozen=True, slots=True)
class Run:
    """The run's parameters; `changes` are `(dotted key, recipe's value, this run's)`, checkpoints in training order."""

    recipe: str
    seed: int
    changes: list[tuple[str, Any, Any]]
    enabled: list[str]
    generated: list[str]
    encoder: str | dict[str, Any]
    checkpoints: list[str]
    confidence: float


def read_run(root: Path) -> Run:
    """Return the run that params.yaml describes; its recipe need not exist any more."""
    values = read_yaml(root / PARAMS_FILE)
    path = root / RECIPES / f"{values['recipe']}.yaml"
    return Run(
        recipe=str(values["recipe"]),
        seed=int(values["seed"]),
        changes=differences(read_yaml(path), values) if path.exists() else [],
        enabled=[*values["sources"]["enabled"], *values["sources"]["opt_in"]],
        generated=list(values["sources"]["generated"]),
        encoder=values["modality"]["encoder"],
        checkpoints=list(values["inference"]["suites"]),
        confidence=float(values["evalkit"]["score"]["confidence"]),
    )
