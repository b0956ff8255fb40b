"""Any chat model of the hub or of a folder on this machine: its own chat template, batches of similar length."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from jinja2 import TemplateError, TemplateSyntaxError
from PIL import Image
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoProcessor,
    AutoTokenizer,
)
from transformers.generation.configuration_utils import GenerationConfig

from lingshu.core.errors import UserError
from lingshu.core.ids import stable_hash
from lingshu.core.whole_model import check_whole
from lingshu.inference.engine import Failure, Outcome, Request, Response, plan_batches
from lingshu.inference.pixels import decoded
from lingshu.inference.settings import Decoding, LocalExecution
from lingshu.inference.transformers_engine import end_tokens, read_tokens
from lingshu.modeling.load import use_threads

_LIBRARIES_SAY = (OSError, ValueError, ImportError, KeyError, TypeError, AttributeError, RuntimeError)
_DAMAGED = (*_LIBRARIES_SAY, SafetensorError, StrictDataclassError)  # what a folder's files make them stumble over
BATCHES_AHEAD = 16  # requests of so many batches are taken at a time and sorted by length


@dataclass(frozen=True, slots=True)
class _Ready:
    """A request with its prompt as text and its pictures decoded."""

    request: Request
    text: str
    pictures: list[Image.Image]


class ChatEngine:
    """A model loaded once by its own configuration: with pictures if it takes them, else text alone.

    Raises:
        UserError: the folder holds no chat model, or not the whole of it; or `device` is `cuda` and there is none.
    """

    def __init__(self, folder: Path, decoding: Decoding, execution: LocalExecution) -> None:
        self._folder, self._decoding, self._batch_size = folder, decoding, execution.batch_size
        use_threads(execution.threads)
        device = _device(execution.device)
        try:
            config = AutoConfig.from_pretrained(folder, trust_remote_code=decoding.trust_remote_code)
            self.takes_pictures = type(config) in AutoModelForImageTextToText._model_mapping
            self._model = self._load(config).to(device)
            self._processor = self._load_processor()
        except _DAMAGED as error:
            kind = "" if isinstance(error, OSError | ValueError | ImportError) else f"{type(error).__name__}: "
            raise UserError(f"{folder}: not a model that can be loaded: {kind}{error}", "name another model") from None
        self._model.train(False)
        self._tokenizer = self._processor.tokenizer if self.takes_pictures else self._processor
        self._tokenizer.padding_side = "left"
        eos = self._model.generation_config.eos_token_id
        self._ends = end_tokens(self._tokenizer.eos_token_id if eos is None else eos, folder)
        # `generate` fills what a configuration leaves out from the model's own: a repetition penalty, and more.
        self._model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        text_config = config.get_text_config()
        self._room: int | None = getattr(text_config, "max_position_embeddings", None)

    def _load(self, config: Any) -> Any:
        auto: Any = AutoModelForImageTextToText if self.takes_pictures else AutoModelForCausalLM
        model, told = auto.from_pretrained(
            self._folder,
            config=config,
            dtype=self._decoding.dtype,
            trust_remote_code=self._decoding.trust_remote_code,
            output_loading_info=True,
        )
        check_whole(model, told, str(self._folder))
        return model

    def _load_processor(self) -> Any:
        auto: Any = AutoProcessor if self.takes_pictures else AutoTokenizer
        try:
            processor = auto.from_pretrained(self._folder, trust_remote_code=self._decoding.trust_remote_code)
        except Exception as error:
            if type(error) is Exception:  # tokenizers raises it bare, with the parser's message
                raise ValueError(str(error)) from None
            raise
        if self._decoding.chat_template is not None:
            processor.chat_template = self._decoding.chat_template
        if not processor.chat_template:
            raise UserError(
                f"{self._folder}: no chat template, so this is no chat model",
                "name the instruct model, or give a template by --chat-template FILE",
            )
        return processor

    def generate(self, requests: Iterable[Request]) -> Iterator[Outcome]:
        """Yield one outcome a request, batch by batch, of each window of requests the longest prompts last.

        Turns that the chat template refuses are a failure of their request.

        Raises:
            UserError: the chat template is no Jinja, or there are pictures and the model takes none.
        """
        source = iter(requests)
        while window := list(itertools.islice(source, self._batch_size * BATCHES_AHEAD)):
            for with_pictures in (False, True):
                group = [request for request in window if bool(request.pictures) == with_pictures]
                for batch in plan_batches(group, self._batch_size):
                    yield from self._batch(batch)

    def _batch(self, batch: Sequence[Request]) -> Iterator[Outcome]:
        ready: list[_Ready] = []
        for request in batch:
            try:
                ready.append(self._ready(request))
            except _UnreadableError as error:
                yield Failure(request.id, "picture", str(error))
            except TemplateSyntaxError as error:
                raise UserError(
                    f"the chat template is no Jinja: line {error.lineno}: {error.message}", "mend --chat-template"
                ) from None
            except TemplateError as error:
                yield Failure(request.id, "bad_request", f"the chat template refuses the turns: {error.message}")
        yield from self._answer(ready)

    def _ready(self, request: Request) -> _Ready:
        if request.pictures and not self.takes_pictures:
            raise UserError(f"{self._folder}: the model takes no pictures", "add --blind, or ask --suite text")
        try:
            pictures = [decoded(picture, self._decoding) for picture in request.pictures]
        except UserError as error:
            raise _UnreadableError(error.line) from None
        return _Ready(request, self._rendered(request), pictures)

    def _rendered(self, request: Request) -> str:
        turns: list[Any] = list(request.messages)
        if not self.takes_pictures:
            turns = [
                {"role": turn["role"], "content": "\n".join(part["text"] for part in turn["content"])} for turn in turns
            ]
        text = self._processor.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True, **self._decoding.template
        )
        assert isinstance(text, str)
        return text

    def _answer(self, ready: list[_Ready]) -> Iterator[Outcome]:
        """Yield the answers to one batch; one that does not fit into the GPU's memory is halved until it does."""
        if not ready:
            return
        start = time.monotonic()
        try:
            found = self._generated(ready)
        except torch.OutOfMemoryError as error:
            if len(ready) == 1:
                yield Failure(ready[0].request.id, "out_of_memory", str(error).partition("\n")[0])
                return
            found = None
        if found is None:
            torch.cuda.empty_cache()
            yield from self._answer(ready[: len(ready) // 2])
            yield from self._answer(ready[len(ready) // 2 :])
            return
        seconds = round((time.monotonic() - start) / len(ready), 4)
        yield from (replace(o, seconds=seconds) if isinstance(o, Response) else o for o in found)

    def _generated(self, ready: list[_Ready]) -> list[Outcome]:
        inputs = self._inputs(ready).to(self._model.device)
        length = inputs["input_ids"].shape[1]
        limit = max(item.request.max_new_tokens for item in ready)
        if self._room is not None:
            limit = min(limit, self._room - length)
        if limit < 1:
            return self._too_long(ready, length)
        with torch.inference_mode():
            tokens = self._model.generate(**inputs, generation_config=self._config(ready, limit))
        lengths = inputs["attention_mask"].sum(dim=1).tolist()
        return [
            replace(read_tokens(item.request, row[:limit], self._ends, self._tokenizer), prompt_tokens=size)
            for item, row, size in zip(ready, tokens[:, length:].tolist(), lengths, strict=True)
        ]

    def _too_long(self, ready: list[_Ready], length: int) -> list[Outcome]:
        """Ask a batch one by one when its longest prompt fills the model's context, so that only that one fails."""
        if len(ready) > 1:
            return [outcome for item in ready for outcome in self._generated([item])]
        detail = f"the prompt has {length} tokens, the model {self._room} places"
        return [Failure(ready[0].request.id, "context_length", detail)]

    def _inputs(self, ready: list[_Ready]) -> Any:
        texts = [item.text for item in ready]
        # A template that writes the begin mark itself must not get a second one.
        bos = self._tokenizer.bos_token
        marked = not self.takes_pictures or (bos is not None and texts[0].startswith(bos))
        options: dict[str, Any] = {"add_special_tokens": False} if marked else {}
        if self.takes_pictures:
            pictures = [item.pictures for item in ready] if ready[0].pictures else None
            return self._processor(text=texts, images=pictures, padding=True, return_tensors="pt", **options)
        return self._tokenizer(texts, padding=True, return_tensors="pt", return_token_type_ids=False, **options)

    def _config(self, ready: list[_Ready], limit: int) -> GenerationConfig:
        """Return a fresh configuration: sampling defaults that a model ships must not leak into the evaluation."""
        decoding = self._decoding
        sampling: dict[str, Any] = {"do_sample": False}
        if decoding.temperature:
            torch.manual_seed(stable_hash(decoding.seed or 0, *(item.request.id for item in ready)) % (1 << 63))
            sampling = {"do_sample": True, "temperature": decoding.temperature, "top_p": decoding.top_p or 1.0}
            sampling["top_k"] = 0
        return GenerationConfig(  # type: ignore[no-untyped-call]
            max_new_tokens=limit, eos_token_id=list(self._ends), pad_token_id=self._tokenizer.pad_token_id, **sampling
        )


class _UnreadableError(Exception):
    """A picture of one request can't be read; the others of its batch can be answered."""


def _device(name: str) -> str:
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: no CUDA device here", "use --device cpu")
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
