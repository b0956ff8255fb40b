"""The mini model: Qwen2.5-VL's architecture with random weights, its processor, and how a checkpoint is saved."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers.models.qwen2_5_vl.configuration_qwen2_5_vl import Qwen2_5_VLConfig
from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor
from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor
from transformers.tokenization_utils_tokenizers import PreTrainedTokenizerFast

from lingshu.core.files import fresh_dir
from lingshu.modeling.load import Model, Processor
from lingshu.modeling.params import ImageParams, MadeParams, ModelingParams, TextParams, VisionParams
from lingshu.modeling.patches import project_patches_by_matrix
from lingshu.modeling.tokenizer import IMAGE_PAD, TURN_END, VIDEO_PAD, VISION_END, VISION_START

TEMPORAL_PATCH = 2


def fix_seed(seed: int) -> None:
    """Seed every generator training draws from, and refuse tensor operations that are not repeatable."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    # It would also fill each new tensor, so that one read too early shows: 1.6 % of a training step of mini.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def build_model(params: ModelingParams, tokenizer: PreTrainedTokenizerFast) -> Model:
    """Return a model with random weights (from torch's generator) whose token ids are the tokenizer's."""
    ids = tokenizer.get_vocab()
    model = Model(_config(params.made, tokenizer, ids))  # type: ignore[no-untyped-call]
    project_patches_by_matrix(model)
    model.generation_config.eos_token_id = ids[TURN_END]
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model


def _config(params: MadeParams, tokenizer: PreTrainedTokenizerFast, ids: dict[str, int]) -> Qwen2_5_VLConfig:
    text, vision = params.text, params.vision
    return Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": text.hidden,
            "intermediate_size": text.intermediate,
            "num_hidden_layers": text.layers,
            "num_attention_heads": text.heads,
            "num_key_value_heads": text.kv_heads,
            "max_position_embeddings": text.max_positions,
            "rope_parameters": _rope(text),
            "tie_word_embeddings": True,
            "initializer_range": params.initializer_range,
            "bos_token_id": None,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config={
            "depth": vision.depth,
            "hidden_size": vision.hidden,
            "intermediate_size": vision.intermediate,
            "num_heads": vision.heads,
            "patch_size": vision.patch,
            "spatial_merge_size": vision.merge,
            "temporal_patch_size": TEMPORAL_PATCH,
            "window_size": vision.window,
            "fullatt_block_indexes": [vision.depth - 1],
            "out_hidden_size": text.hidden,
            "initializer_range": params.initializer_range,
        },
        image_token_id=ids[IMAGE_PAD],
        video_token_id=ids[VIDEO_PAD],
        vision_start_token_id=ids[VISION_START],
        vision_end_token_id=ids[VISION_END],
        tie_word_embeddings=True,
    )


def _rope(text: TextParams) -> dict[str, Any]:
    return {"rope_type": "default", "rope_theta": text.rope_theta, "mrope_section": text.mrope_section}


def build_processor(vision: VisionParams, image: ImageParams, tokenizer: PreTrainedTokenizerFast) -> Processor:
    """Return the processor that turns pictures and text into the model's input."""
    size = {"shortest_edge": image.min_pixels, "longest_edge": image.max_pixels}
    shape = {"patch_size": vision.patch, "merge_size": vision.merge, "temporal_patch_size": TEMPORAL_PATCH}
    return Processor(  # type: ignore[no-untyped-call]
        image_processor=Qwen2VLImageProcessor(size=dict(size), **shape),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(size=dict(size), **shape),
        chat_template=tokenizer.chat_template,
    )


def save_checkpoint(folder: Path, model: Model, processor: Processor) -> None:
    """Write weights, configuration and processor to `folder`, replacing it only when all is written."""
    partial = fresh_dir(folder.with_name(f".{folder.name}.partial"))
    model.save_pretrained(partial)
    processor.save_pretrained(partial)
    fresh_dir(folder).rmdir()
    partial.replace(folder)
