"""The options of `lingshu eval`, and what is made of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from lingshu.commands.evaluate import Job, Wanted, parse_json, parse_wanted
from lingshu.commands.judge_request import judge_request
from lingshu.commands.shuffles import ShuffleRequest
from lingshu.core.errors import UserError
from lingshu.inference.setup import make_setup

LocalEngine = Literal["transformers", "vllm"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]
Device = Literal["auto", "cpu", "cuda"]
TokenField = Literal["max_tokens", "max_completion_tokens"]
_LOCAL, _SERVER, _DECODING, _JUDGES = "This machine", "Servers", "Decoding", "Judges"
# What goes to the model's settings as it was typed.
_AS_TYPED = (
    "engine", "api_key_env", "api_key_file", "revision", "top_p", "seed", "max_new_tokens", "min_pixels", "max_pixels",
    "dtype", "device", "threads", "batch_size", "tensor_parallel", "max_model_len", "gpu_memory", "chat_template",
    "concurrency", "timeout", "tries", "max_requests", "max_tokens", "token_field",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class EvalOptions:
    """One field an option, in the order of the help."""

    model: Annotated[str, typer.Option(help="Hub id, folder, openai:NAME@URL, answers.jsonl, or echo.")]
    out: Annotated[Path, typer.Option(help="Folder for response files and run.json.")]
    suite: Annotated[str, typer.Option(help="multimodal, text, report: one or several with commas.")] = ""
    benchmarks: Annotated[str, typer.Option(help="Only these, by name, with commas.")] = ""
    questions: Annotated[list[Path] | None, typer.Option(help="A JSON-lines file of your own; repeatable.")] = None
    folder: Annotated[list[str] | None, typer.Option(help="NAME=DIR: a benchmark's files; repeatable.")] = None
    limit: Annotated[int | None, typer.Option(min=1, help="The first so many questions of each.")] = None
    reasoning: Annotated[bool, typer.Option("--reasoning", help="Ask by the official reasoning prompts.")] = False
    accept_rows: Annotated[bool, typer.Option("--accept-rows", help="Accept another number of rows.")] = False
    shuffles: Annotated[int, typer.Option(min=0, help="Ask multiple choice in so many other orders too.")] = 0
    shuffle_seed: Annotated[int, typer.Option(min=0, help="That orders are drawn by.")] = 0
    store: Annotated[Path | None, typer.Option(help="Share the answers kept here (default: OUT/store).")] = None
    max_failed: Annotated[float, typer.Option(min=0, max=1, help="Share of failed calls that is still fine.")] = 0.01
    judge: Annotated[
        list[str] | None,
        typer.Option(help="As --model names one, for open answers and rubrics; repeatable.", rich_help_panel=_JUDGES),
    ] = None
    judge_options: Annotated[
        list[str] | None,
        typer.Option(help="JSON: options of `lingshu eval`, for all judges or one each.", rich_help_panel=_JUDGES),
    ] = None
    judge_store: Annotated[
        Path | None, typer.Option(help="Their replies (default: OUT/judge-store).", rich_help_panel=_JUDGES)
    ] = None
    judge_max_failed: Annotated[
        float, typer.Option(min=0, max=1, help="Share of a judge's calls that may fail.", rich_help_panel=_JUDGES)
    ] = 0.01
    revision: Annotated[str | None, typer.Option(help="Of the hub, or your name for what a server runs.")] = None
    temperature: Annotated[str, typer.Option(help="0 is greedy; none sends none.", rich_help_panel=_DECODING)] = "0"
    top_p: Annotated[float | None, typer.Option(rich_help_panel=_DECODING)] = None
    seed: Annotated[int | None, typer.Option(rich_help_panel=_DECODING)] = None
    max_new_tokens: Annotated[int | None, typer.Option(help="8192 by default.", rich_help_panel=_DECODING)] = None
    min_pixels: Annotated[int | None, typer.Option(help="Enlarge smaller pictures.", rich_help_panel=_DECODING)] = None
    max_pixels: Annotated[int | None, typer.Option(help="Reduce larger pictures.", rich_help_panel=_DECODING)] = None
    blind: Annotated[bool, typer.Option("--blind", help="Send no pictures.", rich_help_panel=_DECODING)] = False
    engine: Annotated[LocalEngine | None, typer.Option(rich_help_panel=_LOCAL)] = None
    dtype: Annotated[Dtype | None, typer.Option(rich_help_panel=_LOCAL)] = None
    device: Annotated[Device | None, typer.Option(help="For transformers.", rich_help_panel=_LOCAL)] = None
    threads: Annotated[int | None, typer.Option(help="For transformers.", rich_help_panel=_LOCAL)] = None
    batch_size: Annotated[int | None, typer.Option(help="For transformers.", rich_help_panel=_LOCAL)] = None
    data_parallel: Annotated[int, typer.Option(min=1, help="Copies of the model.", rich_help_panel=_LOCAL)] = 1
    tensor_parallel: Annotated[int | None, typer.Option(help="GPUs a copy, vllm.", rich_help_panel=_LOCAL)] = None
    max_model_len: Annotated[int | None, typer.Option(help="For vllm.", rich_help_panel=_LOCAL)] = None
    gpu_memory: Annotated[float | None, typer.Option(help="Share, for vllm.", rich_help_panel=_LOCAL)] = None
    chat_template: Annotated[
        Path | None, typer.Option(help="Jinja file, for a model without one.", rich_help_panel=_LOCAL)
    ] = None
    template: Annotated[str | None, typer.Option(help="JSON for the chat template.", rich_help_panel=_LOCAL)] = None
    trust_remote_code: Annotated[bool, typer.Option("--trust-remote-code", rich_help_panel=_LOCAL)] = False
    api_key_env: Annotated[str | None, typer.Option(help="Variable that holds the key.", rich_help_panel=_SERVER)] = (
        None
    )
    api_key_file: Annotated[Path | None, typer.Option(help="File that holds it.", rich_help_panel=_SERVER)] = None
    concurrency: Annotated[int | None, typer.Option(help="Most requests at a time.", rich_help_panel=_SERVER)] = None
    timeout: Annotated[float | None, typer.Option(help="Seconds for one try.", rich_help_panel=_SERVER)] = None
    tries: Annotated[int | None, typer.Option(help="Of one request.", rich_help_panel=_SERVER)] = None
    max_requests: Annotated[int | None, typer.Option(help="Budget of this run.", rich_help_panel=_SERVER)] = None
    max_tokens: Annotated[int | None, typer.Option(help="Budget of this run.", rich_help_panel=_SERVER)] = None
    token_field: Annotated[TokenField | None, typer.Option(help="Name of the limit.", rich_help_panel=_SERVER)] = None
    body: Annotated[str | None, typer.Option(help="JSON added to each request.", rich_help_panel=_SERVER)] = None

    def job(self) -> Job:
        """Return which model is asked how, and where the answers go.

        Raises:
            UserError: an option is wrong or does nothing with this model.
        """
        options: dict[str, Any] = {name: getattr(self, name) for name in _AS_TYPED} | {
            "temperature": _temperature(self.temperature),
            "blind": self.blind or None,
            "template": parse_json(self.template, "--template"),
            "trust_remote_code": self.trust_remote_code or None,
            "body": parse_json(self.body, "--body"),
        }
        judges = judge_request(self.judge, self.judge_options, self.judge_store, self.judge_max_failed)
        orders = ShuffleRequest(self.shuffles, self.shuffle_seed) if self.shuffles else None
        return Job(make_setup(self.model, options), self.out, self.store, self.max_failed, judges, orders)

    def wanted(self) -> Wanted:
        """Return which public benchmarks are asked.

        Raises:
            UserError: an unknown suite, or a folder that is not there.
        """
        return parse_wanted(
            self.suite,
            self.benchmarks,
            self.folder or [],
            limit=self.limit,
            reasoning=self.reasoning,
            accept_rows=self.accept_rows,
        )


def _temperature(text: str) -> float | str:
    if text == "none":
        return text
    try:
        return float(text)
    except ValueError:
        raise UserError(f"--temperature {text}: neither a number nor none", "0 is greedy") from None
