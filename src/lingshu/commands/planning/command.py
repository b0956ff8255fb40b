"""The commands `lingshu plan` and `lingshu plan mix`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from lingshu.commands.planning.assumptions import FILE, Assumptions, model_size, read_assumptions
from lingshu.commands.planning.costs import StageCost, disk, picture_tokens, stage_cost, synthetic_rows
from lingshu.commands.planning.mixtures import StagePlan, is_drawn, stage_plans
from lingshu.commands.recipes import RECIPES
from lingshu.config import Recipe
from lingshu.core.errors import UserError
from lingshu.core.params import PARAMS_FILE, read_yaml, validate
from lingshu.intake.licences import check_terms, conflicts
from lingshu.sources.catalog import SOURCES_FOLDER, SourceRecord, read_source
from lingshu.sources.licences import terms_of

LARGE = 1e3
RecipeOption = Annotated[
    str, typer.Option("--recipe", help="A file, or a name under recipes/; params.yaml by default.", show_default=False)
]
UtilisationOption = Annotated[float | None, typer.Option("--mfu", min=0.01, max=1, help=f"In place of {FILE}'s.")]

app = typer.Typer(help="Print what a recipe would run and cost, before anything runs.")


@app.callback(invoke_without_command=True)
def plan(context: typer.Context, recipe: RecipeOption = "", mfu: UtilisationOption = None) -> None:
    """Print samples, tokens, steps, GPU-hours, disk and API cost of a recipe: estimates, with what they assume."""
    if context.invoked_subcommand is None:
        for line in cost_lines(Path(), recipe, mfu):
            typer.echo(line)


@app.command()
def mix(recipe: RecipeOption = "") -> None:
    """Print what each training stage would see: groups, sources, rows available and taken, repeats, modalities."""
    for line in mix_lines(Path(), recipe):
        typer.echo(line)


def read_recipe(root: Path, name: str) -> tuple[Path, Recipe]:
    """Return the path and content of a recipe file, by path or by name.

    Raises:
        UserError: there is none, or it is not valid.
    """
    path = Path(name or PARAMS_FILE)
    if name and not (root / path).is_file():
        path = RECIPES / f"{name}.yaml"
        if not (root / path).is_file():
            raise UserError(f"--recipe {name}: no such file, and no such recipe", "`lingshu recipe` lists the recipes")
    return path, validate(Recipe, read_yaml(root / path), f"{path}:")


def planned(root: Path, path: Path, recipe: Recipe) -> list[StagePlan]:
    """Return the stage plans; complaints name the recipe's file.

    Raises:
        UserError: as `stage_plans`, or the sources' licences may not be mixed so.
    """
    terms, own = {name: terms_of(record) for name, record in _records(root, recipe).items()}, recipe.sources
    try:
        check_terms(terms, own.allowed_licences, shared=own.shared, opted_in=own.opt_in)
        return stage_plans(recipe, root)
    except UserError as error:
        raise UserError(error.what.replace(f"{PARAMS_FILE}:", f"{path}:"), error.fix) from None


def mix_lines(root: Path, name: str) -> Iterator[str]:
    """Yield the table of every stage's mixture."""
    path, recipe = read_recipe(root, name)
    plans = planned(root, path, recipe)
    assumed, records = read_assumptions(root), _records(root, recipe)
    size = model_size(recipe.modeling, assumed)
    drawn = is_drawn(recipe, root)
    yield f"{path}: recipe {recipe.recipe}"
    yield (
        "rows available: drawn from the samples that are here and were judged"
        if drawn
        else "rows available: ESTIMATES, as the catalogue states them, before any gate; nothing has been pulled"
    )
    for stage in plans:
        cost = stage_cost(stage, recipe, size, assumed, records)
        yield ""
        yield (
            f"{stage.stage}: {stage.rows:,} rows, about {short(cost.tokens)} tokens a pass, {cost.steps:,} steps"
            f" in {cost.epochs:.2g} epochs"
        )
        yield from table(_mix_rows(stage), left=(0, 1, 3))
        shares = sorted(stage.modalities.items(), key=lambda item: (-item[1], item[0]))
        yield "  modalities: " + ", ".join(f"{kind} {rows / stage.rows:.1%}" for kind, rows in shares if rows)
        if held := ", ".join(f"{split} {_count(rows)}" for split, rows in stage.held_out.items()):
            yield f"  HELD-OUT ROWS THAT ARE TRAINED ON (sources.benchmark_splits_in_training): {held}"
        for group, sources in recipe.mix.stage(stage.stage).left_out(recipe.sources.in_use).items():
            yield f"  left out: {group}, until sources.opt_in names {', '.join(sources)}"
    for conflict in conflicts({name: record.licence_class for name, record in records.items()}):
        yield ""
        yield f"NOT TO BE HANDED ON (sources.shared is false): {', '.join(conflict.sources)}: {conflict.reason}"
    if any(line.short for stage in plans for line in stage.lines):
        yield ""
        yield "TOO FEW: more rows are asked for than max_repeats allows; lower the amount, or raise max_repeats"


