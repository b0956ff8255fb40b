"""The `lingshu` command. Nothing here imports torch or dvc before a command needs it."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from lingshu.commands import (
    checking,
    data_quality,
    drawing,
    recipes,
    schemas,
    scoring,
    source_table,
    tracing,
)
from lingshu.commands.catalogue import find_catalog
from lingshu.commands.eval_command import EXIT_INCOMPLETE, evaluation
from lingshu.commands.evaluate import IncompleteRunError
from lingshu.commands.judge_request import judge_request
from lingshu.commands.normalize import normalize
from lingshu.commands.overlap import ManyValues, overlap
from lingshu.commands.planning.command import app as planning
from lingshu.commands.pulling import pull_source
from lingshu.commands.report_command import report_metrics
from lingshu.commands.view import view
from lingshu.core.errors import UserError
from lingshu.core.stage import machine_fault

RulesName = Literal["strict", "official"]
app = typer.Typer(
    help="Look at, check and switch the pipeline; `make repro` runs it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


ANYWHERE = frozenset(
    {"score", "compare", "report-metrics", "eval", "view", "overlap", "normalize", "sources"}
)  # commands that need no project: their paths are as typed


def main() -> None:
    """Run the command line; a user's mistake or a `machine_fault` is one message and exit code 2, never a traceback."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name need be no UTF-8
    try:
        app()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except Exception as error:
        fault = machine_fault(error)
        if fault is None:
            raise
        print(f"error: {fault}", file=sys.stderr)
        sys.exit(2)


@app.callback()
def _go_to_root(context: typer.Context) -> None:
    """Run commands about the pipeline in its root, from wherever in it they are called."""
    if context.invoked_subcommand not in ANYWHERE:
        os.chdir(_root(Path.cwd()))


def _root(start: Path) -> Path:
    """Return the closest folder at or above `start` with a dvc.yaml, or `start` itself."""
    return next((folder for folder in (start, *start.parents) if (folder / "dvc.yaml").exists()), start)


@app.command()
def check() -> None:
    """Validate params.yaml, catalog/, recipes/, dvc.yaml and what they say of one another, without running anything."""
    if found := checking.problems(Path()):
        for problem in found:
            typer.echo(f"error: {problem}", err=True)
        typer.echo(f"{len(found)} problem{'s' if len(found) > 1 else ''}", err=True)
        raise typer.Exit(2)
    for line in checking.summary(Path()):
        typer.echo(line)


@app.command()
def trace(
    sample_id: Annotated[str, typer.Argument(help="A sample id, or its beginning; the part after the colon will do.")],
    show_quarantined: Annotated[
        bool, typer.Option("--show-quarantined", help="Also show what may name a person.")
    ] = False,
) -> None:
    """Tell a sample's whole life: origin, facts, signals, verdicts, proposals, mixtures, benchmarks."""
    for section in tracing.trace(Path(), sample_id, show_quarantined=show_quarantined):
        typer.echo(section.title)
        for line in section.lines or ("–",):
            typer.echo(f"  {line}")


@app.command()
def recipe(
    name: Annotated[str, typer.Argument(help="A file under recipes/, without .yaml.")] = "",
    save: Annotated[bool, typer.Option("--save", help="Keep params.yaml as this recipe instead.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite edits that nothing else holds.")] = False,
) -> None:
    """Make a recipe the active params.yaml and show what changes; without a name, list the recipes."""
    if not name:
        for line in recipes.listing(Path()):
            typer.echo(line)
        return
    change = recipes.save if save else recipes.activate
    changed = change(Path(), name, force=force)
    for line in changed:
        typer.echo(line)
    target = recipes.RECIPES / f"{name}.yaml" if save else "params.yaml"
    typer.echo(f"{target}: recipe {name}, {len(changed)} values changed")


@app.command()
def schema(
    out: Annotated[Path | None, typer.Option(help="Write them here instead, outside a checkout too.")] = None,
) -> None:
    """Write schemas/*.json from the models, for editors."""
    if out is not None:
        _report_files(schemas.write_apart(out), str(out))
    else:
        _report_files(schemas.write(Path()), "schemas/")


