"""Opening a checkpoint folder: model and processor, always from disk, never from a hub."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import torch
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLForConditionalGeneration
from transformers.models.qwen2_5_vl.processing_qwen2_5_vl import Qwen2_5_VLProcessor

from lingshu.core.errors import UserError
from lingshu.modeling.patches import project_patches_by_matrix

Model: TypeAlias = Qwen2_5_VLForConditionalGeneration
Processor: TypeAlias = Qwen2_5_VLProcessor
WEIGHTS = "model.safetensors"
SHARDED_WEIGHTS = "model.safetensors.index.json"


def load_checkpoint(folder: Path, dtype: torch.dtype | None = None) -> tuple[Model, Processor]:
    """Return `(model, processor)` of a checkpoint folder, the model in evaluation mode on the CPU.

    Raises:
        UserError: the folder holds no complete checkpoint.
    """
    return load_model(folder, dtype), load_processor(folder)


def load_model(folder: Path, dtype: torch.dtype | None = None) -> Model:
    """Return the model alone, as saved or with weights of `dtype`.

    Training takes float32: a published checkpoint is bfloat16, in which steps of 1e-6 of a weight vanish.

    Raises:
        UserError: the folder holds no weights.
    """
    if not (folder / WEIGHTS).exists() and not (folder / SHARDED_WEIGHTS).exists():
        raise UserError(f"{folder}: no {WEIGHTS}, so this is no checkpoint", "run `dvc repro` to make it again")
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(
        folder, local_files_only=True, dtype="auto" if dtype is None else dtype
    )
    assert isinstance(model, Qwen2_5_VLForConditionalGeneration)
    project_patches_by_matrix(model)
    model.train(False)
    return model


def load_processor(folder: Path) -> Processor:
    """Return the processor: tokenizer, chat template and image processor; it pads on the left, as generation needs.

    Raises:
        UserError: the folder holds no processor.
    """
    if not (folder / "tokenizer.json").exists():
        raise UserError(f"{folder}: no tokenizer.json, so this is no checkpoint", "run `dvc repro` to make it again")
    processor = Qwen2_5_VLProcessor.from_pretrained(folder, local_files_only=True)
    assert isinstance(processor, Qwen2_5_VLProcessor)
    processor.tokenizer.padding_side = "left"
    return processor


def check_device(device: str, key: str) -> None:
    """Find out, before the work, that torch has no such device; `key` is where params.yaml names it.

    Raises:
        UserError: `device` is cuda, and torch sees no GPU.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError(f"params.yaml: {key}: no CUDA device here", "set it to cpu")


def use_threads(count: int) -> None:
    """Use `count` threads for tensor arithmetic (0 leaves torch's own choice).

    One thread is the fastest for models of under a million parameters: threads wait longer than they work.
    """
    if count:
        torch.set_num_threads(count)
