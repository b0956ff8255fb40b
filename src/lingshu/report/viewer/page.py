"""The viewer's page: tables and charts are drawn here, single answers by the script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from lingshu.evalkit.scored import ELSEWHERE
from lingshu.report.charts import SERIES_COLOURS
from lingshu.report.page import environment
from lingshu.report.viewer.bars import BarGroup, IntervalBar, interval_bars
from lingshu.report.viewer.chunks import GroupWriter
from lingshu.report.viewer.published import METRIC_TITLES, PublishedRow
from lingshu.report.viewer.rows import OFFICIAL, RunInput
from lingshu.report.viewer.scores import BenchmarkFacts, Cell, Line, RunScores, leaderboard, suites

TEMPLATE, STYLE, SCRIPT = "viewer/page.html", "viewer/viewer.css", "viewer/viewer.js"
SHOWN_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class PageData:
    """All that the page is made of."""

    runs: Sequence[RunInput]
    scores: Sequence[RunScores]
    groups: Mapping[tuple[int, str], GroupWriter]
    facts: Mapping[str, BenchmarkFacts]
    published: Sequence[PublishedRow]
    confidence: float
    problems: Sequence[str]

    @property
    def benchmarks(self) -> list[str]:
        """Names of all benchmarks, in the order of the runs."""
        return list(dict.fromkeys(name for _, name in self.groups))


@dataclass(frozen=True, slots=True)
class PublishedLine:
    """Printed scores of one model from one source, in the order of the columns; `mean` only if none is missing."""

    model: str
    source: int
    cells: tuple[float | None, ...]
    mean: float | None


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """Published rows of a suite.

    Attributes:
        columns: (paper's name, metric's title).
        shared: columns that several of our benchmarks share (a split is not stated, or sets are pooled).
        sources: (source, protocols), numbered from 1 in the lines.
    """

    columns: Sequence[tuple[str, str]]
    shared: Sequence[str]
    lines: Sequence[PublishedLine]
    sources: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Caution:
    """Why the strict and the official number of a run on a benchmark can't be compared."""

    run: str
    benchmark: str
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class ReportTable:
    """Metrics of the reports of one benchmark; a line is a run, its number of reports, and a value for each metric."""

    benchmark: str
    metrics: Sequence[str]
    lines: Sequence[tuple[str, int, Sequence[float | None]]]


@dataclass(frozen=True, slots=True)
class SuitePart:
    """One suite's part of the page."""

    name: str
    benchmarks: Sequence[str]
    lines: Sequence[Line]
    chart: Markup
    modalities: Sequence[tuple[str, Markup]]
    published: PublishedTable | None
    gaps: Sequence[Caution]
    reports: Sequence[ReportTable]

    @property
    def marked(self) -> set[tuple[str, str]]:
        """(run, benchmark) of each official number that stands beside a strict one of another sort."""
        return {(gap.run, gap.benchmark) for gap in self.gaps}

    @property
    def marked_runs(self) -> set[str]:
        """Runs that have such a number, so that their official means are marked, too."""
        return {gap.run for gap in self.gaps}

    @property
    def elsewhere(self) -> dict[str, int]:
        """If no line has a number: why not, and for how many answers; empty if one has."""
        cells = [cell for line in self.lines for cell in line.cells if cell and line.track != OFFICIAL]
        if any(cell["n"] or "rubric" in cell for line in self.lines for cell in line.cells if cell):
            return {}
        reasons: Counter[str] = Counter()
        for cell in cells:
            reasons.update(cell["unscored"]["reasons"])
        return {ELSEWHERE.get(rule, rule): count for rule, count in sorted(reasons.items())}


def script() -> str:
    """Return the page's script."""
    return _source(SCRIPT)


def _source(name: str) -> str:
    made = environment()
    assert made.loader is not None
    return made.loader.get_source(made, name)[0]


def render_page(data: PageData) -> str:
    """Return the page; every text of a run or model is escaped."""
    parts = [_part(name, names, data) for name, names in suites(data.benchmarks, data.facts).items()]
    return (
        environment()
        .get_template(TEMPLATE)
        .render(
            style=Markup(_source("style.css") + _source(STYLE)),
            parts=parts,
            runs=[(run.label, run.about, number % SERIES_COLOURS) for number, run in enumerate(data.runs)],
            facts=data.facts,
            confidence=data.confidence,
            problems=data.problems[:SHOWN_PROBLEMS],
            more_problems=max(0, len(data.problems) - SHOWN_PROBLEMS),
            manifest=_manifest(data),
            colours=SERIES_COLOURS,
            official=OFFICIAL,
        )
    )


