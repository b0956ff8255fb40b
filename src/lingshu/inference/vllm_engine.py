"""vLLM's offline engine: its chat front end, CUDA graphs, prefix caching, tensor parallel; answers come one by one.

Written for vllm 0.31 (the `gpu` extra of pyproject.toml), and run with that release and 0.32 on a CPU, never on a GPU.
Data parallel needs nothing of vLLM: processes that share a response store share the questions
(`lingshu eval --data-parallel`).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu.core.errors import UserError
from lingshu.inference.engine import Failure, Outcome, Request, Response
from lingshu.inference.guard import start_guard
from lingshu.inference.openai_replies import TOO_LONG
from lingshu.inference.pixels import openai_messages
from lingshu.inference.precision import precision
from lingshu.inference.settings import Decoding, LocalExecution

IN_FLIGHT = 256  # vLLM's own `max_num_seqs` on most GPUs; other processes that share the store ask the rest meanwhile
_GO_ON = "mend what its messages above name, then run the same command: what is answered is kept"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that vLLM is working on, and when it was handed over."""

    request: Request
    start: float


class VLLMEngine:
    """A model folder in vLLM.

    Args:
        pictures: the most pictures of one request, which vLLM must know before it starts.

    Raises:
        UserError: vllm is not installed, or it can't load the model.
    """

    def __init__(self, folder: Path, decoding: Decoding, execution: LocalExecution, pictures: int) -> None:
        try:
            import vllm  # type: ignore[import-not-found, unused-ignore] # noqa: PLC0415 - seconds, and only on Linux
            from vllm.exceptions import (  # type: ignore[import-not-found, unused-ignore] # noqa: PLC0415
                VLLMClientError,
                VLLMServerError,
            )
        except ImportError:
            raise UserError(
                "--engine vllm: vllm is not installed", "`make setup-gpu` installs it (Linux with CUDA)"
            ) from None
        self._folder, self._decoding = folder, decoding
        self._sampling = vllm.SamplingParams
        # A prompt that is too long is the latter, which is no ValueError.
        self._refusals = (ValueError, VLLMClientError)
        self._broken = (VLLMServerError, RuntimeError)
        start_guard()
        try:
            self._llm = vllm.LLM(
                model=str(folder),
                dtype=precision(folder, decoding.dtype),
                seed=decoding.seed or 0,
                trust_remote_code=decoding.trust_remote_code,
                tensor_parallel_size=execution.tensor_parallel,
                gpu_memory_utilization=execution.gpu_memory,
                max_model_len=execution.max_model_len,
                enforce_eager=False,
                enable_prefix_caching=True,
                # The sampling defaults that a model ships must not leak into the evaluation.
                generation_config="vllm",
                # What is never sent gets no room: without these, vLLM measures its memory with the longest videos.
                limit_mm_per_prompt={"image": pictures, "video": 0, "audio": 0},
            )
        except (*self._refusals, *self._broken, OSError, ImportError) as error:
            raise UserError(f"{folder}: vllm can't load the model: {error}", "mend what it names") from None
        self._tokenizer = self._llm.get_tokenizer()
        self._sees = bool(self._llm.model_config.is_multimodal_model)

    def generate(self, requests: Iterable[Request]) -> Iterator[Outcome]:
        """Yield one outcome a request as soon as it is there, taking a new request for each that ended.

        Raises:
            UserError: vLLM's engine has died, or there are pictures and the model takes none.
        """
        source = iter(requests)
        asked: dict[str, _Asked] = {}
        while True:
            for request in itertools.islice(source, IN_FLIGHT - len(asked)):
                failure = self._hand_over(request, asked)
                if failure is not None:
                    yield failure
            if not asked:
                return
            for output in self._finished():
                item = asked.pop(output.request_id)
                yield self._outcome(item.request, output, round(time.monotonic() - item.start, 4))

    def _hand_over(self, request: Request, asked: dict[str, _Asked]) -> Failure | None:
        """Give vLLM one request; a whole call would be refused for one prompt that is too long."""
        if request.pictures and not self._sees:
            raise UserError(f"{self._folder}: the model takes no pictures", "add --blind, or ask --suite text")
        try:
            messages = openai_messages(request, self._decoding)
        except UserError as error:
            return Failure(request.id, "picture", error.line)
        try:
            (name,) = self._llm.enqueue_chat(
                [messages],
                sampling_params=self._params(request),
                chat_template=self._decoding.chat_template,
                chat_template_kwargs=self._decoding.template,
                use_tqdm=False,
            )
        except self._refusals as error:
            too_long = any(sign in str(error).lower() for sign in TOO_LONG)
            return Failure(request.id, "context_length" if too_long else "bad_request", str(error))
        except self._broken as error:
            raise UserError(f"vllm's engine has died: {error}", _GO_ON) from None
        # vLLM adds a random ending to the number that outputs bear.
        asked[name.partition("-")[0]] = _Asked(request, time.monotonic())
        return None

    def _finished(self) -> list[Any]:
        try:
            return [output for output in self._llm.llm_engine.step() if output.finished]
        except self._broken as error:
            raise UserError(f"vllm's engine has died: {error}", _GO_ON) from None

    def _params(self, request: Request) -> Any:
        decoding = self._decoding
        return self._sampling(
            temperature=0.0 if decoding.temperature is None else decoding.temperature,
            top_p=decoding.top_p or 1.0,
            seed=decoding.seed,
            max_tokens=request.max_new_tokens,
            # vLLM decodes token by token, and loses or doubles what is no whole character of UTF-8.
            detokenize=False,
        )

    def _outcome(self, request: Request, output: Any, seconds: float) -> Outcome:
        answer = output.outputs[0]
        if answer.finish_reason not in {"stop", "length"}:
            return Failure(request.id, "server_error", f"vllm ended it with {answer.finish_reason!r}")
        stopped = answer.finish_reason == "stop"
        tokens = list(answer.token_ids)[: -1 if stopped else None]  # the end mark is among them
        prompt = output.prompt_token_ids
        return Response(
            request.id,
            self._tokenizer.decode(tokens, skip_special_tokens=True),
            "stop" if stopped else "length",
            len(tokens),
            None if prompt is None else len(prompt),
            seconds,
        )
