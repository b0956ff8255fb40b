"""What each training stage saw: rows, distinct samples, tasks and origin of every group of its mixture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lingshu.core.errors import UserError
from lingshu.core.layout import MIXTURES
from lingshu.core.tables import sample_table

TRAINING_STAGES = ["shallow", "deep", "instruct", "reinforce"]


@dataclass(frozen=True, slots=True)
class Group:
    """One group of a mixture. `rows` counts repeats; `example` is the id of a sample in it."""

    stage: str
    name: str
    rows: int
    samples: int
    pictures: int
    tasks: tuple[str, ...]
    sources: tuple[str, ...]
    example: str


def mixture_groups(root: Path, stages: list[str]) -> list[Group]:
    """Return the groups of the stages' mixtures, in stage order and then by falling number of rows."""
    return [group for stage in stages for group in _stage_groups(root, stage)]


def _stage_groups(root: Path, stage: str) -> list[Group]:
    mixture = pl.read_parquet(root / MIXTURES / stage / "mixture.parquet")
    samples = sample_table(root / folder for folder in sorted(set(mixture["folder"]))).unique("sample_id")
    joined = mixture.join(samples.select("sample_id", "task", "image_ids"), on="sample_id").sort("position")
    if len(joined) < len(mixture):
        lost = f"{len(mixture) - len(joined)} rows are of samples that are no longer there"
        raise UserError(f"{MIXTURES / stage}: {lost}", "run `dvc repro` to make the mixture again")
    groups = [_group(stage, str(key[0]), rows) for key, rows in joined.group_by("group", maintain_order=True)]
    return sorted(groups, key=lambda group: (-group.rows, group.name))


def _group(stage: str, name: str, rows: pl.DataFrame) -> Group:
    return Group(
        stage=stage,
        name=name,
        rows=len(rows),
        samples=rows["sample_id"].n_unique(),
        pictures=rows["image_ids"].explode().drop_nulls().n_unique(),
        tasks=tuple(sorted(set(rows["task"].to_list()))),
        sources=tuple(sorted(set(rows["source"].to_list()))),
        example=str(min(rows["sample_id"].to_list())),
    )