@app.command()
def draw() -> None:
    """Write docs/pipeline.md and docs/pipeline.svg from dvc.yaml."""
    _report_files(drawing.write(Path()), "docs/pipeline.*")


@app.command()
def sources() -> None:
    """List every source of the catalogue: what it is, its licence class, its rows, and how its record was checked."""
    for line in source_table.lines(find_catalog()):
        typer.echo(line)


# --- Responses and scores: no project needed --------------------------------------------------------------------------


@app.command()
def score(
    file: Annotated[Path, typer.Argument(help="Responses, one JSON object a line (docs/score-files.md).")],
    *,
    rules: Annotated[RulesName, typer.Option(help="strict: the right verdict; official: MedEvalKit's.")] = "strict",
    out: Annotated[Path | None, typer.Option(help="Write the scored lines here instead of to stdout.")] = None,
    summary: Annotated[Path | None, typer.Option(help="Write accuracy, intervals and break-downs here.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the official rules' random fall-back.")] = 0,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="Of the summary's intervals.")] = 0.95,
    judge: Annotated[list[str] | None, typer.Option(help="openai:NAME@URL, hub id or folder; repeatable.")] = None,
    judge_options: Annotated[
        list[str] | None, typer.Option(help="JSON: options of `lingshu eval`, for all judges or one each.")
    ] = None,
    judge_store: Annotated[Path | None, typer.Option(help="Judges' replies (FILE.judge-store by default).")] = None,
    judge_max_failed: Annotated[
        float, typer.Option(min=0, max=1, help="Share of a judge's calls that may fail.")
    ] = 0.01,
) -> None:
    """Score responses of any model: a verdict for each line, and the rule or judge that decided."""
    asked = judge_request(judge, judge_options, judge_store, judge_max_failed)
    try:
        lines = scoring.score(file, rules, out, summary, seed=seed, confidence=confidence, judges=asked)
    except IncompleteRunError as error:
        typer.echo(f"{error}\nrun the same command again to ask what is missing", err=True)
        raise typer.Exit(EXIT_INCOMPLETE) from None
    for line in lines:
        typer.echo(line, err=True)


@app.command()
def compare(
    run_a: Annotated[Path, typer.Argument(help="Scored lines or responses: a file, or a folder of .jsonl files.")],
    run_b: Annotated[Path, typer.Argument(help="The other run, on the same items.")],
    *,
    rules: Annotated[RulesName, typer.Option(help="For responses that are not scored yet.")] = "strict",
    common: Annotated[
        bool, typer.Option("--common", help="Compare the items that both have, and say what is left.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write the whole comparison as JSON here.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap, and of random fall-backs.")] = 0,
    resamples: Annotated[int, typer.Option(min=1000, help="Of the bootstrap.")] = 10_000,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="Of intervals and verdicts.")] = 0.95,
    power: Annotated[float, typer.Option(min=0.5, max=0.999, help="Of the minimum detectable difference.")] = 0.8,
) -> None:
    """Say which differences between two runs are real: B against A, on each benchmark and on average."""
    settings = scoring.CompareOptions(rules, common, seed, resamples, confidence, power)
    for line in scoring.compare(run_a, run_b, settings, out):
        typer.echo(line)


def _report_files(changed: list[Path], what: str) -> None:
    for path in changed:
        typer.echo(f"wrote {path}")
    if not changed:
        typer.echo(f"{what}: up to date")


app.command("data-docs")(data_quality.data_docs)
app.command("data-report")(data_quality.data_report)
app.command("accept")(data_quality.accept)
app.command("report-metrics")(report_metrics)
app.command("eval")(evaluation)
app.command("pull")(pull_source)
app.command("view")(view)
app.command("overlap", cls=ManyValues)(overlap)
app.command("normalize")(normalize)
app.add_typer(planning, name="plan")


if __name__ == "__main__":
    main()
