"""The options of `lingshu eval`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from lingshu.commands.evaluate import Found, IncompleteRunError, Job, parse_json, parse_wanted, run
from lingshu.commands.judge_request import judge_request
from lingshu.commands.shuffles import ShuffleRequest
from lingshu.commands.workers import workers
from lingshu.core.errors import UserError
from lingshu.core.stage import EXIT_INTERRUPTED
from lingshu.inference.own_questions import read_own
from lingshu.inference.setup import make_setup

LocalEngine = Literal["transformers", "vllm"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]
Device = Literal["auto", "cpu", "cuda"]
TokenField = Literal["max_tokens", "max_completion_tokens"]
_LOCAL, _SERVER, _DECODING, _JUDGES = "This machine", "Servers", "Decoding", "Judges"
EXIT_INCOMPLETE = 1


def evaluation(
    *,
    model: Annotated[str, typer.Option(help="Hub id, folder, openai:NAME@URL, answers.jsonl, or echo.")],
    out: Annotated[Path, typer.Option(help="Folder for response files and run.json.")],
    suite: Annotated[str, typer.Option(help="multimodal, text, report: one or several with commas.")] = "",
    benchmarks: Annotated[str, typer.Option(help="Only these, by name, with commas.")] = "",
    questions: Annotated[list[Path] | None, typer.Option(help="A JSON-lines file of your own; repeatable.")] = None,
    folder: Annotated[list[str] | None, typer.Option(help="NAME=DIR: a benchmark's files; repeatable.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The first so many questions of each.")] = None,
    reasoning: Annotated[bool, typer.Option("--reasoning", help="Ask by the official reasoning prompts.")] = False,
    accept_rows: Annotated[bool, typer.Option("--accept-rows", help="Accept another number of rows.")] = False,
    shuffles: Annotated[int, typer.Option(min=0, help="Ask multiple choice in so many other orders too.")] = 0,
    shuffle_seed: Annotated[int, typer.Option(min=0, help="That orders are drawn by.")] = 0,
    store: Annotated[Path | None, typer.Option(help="Share the answers kept here (default: OUT/store).")] = None,
    max_failed: Annotated[float, typer.Option(min=0, max=1, help="Share of failed calls that is still fine.")] = 0.01,
    judge: Annotated[
        list[str] | None,
        typer.Option(help="As --model names one, for open answers and rubrics; repeatable.", rich_help_panel=_JUDGES),
    ] = None,
    judge_options: Annotated[
        list[str] | None,
        typer.Option(help="JSON: options of `lingshu eval`, for all judges or one each.", rich_help_panel=_JUDGES),
    ] = None,
    judge_store: Annotated[
        Path | None, typer.Option(help="Their replies (default: OUT/judge-store).", rich_help_panel=_JUDGES)
    ] = None,
    judge_max_failed: Annotated[
        float, typer.Option(min=0, max=1, help="Share of a judge's calls that may fail.", rich_help_panel=_JUDGES)
    ] = 0.01,
    revision: Annotated[str | None, typer.Option(help="Of the hub, or your name for what a server runs.")] = None,
    temperature: Annotated[str, typer.Option(help="0 is greedy; none sends none.", rich_help_panel=_DECODING)] = "0",
    top_p: Annotated[float | None, typer.Option(rich_help_panel=_DECODING)] = None,
    seed: Annotated[int | None, typer.Option(rich_help_panel=_DECODING)] = None,
    max_new_tokens: Annotated[int | None, typer.Option(help="8192 by default.", rich_help_panel=_DECODING)] = None,
    min_pixels: Annotated[int | None, typer.Option(help="Enlarge smaller pictures.", rich_help_panel=_DECODING)] = None,
    max_pixels: Annotated[int | None, typer.Option(help="Reduce larger pictures.", rich_help_panel=_DECODING)] = None,
    blind: Annotated[bool, typer.Option("--blind", help="Send no pictures.", rich_help_panel=_DECODING)] = False,
    engine: Annotated[LocalEngine | None, typer.Option(rich_help_panel=_LOCAL)] = None,
    dtype: Annotated[Dtype | None, typer.Option(rich_help_panel=_LOCAL)] = None,
    device: Annotated[Device | None, typer.Option(help="For transformers.", rich_help_panel=_LOCAL)] = None,
    threads: Annotated[int | None, typer.Option(help="For transformers.", rich_help_panel=_LOCAL)] = None,
    batch_size: Annotated[int | None, typer.Option(help="For transformers.", rich_help_panel=_LOCAL)] = None,
    data_parallel: Annotated[int, typer.Option(min=1, help="Copies of the model.", rich_help_panel=_LOCAL)] = 1,
    tensor_parallel: Annotated[int | None, typer.Option(help="GPUs a copy, vllm.", rich_help_panel=_LOCAL)] = None,
    max_model_len: Annotated[int | None, typer.Option(help="For vllm.", rich_help_panel=_LOCAL)] = None,
    gpu_memory: Annotated[float | None, typer.Option(help="Share, for vllm.", rich_help_panel=_LOCAL)] = None,
    chat_template: Annotated[
        Path | None, typer.Option(help="Jinja file, for a model without one.", rich_help_panel=_LOCAL)
    ] = None,
    template: Annotated[str | None, typer.Option(help="JSON for the chat template.", rich_help_panel=_LOCAL)] = None,
    trust_remote_code: Annotated[bool, typer.Option("--trust-remote-code", rich_help_panel=_LOCAL)] = False,
    api_key_env: Annotated[
        str | None, typer.Option(help="Variable that holds the key.", rich_help_panel=_SERVER)
    ] = None,
    api_key_file: Annotated[Path | None, typer.Option(help="File that holds it.", rich_help_panel=_SERVER)] = None,
    concurrency: Annotated[int | None, typer.Option(help="Most requests at a time.", rich_help_panel=_SERVER)] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds for one try.", rich_help_panel=_SERVER)] = None,
    tries: Annotated[int | None, typer.Option(help="Of one request.", rich_help_panel=_SERVER)] = None,
    max_requests: Annotated[int | None, typer.Option(help="Budget of this run.", rich_help_panel=_SERVER)] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Budget of this run.", rich_help_panel=_SERVER)] = None,
    token_field: Annotated[TokenField | None, typer.Option(help="Name of the limit.", rich_help_panel=_SERVER)] = None,
    body: Annotated[str | None, typer.Option(help="JSON added to each request.", rich_help_panel=_SERVER)] = None,
) -> None:
    """Ask any model the benchmarks; run it again to go on, and side by side to share the work."""
    options: dict[str, Any] = {
        "engine": engine, "api_key_env": api_key_env, "api_key_file": api_key_file, "revision": revision,
        "temperature": _temperature(temperature), "top_p": top_p, "seed": seed, "max_new_tokens": max_new_tokens,
        "min_pixels": min_pixels, "max_pixels": max_pixels, "blind": blind or None, "dtype": dtype, "device": device,
        "threads": threads, "batch_size": batch_size, "tensor_parallel": tensor_parallel,
        "max_model_len": max_model_len, "gpu_memory": gpu_memory, "chat_template": chat_template,
        "template": parse_json(template, "--template"), "trust_remote_code": trust_remote_code or None,
        "concurrency": concurrency, "timeout": timeout, "tries": tries,
        "max_requests": max_requests, "max_tokens": max_tokens, "token_field": token_field,
        "body": parse_json(body, "--body"),
    }  # fmt: skip
    judges = judge_request(judge, judge_options, judge_store, judge_max_failed)
    orders = ShuffleRequest(shuffles, shuffle_seed) if shuffles else None
    job = Job(make_setup(model, options), out, store, max_failed, judges, orders)
    wanted = parse_wanted(suite, benchmarks, folder or [], limit=limit, reasoning=reasoning, accept_rows=accept_rows)
    spec = job.setup.spec
    with_gpus = spec.engine == "vllm" or (spec.engine == "transformers" and device != "cpu")
    with _ends_told(), workers(data_parallel, tensor_parallel or 1, sys.argv[1:], with_gpus=with_gpus):
        own = [read_own(path, limit) for path in questions or []]
        found = Found([]) if not (wanted.suites or wanted.benchmarks) else _public(wanted)
        for line in run(Found([*found.benchmarks, *own], found.problems), job):
            typer.echo(line)


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


def _public(wanted: Any) -> Found:
    # Imported here: questions of one's own need no catalogue of public benchmarks.
    from lingshu.commands.public_questions import find_public  # noqa: PLC0415

    return find_public(wanted)


def _temperature(text: str) -> float | str:
    if text == "none":
        return text
    try:
        return float(text)
    except ValueError:
        raise UserError(f"--temperature {text}: neither a number nor none", "0 is greedy") from None
