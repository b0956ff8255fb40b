"""`lingshu view`: runs as one folder of pages, for a browser."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lingshu.commands.catalogue import find_catalog
from lingshu.commands.evaluate import parse_wanted
from lingshu.commands.pipeline_run import pipeline_facts, pipeline_pictures, project_of
from lingshu.commands.scored_run import METRICS, REPORT, SCORES
from lingshu.core.errors import UserError
from lingshu.core.files import check_folder
from lingshu.inference.evaluate import RESPONSES, AskedBenchmark
from lingshu.inference.own_questions import read_own
from lingshu.inference.record import RUN_FILE, RunRecord, read_run

if TYPE_CHECKING:
    from lingshu.core.question import PictureFile
    from lingshu.report.viewer.build import Surroundings
    from lingshu.report.viewer.rows import RunInput
    from lingshu.report.viewer.scored_lines import Key
    from lingshu.report.viewer.scores import BenchmarkFacts

SHOWN_PROBLEMS = 20
PICTURED = ("multimodal", "report")
ADVICE = "its pictures are not given: pass --folder {name}=DIR, the folder of the benchmark's files"


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it was named: its `run.json`, if it has one, and the project that predicted it, if that lies around."""

    path: Path
    input: RunInput
    record: RunRecord | None = None
    project: Path | None = None

    def called(self, label: str) -> Run:
        """Return the run under another name."""
        return replace(self, input=replace(self.input, label=label))


def view(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="Folders of `lingshu eval`, or .jsonl files; NAME=PATH names one."),
    ],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the pages; open its index.html.")],
    folder: Annotated[
        list[str] | None, typer.Option(help="NAME=DIR: a benchmark's files, for its pictures; repeatable.")
    ] = None,
    questions: Annotated[
        list[Path] | None, typer.Option(help="A file of your own questions, for their pictures; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the official rules' random fall-back.")] = 0,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="Of intervals.")] = 0.95,
    picture_px: Annotated[int, typer.Option(min=32, help="Longest side of a picture.")] = 640,
) -> None:
    """Write a results viewer: leaderboard beside published scores, charts, and every answer with its verdicts."""
    # jinja2 and scipy take a second to import; `lingshu --help` needs neither
    from lingshu.report.viewer.build import ViewerSettings, build_viewer  # noqa: PLC0415

    check_folder(out.parent)
    found = find_runs(runs)
    around = _surroundings(found, folder or [], questions or [])
    built = build_viewer([run.input for run in found], around, ViewerSettings(seed, confidence, picture_px), out)
    for problem in built.problems[:SHOWN_PROBLEMS]:
        print(f"warning: {problem}", file=sys.stderr)
    if (hidden := len(built.problems) - SHOWN_PROBLEMS) > 0:
        print(f"warning: {hidden} more warnings about pictures", file=sys.stderr)
    typer.echo(f"{built.page}: {len(found)} runs, {built.rows:,} answers, {built.pictures:,} with a picture")


def find_runs(texts: Sequence[str]) -> list[Run]:
    """Return each run that is named; names that clash get their path.

    Raises:
        UserError: no such path, nothing to read in it, or two runs of the same name and path.
    """
    named = [_run(text) for text in texts]
    counts = Counter(run.input.label for run in named)
    found = [run.called(str(run.path)) if counts[run.input.label] > 1 else run for run in named]
    twice = [label for label, count in Counter(run.input.label for run in found).items() if count > 1]
    if twice:
        raise UserError(f"{twice[0]}: two runs of this name", "give them names of their own: NAME=PATH")
    return found


