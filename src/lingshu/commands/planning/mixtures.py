"""What each training stage would see: drawn from the samples where they are, else counted from the catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lingshu.config import Recipe
from lingshu.core.layout import MODALITY, SAMPLES, verdict_file
from lingshu.mix.amounts import apportion
from lingshu.mix.params import STAGES, GroupParams, StageMix
from lingshu.mix.plan import Part, check_sources, check_tasks, parts_of, plan_mixture, stratum_rows
from lingshu.mix.pool import NO_PICTURE, SYNTHETIC_PREFIX, read_pool
from lingshu.mix.splits import check_listed, held_out_rows
from lingshu.sources.catalog import SOURCES_FOLDER, SourceRecord, read_source

SEVERAL = "several kinds"
MADE = "made here"


@dataclass(frozen=True, slots=True)
class Origin:
    """One source of a line: samples to draw from (None: nobody knows), how that is known, and rows it gives."""

    source: str
    available: int | None
    known: str
    rows: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """One group, or one source of a group whose sources have amounts of their own.

    Attributes:
        available: samples to draw from; None where nobody knows.
        rows: rows it gives.
        origins: its sources, one by one.
    """

    stage: str
    group: str
    sources: tuple[str, ...]
    params: GroupParams
    available: int | None
    rows: int
    origins: tuple[Origin, ...]

    @property
    def repeats(self) -> float | None:
        """How often a sample is shown, on average."""
        return self.rows / self.available if self.available else None

    @property
    def short(self) -> bool:
        """Whether fewer rows exist than are asked for."""
        return self.available is not None and self.rows > self.available * self.params.max_repeats


@dataclass(frozen=True, slots=True)
class StagePlan:
    """A stage's lines, its rows by modality, and those of each held-out split that is let in (None: nobody knows)."""

    stage: str
    lines: tuple[Line, ...]
    modalities: dict[str, int]
    held_out: dict[str, int | None]

    @property
    def rows(self) -> int:
        """Rows of the whole mixture."""
        return sum(line.rows for line in self.lines)


def stage_plans(recipe: Recipe, root: Path) -> list[StagePlan]:
    """Return the plan of every stage.

    Raises:
        UserError: amounts that do not fit, a source that is not enabled, has no record or none of a group's tasks,
            groups that share samples; where samples are there, also a group that asks for more than exist.
    """
    sources, held_out = recipe.sources.in_use, recipe.sources.benchmark_splits_in_training
    check_listed(held_out, sources)
    recipes: list[str] = [*recipe.synthesis.enabled]
    records = {name: read_source(name, root / SOURCES_FOLDER) for name in sources}
    mixtures = {stage: recipe.mix.stage(stage).switched(sources) for stage in STAGES}
    for stage, mixture in mixtures.items():
        check_sources(stage, mixture.groups, sources, recipes)
        check_tasks(stage, mixture.groups, {name: record.tasks for name, record in records.items()})
    if is_drawn(recipe, root):
        pool = read_pool(sources, recipes, root, kinds=True, held_out=held_out)
        return [
            _drawn(stage, mixture, pool, recipe.mix.seed, lambda rows: held_out_rows(rows, held_out, root))
            for stage, mixture in mixtures.items()
        ]
    return [_expected(stage, mixture, records, held_out) for stage, mixture in mixtures.items()]


def is_drawn(recipe: Recipe, root: Path) -> bool:
    """Return whether the samples of all sources are there and were judged."""
    judged = [verdict_file("decontaminate"), verdict_file("verify"), MODALITY / "predictions.parquet"]
    folders = [SAMPLES / source for source in recipe.sources.in_use]
    return all((root / path).exists() for path in (*judged, *folders))


