"""The `lingshu` command: check, trace, recipe, schema, draw. Nothing here imports torch, great_expectations or dvc."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from lingshu.commands import checking, drawing, recipes, schemas, tracing
from lingshu.commands.eval_command import evaluation
from lingshu.core.errors import UserError

app = typer.Typer(
    help="Look at, check and switch the pipeline; `make repro` runs it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line; a user's mistake is one message and exit code 2, never a traceback."""
    try:
        os.chdir(_root(Path.cwd()))
        app()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


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
) -> None:
    """Tell a sample's whole life: origin, facts, signals, verdicts, proposals, mixtures, benchmarks."""
    for section in tracing.trace(Path(), sample_id):
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
def schema() -> None:
    """Write schemas/*.json from the models, for editors."""
    _report_files(schemas.write(Path()), "schemas/")


@app.command()
def draw() -> None:
    """Write docs/pipeline.md and docs/pipeline.svg from dvc.yaml."""
    _report_files(drawing.write(Path()), "docs/pipeline.*")


def _report_files(changed: list[Path], what: str) -> None:
    for path in changed:
        typer.echo(f"wrote {path}")
    if not changed:
        typer.echo(f"{what}: up to date")


app.command("eval")(evaluation)


if __name__ == "__main__":
    main()
