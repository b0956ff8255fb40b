"""Which weights a stage trains: the three parts of the model, freezing by part, and the table that proves it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from torch.nn import Parameter

from lingshu.modeling.load import Model
from lingshu.modeling.params import PARTS, Part

PROJECTOR = "model.visual.merger."
VISION = "model.visual."
LANGUAGE = ("model.language_model.", "lm_head.")


@dataclass(frozen=True, slots=True)
class PartSize:
    """Number of weights of one part, and how many of them are trained."""

    total: int
    trained: int


def part_of(name: str) -> Part:
    """Return the part a parameter belongs to: the vision tower, the projector (its patch merger) or the LLM.

    Raises:
        ValueError: the name fits no part, so the architecture is not the one this code knows.
    """
    if name.startswith(PROJECTOR):
        return "projector"
    if name.startswith(VISION):
        return "vision"
    if name.startswith(LANGUAGE):
        return "llm"
    raise ValueError(f"parameter {name!r} belongs to none of {', '.join(PARTS)}")


def freeze_all_but(model: Model, trainable: Sequence[Part]) -> dict[Part, PartSize]:
    """Let only the parts in `trainable` be trained; return the sizes of all parts.

    Raises:
        AssertionError: a weight is trained that the declaration does not name, or a named part has none.
    """
    for name, weight in model.named_parameters():
        weight.requires_grad_(part_of(name) in trainable)
    sizes = part_sizes(model)
    for part, size in sizes.items():
        expected = size.total if part in trainable else 0
        assert size.trained == expected, f"{part}: {size.trained} weights are trained, declared are {expected}"
        assert size.total, f"{part}: the model has no such weights"
    return sizes


def part_sizes(model: Model) -> dict[Part, PartSize]:
    """Return total and trained weights of each part (tied weights counted once)."""
    total = dict.fromkeys(PARTS, 0)
    trained = dict.fromkeys(PARTS, 0)
    for name, weight in model.named_parameters():
        part = part_of(name)
        total[part] += weight.numel()
        trained[part] += weight.numel() if weight.requires_grad else 0
    return {part: PartSize(total[part], trained[part]) for part in PARTS}


def trained_by_part(model: Model) -> dict[Part, list[tuple[str, Parameter]]]:
    """Return the trained parameters of each part with their names, in model order; parts without any are left out."""
    found: dict[Part, list[tuple[str, Parameter]]] = {}
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            found.setdefault(part_of(name), []).append((name, weight))
    return found


def print_sizes(title: str, sizes: dict[Part, PartSize], rates: dict[Part, float]) -> None:
    """Print the table of parts: weights, trained weights, learning rate."""
    table = Table(title=title, title_justify="left")
    for heading in ("part", "weights", "trained", "learning rate"):
        table.add_column(heading, justify="left" if heading == "part" else "right")
    for part, size in sizes.items():
        rate = f"{rates[part]:g}" if size.trained else "frozen"
        table.add_row(part, f"{size.total:,}", f"{size.trained:,}", rate)
    _total(table, sizes.values())
    Console(width=80).print(table)


def _total(table: Table, sizes: Iterable[PartSize]) -> None:
    rows = list(sizes)
    table.add_row("all", f"{sum(s.total for s in rows):,}", f"{sum(s.trained for s in rows):,}", "")
