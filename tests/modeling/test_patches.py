"""Patch embedding by a matrix product: the same numbers, gradients and weight names as the convolution."""

from __future__ import annotations

import torch

from lingshu.modeling.patches import PatchProjection, project_patches_by_matrix
from tests.tiny_model import tiny


def convolution(model: torch.nn.Module) -> torch.nn.Conv3d:
    shape = model.model.visual.patch_embed.proj
    plain = torch.nn.Conv3d(shape.in_channels, shape.out_channels, shape.kernel_size, stride=shape.stride, bias=False)
    plain.weight.data.copy_(shape.weight.data)
    return plain


def test_it_computes_what_the_convolution_computes() -> None:
    model = tiny()[0]
    embed = model.model.visual.patch_embed.double()
    plain = convolution(model).double()
    patches = torch.randn(50, embed.proj.weight[0].numel(), dtype=torch.float64)
    by_convolution = plain(patches.view(-1, *plain.weight.shape[1:])).flatten(1)
    by_convolution.square().sum().backward()
    by_matrix = embed(patches)
    by_matrix.square().sum().backward()
    torch.testing.assert_close(by_matrix, by_convolution)
    torch.testing.assert_close(embed.proj.weight.grad, plain.weight.grad)


def test_the_weights_keep_their_name_and_stay_the_ones_that_are_trained() -> None:
    model = tiny()[0]
    model.model.visual.patch_embed.proj = convolution(model)
    weight, names = model.model.visual.patch_embed.proj.weight, list(model.state_dict())
    project_patches_by_matrix(model)
    assert isinstance(model.model.visual.patch_embed.proj, PatchProjection)
    assert model.model.visual.patch_embed.proj.weight is weight
    assert list(model.state_dict()) == names
