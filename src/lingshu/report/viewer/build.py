"""Writing the viewer: one pass over the responses, then the page.

OUT/index.html    leaderboard, charts, and the sample browser
OUT/viewer.js     what the page does
OUT/data/         rows in chunks that the page loads when they are looked at
OUT/pictures/     pictures of the questions, as far as they could be had
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lingshu.core.errors import UserError
from lingshu.core.files import fresh_dir, write_bytes, write_text
from lingshu.core.question import PictureFile
from lingshu.report.viewer.chunks import GroupWriter
from lingshu.report.viewer.page import PageData, render_page, script
from lingshu.report.viewer.pictures import Keeper, NamedPicture
from lingshu.report.viewer.published import PublishedRow
from lingshu.report.viewer.report_scores import ReportScores, read_report_scores
from lingshu.report.viewer.rows import RunInput, read_rows
from lingshu.report.viewer.scored_lines import Key
from lingshu.report.viewer.scores import BenchmarkFacts, RunScores

DATA = "data"
PAGE, SCRIPT = "index.html", "viewer.js"


@dataclass(frozen=True, slots=True)
class ViewerSettings:
    """How responses are scored and shown.

    Attributes:
        seed: of the official rules' random fall-back.
        confidence: of intervals.
        picture_px: longest side of a picture.
    """

    seed: int = 0
    confidence: float = 0.95
    picture_px: int = 640


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known beside the runs.

    Attributes:
        benchmarks: facts, in the order in which benchmarks are shown.
        published: rows of `catalog/published.csv`.
        pictures: by (benchmark, id).
        advice: by benchmark, what to do if none of its pictures was given.
    """

    benchmarks: Mapping[str, BenchmarkFacts] = field(default_factory=dict)
    published: Sequence[PublishedRow] = ()
    pictures: Mapping[Key, Sequence[PictureFile]] = field(default_factory=dict)
    advice: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Built:
    """What was written: the page, numbers of rows and pictures, and what is wrong with pictures."""

    page: Path
    rows: int
    pictures: int
    problems: Sequence[str]


def build_viewer(runs: Sequence[RunInput], around: Surroundings, settings: ViewerSettings, out: Path) -> Built:
    """Write the viewer to `out`; what an earlier call wrote there is replaced once the new one is whole.

    Raises:
        UserError: `out` holds something else, or is the folder one is in; or a run can't be read (see `read_rows`).
    """
    if out.exists() and not _replaceable(out):
        raise UserError(f"{out}: holds something that is no viewer", "give a new folder as --out")
    place = out.resolve()  # a link is followed, not replaced
    if place == Path.cwd():
        raise UserError(f"{out}: is the folder that you are in, and --out is replaced as a whole", "give a new folder")
    new = fresh_dir(place.with_name(f".{place.name}.new"))
    try:
        built = _write(runs, around, settings, new)
    except BaseException:
        shutil.rmtree(new)
        raise
    if place.exists():
        shutil.rmtree(place)
    new.rename(place)
    return Built(out / PAGE, built.rows, built.pictures, built.problems)


def _replaceable(out: Path) -> bool:
    """Return whether `out` is an empty folder, or holds what this module writes and nothing else."""
    if not out.is_dir():
        return False
    names = {path.name for path in out.iterdir()}
    return not names or ({PAGE, SCRIPT} <= names <= {PAGE, SCRIPT, DATA, "pictures"})


def _write(runs: Sequence[RunInput], around: Surroundings, settings: ViewerSettings, folder: Path) -> Built:
    keeper = Keeper(folder, settings.picture_px)
    scores = [RunScores(run.label, _reports(run)) for run in runs]
    groups: dict[tuple[int, str], GroupWriter] = {}
    rows = pictures = 0
    pictured: set[str] = set()
    for number, run in enumerate(runs):
        for row in read_rows(run, settings.seed):
            named: list[PictureFile] = [NamedPicture(str(path)) for path in row.pictures]
            given = named or around.pictures.get((row.benchmark, row.item.id), ())
            kept = keeper.keep(given, f"{row.benchmark}, {row.item.id}")
            key = number, row.benchmark
            if key not in groups:
                groups[key] = GroupWriter(folder / DATA, len(groups))
            groups[key].add(row, kept, scores[number].metrics_of(row))
            scores[number].add(row)
            rows, pictures = rows + 1, pictures + len(kept)
            pictured |= {row.benchmark} if given else set()
    for group in groups.values():
        group.close()
    for name in dict.fromkeys(name for _, name in groups):
        if name in around.advice and name not in pictured:
            keeper.tell(f"{name}: {around.advice[name]}")
    data = PageData(runs, scores, groups, around.benchmarks, around.published, settings.confidence, keeper.problems)
    write_text(folder / SCRIPT, script())
    # Half a surrogate pair in a name has no UTF-8 form; the page shows it as "?".
    write_bytes(folder / PAGE, render_page(data).encode("utf-8", "replace"))
    return Built(folder / PAGE, rows, pictures, keeper.problems)


def _reports(run: RunInput) -> dict[str, ReportScores]:
    return {name: read_report_scores(folder) for name, folder in run.reports.items()}
