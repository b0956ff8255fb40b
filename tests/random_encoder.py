"""Random weights of the catalogued encoder, under their published names, where `pull_encoder` puts the real ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import timm
import torch

ENCODER = "efficientnet_lite0"
REPOSITORY = Path(__file__).parents[1]
LAYERS_OF_A_BLOCK = {
    True: ["_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2"],
    False: ["_depthwise_conv", "_bn1", "_project_conv", "_bn2"],
}


def published_names() -> list[str]:
    """The names in the published file, in its order: 16 blocks numbered through, all but the first with expansion."""
    layers = ["_conv_stem", "_bn0"]
    for number in range(16):
        layers += [f"_blocks.{number}.{layer}" for layer in LAYERS_OF_A_BLOCK[number > 0]]
    layers += ["_conv_head", "_bn1"]
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    names = [f"{layer}.{part}" for layer in layers for part in (norm if "_bn" in layer else ("weight",))]
    return [*names, "_fc.weight", "_fc.bias"]


def put_encoder(root: Path) -> dict[str, torch.Tensor]:
    """Write random weights under the published names where `pull_encoder` leaves the real ones; return timm's."""
    torch.manual_seed(0)
    state = timm.create_model("tf_efficientnet_lite0", pretrained=False).state_dict()
    names = published_names()
    assert len(names) == len(state)
    folder = root / "data/raw/encoder"
    folder.mkdir(parents=True)
    torch.save(dict(zip(names, state.values(), strict=True)), folder / "random.pth")
    (root / "catalog").mkdir()
    shutil.copy(REPOSITORY / "catalog/encoders.yaml", root / "catalog")
    return state
