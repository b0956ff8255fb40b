"""Patch embedding as one matrix product.

Qwen2.5-VL's kernel is as large as its stride, so its 3-D convolution multiplies each patch with one matrix. Done as a
convolution, forward and backward of 1,000 patches of the mini tower take 54 ms of CPU time; as a product they take 8 ms
(docs/decisions/0014).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLForConditionalGeneration


class PatchProjection(torch.nn.Conv3d):
    """A 3-D convolution whose input is exactly one kernel in size; weights and their names are the convolution's."""

    def forward(self, input: Tensor) -> Tensor:
        """Return projections, shape (patches, channels, 1, 1, 1), of patches of shape (patches, 3, time, rows, columns)."""
        return linear(input.flatten(1), self.weight.flatten(1))[:, :, None, None, None]


def project_patches_by_matrix(model: Qwen2_5_VLForConditionalGeneration) -> None:
    """Replace the vision tower's patch convolution by the same weights in a `PatchProjection`."""
    embed = model.model.visual.patch_embed
    old = embed.proj
    with torch.device("meta"):
        new = PatchProjection(old.in_channels, old.out_channels, old.kernel_size, stride=old.stride, bias=False)
    new.weight = old.weight
    embed.proj = new
