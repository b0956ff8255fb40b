"""Attention over segments of one long row, on any device, with the call contract of variable-length flash attention.

Several samples (or the patches of several pictures) lie in one row. Qwen2.5-VL's own code without flash attention
loops over pictures in its vision tower and builds a square mask over the whole row in its language model. Here every
segment becomes one line of a padded batch, with others of about its length, and a fused kernel call for each batch
does the rest. Segments come as `cu_seq_lens_q` (vision) or as position ids that restart at 0 (language model), exactly
as `flash_attention_2` takes them, so the same batches run there.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from lingshu.modeling.load import Model

# Qwen2.5-VL hands its vision tower's segment bounds only to implementations with "flash" in their name.
NAME = "segment_flash"
GROUPS = 4  # padded batches of one call: in one alone, packed samples of mini would be padded to twice their tokens


def use_segments(model: Model, *, text: bool) -> None:
    """Make the vision tower attend by segments, and with `text` the language model too.

    With `text`, inputs must be single rows with position ids of shape (4, 1, tokens) and no attention mask. Without
    it, the language model keeps its own implementation and takes padded batches (generation).
    """
    parts = {"vision_config": NAME} | ({"text_config": NAME} if text else {})
    model.set_attn_implementation(parts)


def segment_attention(  # noqa: PLR0917 (transformers passes the first five by position)
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    cu_seq_lens_q: Tensor | None = None,
    position_ids: Tensor | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Return attention within each segment, shape (1, tokens, heads, head size), causal if the module is.

    Args:
        query: shape (1, heads, tokens, head size); key and value may have fewer heads (grouped queries).
        attention_mask: always None: the segments say it all.
        cu_seq_lens_q: shape (segments + 1,), first token of each segment, then the number of tokens.
        position_ids: shape (1, tokens), used when there is no `cu_seq_lens_q`: 0 starts a segment.

    Raises:
        ValueError: a padded batch was given, or nothing says where segments begin.
    """
    if attention_mask is not None or query.shape[0] != 1:
        raise ValueError("segment attention takes one row without a mask")
    if cu_seq_lens_q is None:
        if position_ids is None:
            raise ValueError("segment attention needs cu_seq_lens_q or position ids that restart at 0")
        cu_seq_lens_q = bounds_of(position_ids[0])
    lengths = torch.diff(cu_seq_lens_q)
    causal = bool(module.is_causal)
    if int(lengths.min()) == int(lengths.max()):
        batch = [_split(tensor, lengths.numel()) for tensor in (query, key, value)]
        output = _attend(*batch, causal=causal, mask=None, scaling=scaling)
        return output.reshape(1, -1, *output.shape[2:]), None
    return _by_length(query, key, value, cu_seq_lens_q, causal=causal, scaling=scaling), None


def _by_length(
    query: Tensor, key: Tensor, value: Tensor, bounds: Tensor, *, causal: bool, scaling: float | None
) -> Tensor:
    """Attend in `GROUPS` padded batches, the shortest segments in the first; shape (1, tokens, heads, head size)."""
    lengths = torch.diff(bounds)
    tokens: list[Tensor] = []
    outputs: list[Tensor] = []
    for group in torch.argsort(lengths).tensor_split(min(GROUPS, lengths.numel())):
        steps = torch.arange(int(lengths[group[-1]]), device=query.device)
        valid = steps < lengths[group, None]
        places = (bounds[group, None] + steps).clamp(max=query.shape[2] - 1)
        batch = [_gather(tensor, places) for tensor in (query, key, value)]
        # In a causal row, padding lies after every real token and is never seen by one.
        mask = None if causal else valid[:, None, None, :]
        outputs.append(_attend(*batch, causal=causal, mask=mask, scaling=scaling)[valid])
        tokens.append(places[valid])
    return torch.cat(outputs)[torch.argsort(torch.cat(tokens))].unsqueeze(0)


def bounds_of(positions: Tensor) -> Tensor:
    """Return segment bounds, shape (segments + 1,), of a row of position ids, shape (tokens,), that restart at 0."""
    starts = torch.nonzero(positions == 0).flatten()
    return torch.cat([starts, starts.new_tensor([positions.numel()])])


def _split(tensor: Tensor, segments: int) -> Tensor:
    """(1, heads, tokens, size) to (segments, heads, length, size) for segments of equal length."""
    return tensor.reshape(tensor.shape[1], segments, -1, tensor.shape[3]).transpose(0, 1)


def _gather(tensor: Tensor, places: Tensor) -> Tensor:
    """(1, heads, tokens, size) to (segments, heads, longest, size) by token numbers of shape (segments, longest)."""
    return tensor[0].transpose(0, 1)[places].transpose(1, 2)


def _attend(
    query: Tensor, key: Tensor, value: Tensor, *, causal: bool, mask: Tensor | None, scaling: float | None
) -> Tensor:
    output = scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=mask,
        is_causal=causal,
        scale=scaling,
        enable_gqa=query.shape[1] != key.shape[1],
    )
    return output.transpose(1, 2)


def _no_mask(**_: Any) -> None:
    """Segments replace the mask."""


ALL_ATTENTION_FUNCTIONS.register(NAME, segment_attention)
ALL_MASK_ATTENTION_FUNCTIONS.register(NAME, _no_mask)