def _run(text: str) -> Run:
    from lingshu.report.viewer.rows import STRICT, RunInput  # noqa: PLC0415

    name, equals, rest = text.partition("=")
    path = Path(rest) if equals and not Path(text).exists() else Path(text)
    given = name if equals and not Path(text).exists() else ""
    if path.is_file():
        return Run(path, RunInput(given or path.stem, (path,)), project=project_of(path))
    if not path.is_dir():
        raise UserError(f"{path}: no such file or folder", "name a folder of `lingshu eval --out`, or a .jsonl file")
    scores = path / SCORES / STRICT
    reports = {found.parent.name: found.parent for found in sorted((path / SCORES / REPORT).glob(f"*/{METRICS}"))}
    if (path / RUN_FILE).exists():
        record = read_run(path)
        files = tuple(path / run.file for run in record.benchmarks.values())
        if gone := [file for file in files if not file.is_file()]:
            what = f"{gone[0]}: missing, although {path / RUN_FILE} names it"
            raise UserError(what, "run the same `lingshu eval` again: what is answered is not asked twice")
        return Run(path, RunInput(given or record.model, files, scores, reports, _about(record)), record)
    files = tuple(sorted(path.glob("*.jsonl"))) or tuple(sorted((path / RESPONSES).glob("*.jsonl")))
    if not files:
        raise UserError(f"{path}: neither {RUN_FILE} nor .jsonl files", "name a folder of `lingshu eval --out`")
    label = given or path.resolve().name
    return Run(path, RunInput(label, files, scores, reports), project=project_of(path))


def _about(record: RunRecord) -> dict[str, str]:
    settings = {key: value for key, value in record.settings.items() if value is not None}
    about = {"model": record.model, "revision": record.revision, "settings": json.dumps(settings, sort_keys=True)}
    return {key: value for key, value in about.items() if value}


def _surroundings(found: Sequence[Run], folders: Sequence[str], questions: Sequence[Path]) -> Surroundings:
    from lingshu.report.viewer.build import Surroundings  # noqa: PLC0415
    from lingshu.report.viewer.published import PUBLISHED_FILE, read_published  # noqa: PLC0415

    catalog = find_catalog()
    public = _facts(catalog)
    pictures, facts = dict(_pictures(folders, questions)), dict(public)
    for root in dict.fromkeys(run.project for run in found if run.project is not None):
        facts |= pipeline_facts(root)
        pictures |= pipeline_pictures(root)
    told = {name: of for name, of in _told(found).items() if name not in facts}
    advice = {name: ADVICE.format(name=name) for name, of in public.items() if of.suite in PICTURED}
    return Surroundings(facts | told, read_published(catalog / PUBLISHED_FILE), pictures, advice)


def _facts(catalog: Path) -> dict[str, BenchmarkFacts]:
    """Return what the catalogue says of each public benchmark."""
    from lingshu.benchmarks.public.catalog import read_public  # noqa: PLC0415
    from lingshu.report.viewer.scores import BenchmarkFacts  # noqa: PLC0415

    return {
        name: BenchmarkFacts(record.suite, record.title, record.paper, record.chance)
        for name, record in read_public(catalog).items()
    }


def _told(found: Sequence[Run]) -> dict[str, BenchmarkFacts]:
    """Return the suite of each benchmark whose run names one."""
    from lingshu.report.viewer.scores import BenchmarkFacts  # noqa: PLC0415

    return {
        name: BenchmarkFacts(str(of.record["suite"]))
        for run in found
        if run.record is not None
        for name, of in run.record.benchmarks.items()
        if "suite" in of.record
    }


def _pictures(folders: Sequence[str], questions: Sequence[Path]) -> Iterator[tuple[Key, Sequence[PictureFile]]]:
    """Yield the pictures of each question that has some."""
    for benchmark in _asked(folders, questions):
        for question in benchmark.questions:
            if question.pictures:
                yield (question.benchmark, question.id), question.pictures


def _asked(folders: Sequence[str], questions: Sequence[Path]) -> Iterator[AskedBenchmark]:
    if folders:
        from lingshu.commands.public_questions import find_public  # noqa: PLC0415

        names = ",".join(text.partition("=")[0] for text in folders)
        yield from find_public(parse_wanted("", names, folders, accept_rows=True)).benchmarks
    yield from (read_own(path) for path in questions)