def _manifest(data: PageData) -> dict[str, Any]:
    """Return what the script knows before it loads anything."""
    groups = [
        {
            "run": run,
            "benchmark": benchmark,
            "folder": f"g{group.number:03d}",
            "rows": len(group.ids),
        }
        for (run, benchmark), group in data.groups.items()
    ]
    runs = [{"label": scores.label, "tracks": scores.tracks()} for scores in data.scores]
    return {"runs": runs, "groups": groups}


def _part(name: str, benchmarks: Sequence[str], data: PageData) -> SuitePart:
    lines = leaderboard(data.scores, benchmarks, data.confidence)
    groups = [
        BarGroup(
            benchmark,
            data.facts[benchmark].chance if benchmark in data.facts else None,
            [_bar(line, cell) for line in lines if (cell := line.cells[place]) is not None and cell["n"]],
        )
        for place, benchmark in enumerate(benchmarks)
    ]
    groups = [group for group in groups if group.bars]
    chart = interval_bars(groups, f"Accuracy by benchmark, {name}") if groups else Markup("")
    return SuitePart(
        name,
        benchmarks,
        lines,
        chart,
        list(_modalities(benchmarks, data)),
        _published(benchmarks, data),
        list(_gaps(benchmarks, data)),
        list(_reports(benchmarks, data)),
    )


def _gaps(benchmarks: Sequence[str], data: PageData) -> Iterator[Caution]:
    for benchmark in benchmarks:
        for run in data.scores:
            if (gap := run.gaps.get(benchmark)) and (reasons := list(gap.sentences())):
                yield Caution(run.label, benchmark, reasons)


def _reports(benchmarks: Sequence[str], data: PageData) -> Iterator[ReportTable]:
    for benchmark in benchmarks:
        found = [(run.label, run.reports[benchmark]) for run in data.scores if benchmark in run.reports]
        metrics = list(dict.fromkeys(name for _, scores in found for name in scores.metrics))
        if metrics:
            lines = [(label, of.samples, [of.metrics.get(name) for name in metrics]) for label, of in found]
            yield ReportTable(benchmark, metrics, lines)


def _bar(line: Line, cell: Cell) -> IntervalBar:
    style = f"c{line.run % SERIES_COLOURS}" + (" light" if line.track.endswith(OFFICIAL) else "")
    title = (
        f"{line.label}, {line.track}: {cell['accuracy']:.1%} ({cell['low']:.1%}–{cell['high']:.1%}), n {cell['n']:,}"
    )
    return IntervalBar(cell["accuracy"], cell["low"], cell["high"], style, title)


def _modalities(benchmarks: Sequence[str], data: PageData) -> Iterator[tuple[str, Markup]]:
    """Yield a chart for each benchmark whose rows name modalities."""
    for benchmark in benchmarks:
        bars: dict[str, list[IntervalBar]] = {}
        for number, run in enumerate(data.scores):
            for track in run.tracks():
                for name, tally in sorted(run.parts.get((track, benchmark), {}).items()):
                    cell = tally.cell(data.confidence)
                    if cell["n"]:
                        line = Line(number, run.label, track, (), None, None)
                        bars.setdefault(name, []).append(_bar(line, cell))
        if bars:
            groups = [BarGroup(name, None, found) for name, found in sorted(bars.items())]
            yield benchmark, interval_bars(groups, f"Accuracy by modality, {benchmark}")


def _published(benchmarks: Sequence[str], data: PageData) -> PublishedTable | None:
    papers = {data.facts[name].paper for name in benchmarks if name in data.facts} - {""}
    rows = [row for row in data.published if row.benchmark in papers]
    if not rows:
        return None
    order = [data.facts[name].paper for name in benchmarks if name in data.facts]
    columns = sorted(dict.fromkeys((row.benchmark, row.metric) for row in rows), key=lambda key: order.index(key[0]))
    sources = list(dict.fromkeys(row.source for row in rows))
    found: dict[tuple[str, str], dict[tuple[str, str], float]] = {}
    for row in rows:
        found.setdefault((row.model, row.source), {})[row.benchmark, row.metric] = row.score
    lines = [
        _published_line(model, sources.index(source) + 1, [cells.get(column) for column in columns])
        for (model, source), cells in found.items()
    ]
    uses = Counter(facts.paper for facts in data.facts.values())
    return PublishedTable(
        [(paper, METRIC_TITLES[metric]) for paper, metric in columns],
        [paper for paper in dict.fromkeys(order) if paper and uses[paper] > 1],
        lines,
        [(source, sorted({row.protocol for row in rows if row.source == source})) for source in sources],
    )


def _published_line(model: str, source: int, cells: list[float | None]) -> PublishedLine:
    scores = [cell for cell in cells if cell is not None]
    whole = len(scores) == len(cells) and len(cells) > 1
    return PublishedLine(model, source, tuple(cells), sum(scores) / len(scores) if whole else None)
