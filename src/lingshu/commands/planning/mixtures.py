"""What each training stage would see: drawn from the samples where they are, else counted from the catalogue."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lingshu.config import Recipe
from lingshu.core.layout import MODALITY, SAMPLES, verdict_file
from lingshu.mix.params import STAGES, GroupParams, StageMix
from lingshu.mix.plan import Part, check_sources, parts_of, plan_mixture, stratum_rows
from lingshu.mix.pool import NO_PICTURE, SYNTHETIC_PREFIX, read_pool
from lingshu.sources.catalog import SOURCES_FOLDER, SourceRecord, read_source

SEVERAL = "several kinds"
MADE = "made here"


@dataclass(frozen=True, slots=True)
class Line:
    """One group, or one source of a group whose sources have amounts of their own.

    Attributes:
        available: samples to draw from; None where nobody knows.
        known: how `available` is known: drawn, counted, published, from memory, unknown.
        rows: rows it gives.
        cap: rows it can give at most, of what is available.
    """

    stage: str
    group: str
    sources: tuple[str, ...]
    params: GroupParams
    available: int | None
    known: str
    rows: int

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
    """A stage's lines, and its rows by modality."""

    stage: str
    lines: tuple[Line, ...]
    modalities: dict[str, int]

    @property
    def rows(self) -> int:
        """Rows of the whole mixture."""
        return sum(line.rows for line in self.lines)


def stage_plans(recipe: Recipe, root: Path) -> list[StagePlan]:
    """Return the plan of every stage.

    Raises:
        UserError: amounts that do not fit, a source that is not enabled or has no record; where samples are there, also
            a group that asks for more than exist.
    """
    sources = recipe.sources.enabled
    recipes: list[str] = [*recipe.synthesis.enabled]
    for stage in STAGES:
        check_sources(stage, recipe.mix.stage(stage).groups, sources, recipes)
    if is_drawn(recipe, root):
        pool = read_pool(sources, recipes, root, kinds=True)
        return [_drawn(stage, recipe.mix.stage(stage), pool, recipe.mix.seed) for stage in STAGES]
    records = {name: read_source(name, root / SOURCES_FOLDER) for name in sources}
    return [_expected(stage, recipe.mix.stage(stage), records) for stage in STAGES]


def is_drawn(recipe: Recipe, root: Path) -> bool:
    """Return whether the samples of all sources are there and were judged."""
    judged = [verdict_file("decontaminate"), verdict_file("verify"), MODALITY / "predictions.parquet"]
    folders = [SAMPLES / source for source in recipe.sources.enabled]
    return all((root / path).exists() for path in (*judged, *folders))


def _drawn(stage: str, mixture: StageMix, pool: pl.DataFrame, seed: int) -> StagePlan:
    rows, available = plan_mixture(stage, mixture, pool, seed)
    lines = []
    for part in parts_of(stage, mixture):
        there = available[part.group]
        if part.params.amounts is not None:
            there = len(
                pool.filter(pl.col("source").is_in(part.sources), pl.col("task").is_in(list(part.params.tasks)))
            )
        lines.append(Line(stage, part.group, part.sources, part.params, there, "drawn", part.rows))
    kinds = rows["kind"].value_counts().sort("kind")
    return StagePlan(stage, tuple(lines), dict(kinds.iter_rows()))


def _expected(stage: str, mixture: StageMix, records: dict[str, SourceRecord]) -> StagePlan:
    modalities: Counter[str] = Counter()
    lines = []
    for part in parts_of(stage, mixture):
        sizes = {source: expected_rows(source, records) for source in part.sources}
        known = {source: size for source, (size, _) in sizes.items() if size is not None}
        ways = {way for _, way in sizes.values()}
        lines.append(
            Line(
                stage, part.group, part.sources, part.params,
                sum(known.values()) if len(known) == len(sizes) else None, " and ".join(sorted(ways)), part.rows,
            )
        )  # fmt: skip
        modalities.update(_modality_rows(part, known, records))
    return StagePlan(stage, tuple(lines), dict(sorted(modalities.items())))


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
    kinds = records[source].modalities
    return kinds[0] if len(kinds) == 1 else SEVERAL if kinds else NO_PICTURE


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
    whole = sum(sizes.values())
    rows = {kind: part.rows * size // whole for kind, size in sizes.items()}
    largest = max(sizes, key=lambda kind: (sizes[kind], kind))
    return rows | {largest: rows[largest] + part.rows - sum(rows.values())}
