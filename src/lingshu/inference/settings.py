"""How a model is asked by `lingshu eval`: what decides its answers (part of each key), and what only costs time."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from lingshu.core.params import Strict

EngineName = Literal["transformers", "vllm", "openai", "responses", "echo"]


class Decoding(Strict):
    """What decides an answer beside model and question; the same for all models of a comparison, kept in each row.

    Attributes:
        temperature: 0 is greedy; None leaves it to the server (some refuse to be told).
        top_p: None leaves it out.
        seed: of sampling; None leaves it out.
        max_new_tokens: where an answer is cut; the default is MedEvalKit's (its scripts, `max_new_tokens`).
        min_pixels: smaller pictures are enlarged to it, in proportion; None leaves them.
        max_pixels: larger pictures are reduced to it, in proportion; None leaves them. Applied alike by all engines,
            before whatever the model's own processor does.
        blind: send no pictures, to see what the words alone give away.
        dtype: of weights on this machine; `auto` is what the checkpoint says.
        chat_template: Jinja text that stands for the model's own chat template, on this machine; None is the model's.
        template: arguments of the chat template (`enable_thinking` and the like), for engines on this machine.
        body: fields added to each request of an OpenAI-compatible server (`reasoning_effort` and the like).
        trust_remote_code: run the code that comes with the model.
    """

    temperature: float | None = Field(default=0.0, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = None
    max_new_tokens: PositiveInt = 8192
    min_pixels: PositiveInt | None = None
    max_pixels: PositiveInt | None = None
    blind: bool = False
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    chat_template: str | None = None
    template: dict[str, Any] = Field(default_factory=dict)
    body: dict[str, Any] = Field(default_factory=dict)
    trust_remote_code: bool = False


class LocalExecution(Strict):
    """How an engine uses this machine.

    Attributes:
        device: where `transformers` runs; `auto` is the first GPU, else the CPU.
        threads: of tensor arithmetic on the CPU (0 leaves torch's own choice).
        batch_size: requests that `transformers` generates together.
        tensor_parallel: GPUs that `vllm` lays one copy of the model over.
        max_model_len: tokens of prompt and answer that `vllm` makes room for; None is the model's own.
        gpu_memory: share of the GPU's memory that `vllm` takes.
    """

    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(default=0, ge=0)
    batch_size: PositiveInt = 8
    tensor_parallel: PositiveInt = 1
    max_model_len: PositiveInt | None = None
    gpu_memory: float = Field(default=0.9, gt=0, le=1)


class ServerLimits(Strict):
    """How hard a server is pressed, and when to give up.

    Attributes:
        concurrency: the most requests at a time; fewer after a 429, 503 or a time-out, more again while all goes well.
        timeout: seconds for one try of one request.
        tries: of one request before it counts as failed.
        first_wait: seconds before the second try; doubles with each, drawn between half and the whole of it.
        longest_wait: the most seconds between two tries; a server that asks for longer (Retry-After) fails the request.
        max_requests: of this run, tries included; None is no limit.
        max_tokens: of prompts and answers of this run; None is no limit. Requests on their way still end.
        token_field: the name of the field that limits an answer (`max_completion_tokens` for newer OpenAI models).
    """

    concurrency: PositiveInt = 16
    timeout: PositiveFloat = 600.0
    tries: PositiveInt = 8
    first_wait: PositiveFloat = 1.0
    longest_wait: PositiveFloat = 60.0
    max_requests: PositiveInt | None = None
    max_tokens: PositiveInt | None = None
    token_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
