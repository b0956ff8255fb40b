"""vLLM's offline engine, through its documented `LLM.chat`: CUDA graphs, prefix caching, tensor parallel.

Written against the documentation and the source of vllm 0.31 (the `gpu` extra of pyproject.toml); it has never been
run, because no machine that the project was built on had a GPU. Data parallel needs nothing of vLLM: processes that
share a response store share the questions (`lingshu eval --data-parallel`).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lingshu.core.errors import UserError
from lingshu.inference.engine import Failure, FinishReason, Outcome, Request, Response
from lingshu.inference.pixels import openai_messages
from lingshu.inference.settings import Decoding, LocalExecution

WINDOW = 512  # requests given at a time: enough to keep the GPU busy, few enough to lose little to a kill


class VLLMEngine:
    """A model folder in vLLM.

    Args:
        pictures: the most pictures of one request, which vLLM must know before it starts.

    Raises:
        UserError: vllm is not installed, or it can't load the model.
    """

    def __init__(self, folder: Path, decoding: Decoding, execution: LocalExecution, pictures: int) -> None:
        try:
            import vllm  # type: ignore[import-not-found, unused-ignore] # noqa: PLC0415 - seconds, and only on Linux with CUDA
            from vllm.exceptions import VLLMClientError  # type: ignore[import-not-found, unused-ignore] # noqa: PLC0415
        except ImportError:
            raise UserError(
                "--engine vllm: vllm is not installed", "`make setup-gpu` installs it (Linux with CUDA)"
            ) from None
        self._decoding = decoding
        self._sampling = vllm.SamplingParams
        self._refusals = (
            ValueError,
            VLLMClientError,
        )  # a prompt that is too long is the latter, which is no ValueError
        try:
            self._llm = vllm.LLM(
                model=str(folder),
                dtype=decoding.dtype,
                seed=decoding.seed or 0,
                trust_remote_code=decoding.trust_remote_code,
                tensor_parallel_size=execution.tensor_parallel,
                gpu_memory_utilization=execution.gpu_memory,
                max_model_len=execution.max_model_len,
                enforce_eager=False,
                enable_prefix_caching=True,
                # The sampling defaults that a model ships must not leak into the evaluation.
                generation_config="vllm",
                **({"limit_mm_per_prompt": {"image": pictures}} if pictures else {}),
            )
        except self._refusals as error:
            raise UserError(f"{folder}: vllm can't load the model: {error}", "mend what it names") from None

    def generate(self, requests: Iterable[Request]) -> Iterator[Outcome]:
        """Yield one outcome a request, window by window, in their order."""
        source = iter(requests)
        while window := list(itertools.islice(source, WINDOW)):
            yield from self._window(window)

    def _window(self, window: Sequence[Request]) -> Iterator[Outcome]:
        conversations: list[tuple[Request, list[dict[str, Any]]]] = []
        for request in window:
            try:
                conversations.append((request, openai_messages(request, self._decoding)))
            except UserError as error:
                yield Failure(request.id, "picture", error.line)
        yield from self._chat(conversations)

    def _chat(self, conversations: Sequence[tuple[Request, list[dict[str, Any]]]]) -> Iterator[Outcome]:
        """Yield the answers; vLLM refuses a whole call for one prompt that is too long, so that one is looked for."""
        if not conversations:
            return
        start = time.monotonic()
        try:
            found = self._llm.chat(
                [messages for _, messages in conversations],
                sampling_params=[self._params(request) for request, _ in conversations],
                chat_template=self._decoding.chat_template,
                chat_template_kwargs=self._decoding.template,
                use_tqdm=False,
            )
        except self._refusals as error:
            if len(conversations) == 1:
                yield Failure(conversations[0][0].id, "bad_request", str(error))
                return
            found = None
        if found is None:
            half = len(conversations) // 2
            yield from self._chat(conversations[:half])
            yield from self._chat(conversations[half:])
            return
        seconds = round((time.monotonic() - start) / len(found), 4)
        for (request, _), output in zip(conversations, found, strict=True):
            yield _response(request, output, seconds)

    def _params(self, request: Request) -> Any:
        decoding = self._decoding
        return self._sampling(
            temperature=0.0 if decoding.temperature is None else decoding.temperature,
            top_p=decoding.top_p or 1.0,
            seed=decoding.seed,
            max_tokens=request.max_new_tokens,
        )


def _response(request: Request, output: Any, seconds: float) -> Response:
    answer = output.outputs[0]
    reason: FinishReason = "length" if answer.finish_reason == "length" else "stop"
    prompt = output.prompt_token_ids
    return Response(
        request.id,
        answer.text,
        reason,
        len(answer.token_ids),
        None if prompt is None else len(prompt),
        seconds,
    )