def _mix_rows(stage: StagePlan) -> list[tuple[str, ...]]:
    """Return the table of a stage: a row a group, and below a group of several sources a row for each of them."""
    rows: list[tuple[str, ...]] = [("group", "source", "available", "known", "taken", "repeats", "share")]
    for line in stage.lines:
        repeats = "?" if line.repeats is None else f"{line.repeats:.2f}" + (" TOO FEW" if line.short else "")
        taken = (f"{line.rows:,}", repeats, f"{line.rows / stage.rows:.1%}")
        first = line.origins[0]
        if len(line.origins) == 1:
            rows.append((line.group, first.source, _count(first.available), first.known, *taken))
            continue
        rows.append((line.group, f"{len(line.origins)} sources", _count(line.available), "", *taken))
        rows += [("", f"  {o.source}", _count(o.available), o.known, _count(o.rows), "", "") for o in line.origins]
    return rows


def _count(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"


def cost_lines(root: Path, name: str, mfu: float | None) -> Iterator[str]:
    """Yield the cost of a recipe, and every assumption behind it."""
    path, recipe = read_recipe(root, name)
    plans = planned(root, path, recipe)
    assumed, records = read_assumptions(root), _records(root, recipe)
    if mfu is not None:
        assumed = assumed.model_copy(update={"gpu": assumed.gpu.model_copy(update={"utilisation": mfu})})
    size = model_size(recipe.modeling, assumed)
    costs = [stage_cost(stage, recipe, size, assumed, records) for stage in plans]
    yield f"{path}: recipe {recipe.recipe}. ALL FIGURES ARE ESTIMATES; assumptions below, from {FILE}"
    yield ""
    rows: list[tuple[str, ...]] = [
        ("stage", "samples", "tokens a pass", "epochs", "steps", "model FLOPs", f"{assumed.gpu.name} hours")
    ]
    rows += [_cost_row(cost) for cost in costs]
    hours, flops = sum(cost.hours for cost in costs), sum(cost.flops for cost in costs)
    rows.append(
        (
            "all",
            f"{sum(c.rows for c in costs):,}",
            "",
            "",
            f"{sum(c.steps for c in costs):,}",
            f"{flops:.2e}",
            number(hours),
        )
    )
    yield from table(rows, left=(0,))
    yield ""
    taken = disk(plans, size, assumed, records)
    yield (
        f"disk: {volume(taken.data)} samples and pictures, {volume(taken.checkpoints)} for {len(plans) + 1} "
        f"checkpoints, up to {volume(taken.scratch)} training state while a stage runs; "
        "as much again in a DVC cache that cannot link"
    )
    yield from _api_lines(recipe, plans, assumed)
    yield ""
    yield from _assumption_lines(recipe, size.weights, picture_tokens(recipe, size, assumed), assumed)


def _cost_row(cost: StageCost) -> tuple[str, ...]:
    return (
        cost.stage, f"{cost.rows:,}", f"{short(cost.tokens)} ({short(cost.picture_tokens)} of pictures)",
        f"{cost.epochs:.2g}", f"{cost.steps:,}", f"{cost.flops:.2e}", number(cost.hours),
    )  # fmt: skip


def _api_lines(recipe: Recipe, plans: list[StagePlan], assumed: Assumptions) -> Iterator[str]:
    teacher, server = assumed.teacher, recipe.synthesis.teacher.server
    dollars = {name: teacher.dollars(name, rows) for name, rows in synthetic_rows(plans, recipe).items()}
    rows = synthetic_rows(plans, recipe)
    parts = ", ".join(f"{name} {number(dollars[name])} for {rows[name]:,} samples" for name in rows)
    if server is None:
        yield "API: 0 dollars: synthesis.teacher is `template`, which writes from known facts without a model"
        yield f"API, if {teacher.name} wrote them: about {number(sum(dollars.values()))} dollars ({parts})"
    else:
        whole = number(sum(dollars.values()))
        yield f"API: about {whole} dollars for {server.model} at {teacher.name}'s price ({parts})"


def _assumption_lines(recipe: Recipe, weights: int, of_picture: int, assumed: Assumptions) -> Iterator[str]:
    gpu, reply = assumed.gpu, assumed.teacher
    yield "assumptions:"
    yield (
        f"  model: {short(weights)} weights; a picture of {assumed.picture_pixels:,} pixels is {of_picture} tokens, "
        "one a pictured row"
    )
    yield "  text tokens a row: " + ", ".join(f"{task} {tokens}" for task, tokens in assumed.tokens.items())
    yield (
        "  model FLOPs: 6 a trained weight and token (2 forward, 4 backward), 4 where a gradient only passes through, "
        "2 without; vision weights by patches; attention's own products left out"
    )
    yield (
        f"  {gpu.name}: {gpu.teraflops:g} TFLOP/s at {gpu.utilisation:.0%} utilisation (--mfu), "
        f"{gpu.generation_utilisation:.0%} in sampling"
    )
    yield f"  packed rows are filled to {assumed.fill:.0%}; samples over max_length are not taken out"
    if recipe.reinforcement.steps:
        yield f"  reinforcement: responses of {assumed.response_tokens} tokens on average"
    price = reply.dollars_per_million
    yield (
        f"  API: {reply.input_tokens} tokens in and {reply.output_tokens} out a call, {price.input:g} and "
        f"{price.output:g} dollars a million; calls a sample: "
        + ", ".join(f"{name} {calls}" for name, calls in reply.calls.items())
    )
    yield f"  {assumed.checked}"


def _records(root: Path, recipe: Recipe) -> dict[str, SourceRecord]:
    return {source: read_source(source, root / SOURCES_FOLDER) for source in recipe.sources.in_use}


def table(rows: Sequence[tuple[str, ...]], left: tuple[int, ...]) -> Iterator[str]:
    """Yield the rows in columns, two spaces apart; columns of `left` are set left, the others right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [c.ljust(w) if n in left else c.rjust(w) for n, (c, w) in enumerate(zip(row, widths, strict=True))]
        yield "  " + "  ".join(cells).rstrip()


def short(value: float) -> str:
    """Return a count with three digits and K, M, G or T."""
    for unit in ("", "K", "M", "G"):
        if value < LARGE:
            return f"{value:.3g}{unit}"
        value /= LARGE
    return f"{value:.3g}T"


def volume(size: int) -> str:
    """Return bytes with a decimal unit."""
    return f"{short(size)}B"


def number(value: float) -> str:
    """Return a number in full where it is large, with two digits where it is small."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
