"""`lingshu eval`: options to a run, and how it ends."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import replace

import typer

from lingshu.commands.eval_options import EvalOptions
from lingshu.commands.evaluate import Found, IncompleteRunError, Wanted, run
from lingshu.commands.option_class import command_of
from lingshu.commands.workers import workers
from lingshu.core.stage import EXIT_INTERRUPTED
from lingshu.inference.own_questions import read_own

EXIT_INCOMPLETE = 1


def evaluate(options: EvalOptions) -> None:
    """Ask any model the benchmarks; run it again to go on, and side by side to share the work."""
    job = options.job()
    wanted = replace(options.wanted(), with_pictures=job.setup.looks)
    spec = job.setup.spec
    with_gpus = spec.engine == "vllm" or (spec.engine == "transformers" and options.device != "cpu")
    copies, gpus = options.data_parallel, options.tensor_parallel or 1
    with _ends_told(), workers(copies, gpus, sys.argv[1:], with_gpus=with_gpus):
        own = [read_own(path, options.limit) for path in options.questions or []]
        found = Found([]) if not (wanted.suites or wanted.benchmarks) else _public(wanted)
        for line in run(Found([*found.benchmarks, *own], found.problems), job):
            typer.echo(line)


evaluation = command_of(EvalOptions, evaluate)


@contextlib.contextmanager
def _ends_told() -> Iterator[None]:
    """Say how to go on, and end with the right code, if a run is not whole or is interrupted."""
    try:
        yield
    except IncompleteRunError as error:
        for problem in error.problems:
            typer.echo(f"error: {problem}", err=True)
        typer.echo("mend that, then run the same command again: it asks only what is missing", err=True)
        raise typer.Exit(EXIT_INCOMPLETE) from None
    except KeyboardInterrupt:
        typer.echo("interrupted; run the same command again to go on", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _public(wanted: Wanted) -> Found:
    # Imported here: questions of one's own need no catalogue of public benchmarks.
    from lingshu.commands.public_questions import find_public  # noqa: PLC0415

    return find_public(wanted)
