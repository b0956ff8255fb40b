"""Section `inference` of params.yaml: how responses are generated, and which suites each checkpoint is asked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt

from lingshu.core.parallel import Workers
from lingshu.core.params import Strict

Suite = Literal["multimodal", "text", "caption", "report"]


class TokenLimits(Strict):
    """The most tokens of a response, by the kind of its item; `think` where the prompt asks for a trace."""

    mcq: PositiveInt
    yesno: PositiveInt
    closed: PositiveInt
    open: PositiveInt
    caption: PositiveInt
    report: PositiveInt
    think: PositiveInt


class GenerationParams(Strict):
    """How responses are made; decoding is greedy, so equal settings give equal responses.

    Attributes:
        engine: `transformers` runs the checkpoint; `echo` answers by a rule, without a model.
        device: where `transformers` runs.
        threads: of tensor arithmetic on the CPU (0 leaves torch's own choice).
        batch_size: requests generated together; batches hold requests of similar length.
    """

    engine: Literal["transformers", "echo"]
    device: Literal["cpu", "cuda"]
    threads: int = Field(ge=0)
    batch_size: PositiveInt
    max_new_tokens: TokenLimits


class InferenceParams(Strict):
    """Section `inference`.

    Attributes:
        generation: how responses are made.
        workers: who asks; each loads the model, and batches are the same whoever asks.
        suites: that each checkpoint is asked.
    """

    generation: GenerationParams
    workers: Workers
    suites: dict[str, list[Suite]]
