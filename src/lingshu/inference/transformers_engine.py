"""Generating with a checkpoint on this machine: left-padded batches, greedy, with a key-value cache."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers.generation.configuration_utils import GenerationConfig

from lingshu.core.errors import UserError
from lingshu.core.question import PictureFile
from lingshu.inference.engine import Request, Response
from lingshu.inference.params import GenerationParams
from lingshu.modeling.load import check_device, load_checkpoint, use_threads
from lingshu.modeling.template import render_prompt


class TransformersEngine:
    """A checkpoint folder, loaded once; each call of `generate` is one padded batch.

    Raises:
        UserError: the folder holds no checkpoint, or `device` is `cuda` and there is none.
    """

    def __init__(self, folder: Path, params: GenerationParams) -> None:
        check_device(params.device, "inference.generation.device")
        use_threads(params.threads)
        self._model, self._processor = load_checkpoint(folder)
        self._model.to(params.device)  # type: ignore[arg-type]
        self._ends = end_tokens(self._model.generation_config.eos_token_id, folder)
        # `generate` fills what a configuration leaves out from the model's own: a repetition penalty, and more.
        self._model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
        self._pad = self._processor.tokenizer.pad_token_id

    def generate(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Yield one response a request, in their order.

        Raises:
            UserError: a picture is in no image folder.
        """
        batch = list(requests)
        inputs = self._inputs(batch)
        # A fresh configuration: sampling defaults that a checkpoint ships must not leak into the evaluation.
        config = GenerationConfig(  # type: ignore[no-untyped-call]
            do_sample=False,
            max_new_tokens=max(request.max_new_tokens for request in batch),
            eos_token_id=list(self._ends),
            pad_token_id=self._pad,
        )
        with torch.inference_mode():
            tokens = self._model.generate(**inputs, generation_config=config)  # type: ignore[misc]
        for request, row in zip(batch, tokens[:, inputs["input_ids"].shape[1] :].tolist(), strict=True):
            yield read_tokens(request, row, self._ends, self._processor.tokenizer)

    def _inputs(self, requests: Sequence[Request]) -> Any:
        texts = [render_prompt(self._processor, list(request.messages)) for request in requests]
        pictures = [_decoded(picture) for request in requests for picture in request.pictures]
        encoded = self._processor(text=texts, images=pictures or None, padding=True, return_tensors="pt")
        return encoded.to(self._model.device)


def _decoded(picture: PictureFile) -> Image.Image:
    with Image.open(io.BytesIO(picture.read())) as opened:
        return opened.convert("RGB")


def read_tokens(request: Request, row: list[int], ends: frozenset[int], tokenizer: Any) -> Response:
    """Return what a row of new token ids says, up to the first end mark or the request's limit."""
    end = next((i for i, token in enumerate(row[: request.max_new_tokens]) if token in ends), None)
    kept = row[: request.max_new_tokens if end is None else end]
    text = tokenizer.decode(kept, skip_special_tokens=True)
    return Response(request.id, text, "length" if end is None else "stop", len(kept))


def end_tokens(ids: int | list[int] | None, model: Path | str) -> frozenset[int]:
    """Return the end marks of a model.

    Raises:
        UserError: it has none.
    """
    if ids is None:
        raise UserError(
            f"{model}: generation_config.json: no eos_token_id, so responses would never end",
            "add it to the checkpoint",
        )
    return frozenset([ids] if isinstance(ids, int) else ids)
