"""`lingshu view`: runs as one folder of pages, for a browser."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lingshu.commands.evaluate import parse_wanted
from lingshu.core.errors import UserError
from lingshu.inference.evaluate import RESPONSES, AskedBenchmark
from lingshu.inference.own_questions import read_own
from lingshu.inference.record import RUN_FILE, RunRecord, read_run

if TYPE_CHECKING:
    from lingshu.core.question import PictureFile
    from lingshu.report.viewer.build import Surroundings
    from lingshu.report.viewer.published import PublishedRow
    from lingshu.report.viewer.rows import Key, RunInput
    from lingshu.report.viewer.scores import BenchmarkFacts

SCORED = "scored"
SHOWN_PROBLEMS = 20


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
    # jinja2, scipy and numba take a second to import; `lingshu --help` needs none of them
    from lingshu.report.viewer.build import ViewerSettings, build_viewer  # noqa: PLC0415

    found = find_runs(runs)
    around = _surroundings(found, folder or [], questions or [])
    built = build_viewer([run for run, _ in found], around, ViewerSettings(seed, confidence, picture_px), out)
    for problem in built.problems[:SHOWN_PROBLEMS]:
        print(f"warning: picture not shown: {problem}", file=sys.stderr)
    if (hidden := len(built.problems) - SHOWN_PROBLEMS) > 0:
        print(f"warning: {hidden} more pictures are not shown", file=sys.stderr)
    typer.echo(f"{built.page}: {len(found)} runs, {built.rows:,} answers, {built.pictures:,} with a picture")


def find_runs(texts: Sequence[str]) -> list[tuple[RunInput, RunRecord | None]]:
    """Return each run with what its `run.json` says (None: it has none); names that clash get their path.

    Raises:
        UserError: no such path, nothing to read in it, or two runs of the same name and path.
    """
    named = [_run(text) for text in texts]
    counts = Counter(run.label for run, _, _ in named)
    found = [(_renamed(run, str(path)) if counts[run.label] > 1 else run, record) for run, record, path in named]
    twice = [label for label, count in Counter(run.label for run, _ in found).items() if count > 1]
    if twice:
        raise UserError(f"{twice[0]}: two runs of this name", "give them names of their own: NAME=PATH")
    return found


def _run(text: str) -> tuple[RunInput, RunRecord | None, Path]:
    from lingshu.report.viewer.rows import RunInput  # noqa: PLC0415

    name, equals, rest = text.partition("=")
    path = Path(rest) if equals and not Path(text).exists() else Path(text)
    given = name if equals and not Path(text).exists() else ""
    if path.is_file():
        return RunInput(given or path.stem, (path,)), None, path
    if not path.is_dir():
        raise UserError(f"{path}: no such file or folder", "name a folder of `lingshu eval --out`, or a .jsonl file")
    scored = tuple(sorted((path / SCORED).glob("*.jsonl")))
    if (path / RUN_FILE).exists():
        record = read_run(path)
        files = tuple(path / run.file for run in record.benchmarks.values())
        return RunInput(given or record.model, files, scored, _about(record)), record, path
    files = tuple(sorted(path.glob("*.jsonl"))) or tuple(sorted((path / RESPONSES).glob("*.jsonl")))
    if not files:
        raise UserError(f"{path}: neither {RUN_FILE} nor .jsonl files", "name a folder of `lingshu eval --out`")
    return RunInput(given or path.resolve().name, files, scored), None, path


def _renamed(run: RunInput, label: str) -> RunInput:
    return replace(run, label=label)


def _about(record: RunRecord) -> dict[str, str]:
    settings = {key: value for key, value in record.settings.items() if value is not None}
    about = {"model": record.model, "revision": record.revision, "settings": json.dumps(settings, sort_keys=True)}
    return {key: value for key, value in about.items() if value}


def _surroundings(
    found: Sequence[tuple[RunInput, RunRecord | None]], folders: Sequence[str], questions: Sequence[Path]
) -> Surroundings:
    from lingshu.commands.public_questions import find_catalog  # noqa: PLC0415
    from lingshu.report.viewer.build import Surroundings  # noqa: PLC0415

    pictures = dict(_pictures(folders, questions))
    catalog = find_catalog()
    if catalog is None:
        print("warning: no catalog/ here or above: no published scores are shown", file=sys.stderr)
        return Surroundings(_told(found), (), pictures)
    known = _facts(catalog)
    return Surroundings(
        known | {n: f for n, f in _told(found).items() if n not in known}, _published(catalog), pictures
    )


def _published(catalog: Path) -> list[PublishedRow]:
    from lingshu.report.viewer.published import PUBLISHED_FILE, read_published  # noqa: PLC0415

    return read_published(catalog / PUBLISHED_FILE)


def _facts(catalog: Path) -> dict[str, BenchmarkFacts]:
    """Return what the catalogue says of each public benchmark."""
    from lingshu.benchmarks.public.catalog import read_public  # noqa: PLC0415
    from lingshu.report.viewer.scores import BenchmarkFacts  # noqa: PLC0415

    return {
        name: BenchmarkFacts(record.suite, record.title, record.paper, record.chance)
        for name, record in read_public(catalog).items()
    }


def _told(found: Sequence[tuple[RunInput, RunRecord | None]]) -> dict[str, BenchmarkFacts]:
    """Return the suite of each benchmark whose run names one."""
    from lingshu.report.viewer.scores import BenchmarkFacts  # noqa: PLC0415

    return {
        name: BenchmarkFacts(str(run.record["suite"]))
        for _, record in found
        if record is not None
        for name, run in record.benchmarks.items()
        if "suite" in run.record
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