def _drawn(
    stage: str, mixture: StageMix, pool: pl.DataFrame, seed: int, held_out: Callable[[pl.DataFrame], dict[str, int]]
) -> StagePlan:
    rows, _ = plan_mixture(stage, mixture, pool, seed)
    taken = _by_origin(rows)
    lines = []
    for part in parts_of(stage, mixture):
        cells = pool.filter(pl.col("task").is_in(list(part.params.tasks)))
        if part.params.topics is not None:
            cells = cells.filter(pl.col("topic").is_in(part.params.topics))
        there = dict(cells.group_by("source").len().iter_rows())
        origins = tuple(
            Origin(source, there.get(source, 0), "drawn", taken.get((part.group, source), 0)) for source in part.sources
        )
        total = sum(there.get(source, 0) for source in part.sources)
        lines.append(Line(stage, part.group, part.sources, part.params, total, part.rows, origins))
    kinds = rows["kind"].value_counts().sort("kind")
    return StagePlan(stage, tuple(lines), dict(kinds.iter_rows()), {**held_out(rows)})


def _by_origin(rows: pl.DataFrame) -> dict[tuple[str, str], int]:
    return {(group, source): number for group, source, number in rows.group_by("group", "source").len().iter_rows()}


def _expected(stage: str, mixture: StageMix, records: dict[str, SourceRecord], held_out: Sequence[str]) -> StagePlan:
    modalities: Counter[str] = Counter()
    lines = []
    for part in parts_of(stage, mixture):
        found = {source: expected_rows(source, records) for source in part.sources}
        known = {source: size for source, (size, _) in found.items() if size is not None}
        total = sum(known.values()) if len(known) == len(found) else None
        taken = _as_available(part, known) if total is not None and part.params.balance is None else {}
        alone = {part.sources[0]: part.rows} if len(part.sources) == 1 else {}
        origins = tuple(Origin(s, size, way, (taken | alone).get(s)) for s, (size, way) in found.items())
        lines.append(Line(stage, part.group, part.sources, part.params, total, part.rows, origins))
        modalities.update(_modality_rows(part, known, records))
    return StagePlan(stage, tuple(lines), dict(sorted(modalities.items())), dict.fromkeys(held_out))


def _as_available(part: Part, sizes: dict[str, int]) -> dict[str, int]:
    """Return the part's rows by source, in the proportions of what is available."""
    return apportion(part.rows, {source: float(size) for source, size in sizes.items()})


def expected_rows(source: str, records: dict[str, SourceRecord]) -> tuple[int | None, str]:
    """Return how many rows a source is said to have, before any gate, and how that is known.

    Where only pictures were counted nobody knows: each may be asked several questions.
    """
    if source.startswith(SYNTHETIC_PREFIX):
        return None, MADE
    expected = records[source].expected
    return (expected.rows, expected.known) if expected.rows and expected.known != "unknown" else (None, "unknown")


def kind_of(source: str, records: dict[str, SourceRecord]) -> str:
    """Return the imaging kind of a source's samples, as far as its record tells."""
    if source.startswith(SYNTHETIC_PREFIX):
        return SEVERAL
    record = records[source]
    if len(record.modalities) == 1:
        return record.modalities[0]
    return SEVERAL if record.modalities or any(form.pictures for form in record.forms) else NO_PICTURE


def _modality_rows(part: Part, known: dict[str, int], records: dict[str, SourceRecord]) -> dict[str, int]:
    """Return the part's rows by imaging kind, sources of unknown size left to `several kinds`."""
    sizes: Counter[str] = Counter()
    for source, size in known.items():
        sizes[kind_of(source, records)] += size
    if not sizes:
        return {
            SEVERAL if any(kind_of(source, records) != NO_PICTURE for source in part.sources) else NO_PICTURE: part.rows
        }
    balance = part.params.balance
    if balance is not None and "modality" in balance.over:
        found = stratum_rows(part.rows, dict(sizes), balance, part.params)
        return found | {SEVERAL: found.get(SEVERAL, 0) + part.rows - sum(found.values())}
    return apportion(part.rows, {kind: float(size) for kind, size in sizes.items()})
