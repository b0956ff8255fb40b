"""The report's part on data: sources, the funnel drawn and in numbers, mixtures, licences."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
from markupsafe import Markup

from lingshu.core.layout import CATALOG, IMAGES, SAMPLES
from lingshu.core.params import read_yaml
from lingshu.core.sample import sample_parts
from lingshu.report.charts import SERIES_COLOURS, Bar, Segment, number_text, stacked_bars
from lingshu.report.funnel import HELD_OUT, Step
from lingshu.report.mixtures import Group
from lingshu.report.pictures import UNTAGGED

HALF_WIDTH = 380
FUNNEL_LABEL = 122


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source: what the catalogue says of it, and how much of it there is."""

    name: str
    title: str
    generated: bool
    pictures: int
    groups: int
    samples: int
    held_out: int


def source_lines(root: Path, sources: list[str], generated: list[str]) -> list[SourceLine]:
    """Return a line for each source, in the order of params."""
    return [_source_line(root, name, name in generated) for name in sources]


def _source_line(root: Path, name: str, generated: bool) -> SourceLine:
    record = read_yaml(root / CATALOG / f"sources/{name}.yaml")
    columns = ["sample_id", "split", "group_id"]
    samples = pl.concat([pl.read_parquet(part, columns=columns) for part in sample_parts([root / SAMPLES / name])])
    index = root / IMAGES / name / "index.parquet"
    pictures = pl.read_parquet(index, columns=["image_id"])["image_id"].n_unique() if index.exists() else 0
    return SourceLine(
        name=name,
        title=str(record["title"]),
        generated=generated,
        pictures=pictures,
        groups=samples["group_id"].n_unique(),
        samples=len(samples),
        held_out=len(samples.filter(pl.col("split") == "test")),
    )


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of imaging of one source: distinct pictures and groups for training, and held out."""

    modality: str
    source: str
    pictures: int
    groups: int
    held_out_pictures: int
    held_out_groups: int


def kinds(index: pl.DataFrame) -> list[Kind]:
    """Return the kinds of imaging in a picture index, by source and name."""
    facts = pl.col("facts").str.json_path_match("$.modality").fill_null(UNTAGGED)
    counted = (
        index.with_columns(modality=facts, held=pl.col("split") == "test")
        .group_by("source", "modality", "held")
        .agg(pictures=pl.col("image_id").n_unique(), groups=pl.col("group_id").n_unique())
    )
    sizes = {(s, m, held): (pictures, groups) for s, m, held, pictures, groups in counted.iter_rows()}
    return [
        Kind(
            modality,
            source,
            *sizes.get((source, modality, False), (0, 0)),
            *sizes.get((source, modality, True), (0, 0)),
        )
        for source, modality in sorted({(source, modality) for source, modality, _ in sizes})
    ]


def funnel_charts(steps: list[Step]) -> list[tuple[str, Markup]]:
    """Return `(source, chart)` for each source: a bar per step, kept, held out and dropped."""
    charts = []
    for source in dict.fromkeys(step.source for step in steps):
        bars = [Bar(step.name, _segments(step), number_text(step.kept)) for step in steps if step.source == source]
        drawing = stacked_bars(bars, f"Samples of {source} by step", HALF_WIDTH, FUNNEL_LABEL)
        charts.append((source, drawing))
    return charts


def _segments(step: Step) -> list[Segment]:
    held = step.dropped.get(HELD_OUT, 0)
    lost = {reason: number for reason, number in step.dropped.items() if reason != HELD_OUT and number}
    why = ", ".join(f"{reason} {number}" for reason, number in lost.items())
    return [
        Segment(step.kept, "kept", f"{step.name}: {step.kept} kept"),
        Segment(held, "held", f"{held} held out for evaluation"),
        Segment(sum(lost.values()), "dropped", f"{step.name}: dropped {why}"),
    ]


def mixture_chart(groups: list[Group]) -> Markup:
    """Return one bar per training stage, a segment per group, coloured by the sources it draws from."""
    styles = dict(mixture_legend(groups))
    bars = []
    for stage in dict.fromkeys(group.stage for group in groups):
        own = sorted((group for group in groups if group.stage == stage), key=_origin)
        parts = [Segment(g.rows, styles[_origin(g)], f"{g.name}: {g.rows} rows of {_origin(g)}") for g in own]
        bars.append(Bar(stage, parts, number_text(sum(group.rows for group in own))))
    return stacked_bars(bars, "Rows of each training stage's mixture, by group", label_width=FUNNEL_LABEL)


def mixture_legend(groups: list[Group]) -> list[tuple[str, str]]:
    """Return `(sources, CSS class)` as `mixture_chart` colours them."""
    origins = sorted({_origin(group) for group in groups})
    return [(origin, f"c{place % SERIES_COLOURS}") for place, origin in enumerate(origins)]


def _origin(group: Group) -> str:
    return " + ".join(group.sources)
