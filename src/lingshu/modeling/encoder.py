"""The pretrained encoder: weights from a registry package in timm's architecture, pictures to feature vectors.

The published file names its layers as lukemelas' EfficientNet-PyTorch does, timm otherwise: names are translated one
by one, and `load_state_dict(strict=True)` proves that every name and shape is met. Importing this module imports torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from PIL import Image

from lingshu.core.errors import UserError
from lingshu.core.layout import CATALOG, RAW
from lingshu.core.params import read_yaml

WEIGHTS_FOLDER = RAW / "encoder"
CATALOG_FILE = CATALOG / "encoders.yaml"
STRIDE = 32  # pixels of a cell of the last feature map, as in every network of this family
TOP = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
# A block without expansion is timm's depthwise-separable one, whose pointwise layer has another name.
PLAIN_BLOCK = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
EXPANDED_BLOCK = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


@dataclass(frozen=True, slots=True)
class Encoder:
    """A network in evaluation mode and how it wants its pictures: pixels a side, and mean and spread of a channel."""

    network: torch.nn.Module
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @torch.inference_mode()
    def features(self, pictures: Iterable[Image.Image]) -> NDArray[np.float32]:
        """Return the pooled features, shape (pictures, channels); a picture is stretched to a square.

        Pictures go through one by one: in a batch, the last bits of a picture's features depend on its neighbours.
        """
        return np.concatenate([self.network(self._input(picture)).numpy() for picture in pictures])

    @torch.inference_mode()
    def in_batches(self, pictures: Iterable[Image.Image], size: int) -> NDArray[np.float32]:
        """Return the pooled features as `features` does, `size` pictures at once: the last bits are a batch's."""
        rest, found = iter(pictures), []
        while some := list(islice(rest, size)):
            found.append(self.network(torch.cat([self._input(picture) for picture in some])).numpy())
        return np.concatenate(found)

    @torch.no_grad()
    def feature_maps(self, pictures: Iterable[Image.Image], width: int, height: int) -> torch.Tensor:
        """Return the last feature maps, shape (pictures, rows, columns, channels), one cell for each `STRIDE` pixels.

        Args:
            pictures: each is stretched to the given size.
            width: in pixels, a multiple of `STRIDE`, as is `height`.
        """
        network: Any = self.network
        batch = torch.cat([self._input(picture, (width, height)) for picture in pictures])
        maps: torch.Tensor = network.forward_features(batch)
        return maps.permute(0, 2, 3, 1)

    def _input(self, picture: Image.Image, size: tuple[int, int] | None = None) -> torch.Tensor:
        small = picture.convert("RGB").resize(size or (self.size, self.size), Image.Resampling.BICUBIC)
        pixels = torch.from_numpy(np.array(small)).float() / 255.0
        scaled = (pixels - torch.tensor(self.mean)) / torch.tensor(self.std)
        return scaled.permute(2, 0, 1)[None].contiguous(memory_format=torch.channels_last)


def load_encoder(name: str, size: int, root: Path = Path(), classify: bool = False) -> Encoder:
    """Return the encoder `name` of catalog/encoders.yaml with the weights that `pull_encoder` left in data/raw/encoder.

    Args:
        name: key of the catalogue.
        size: pixels a side of the pictures it will see.
        root: repository root.
        classify: return ImageNet class scores instead of pooled features (to check the weights).

    Raises:
        UserError: the catalogue lacks the name, or there is not exactly one weights file, or it does not fit.
    """
    catalogue = read_yaml(root / CATALOG_FILE)
    if name not in catalogue:
        raise UserError(f"params.yaml: modality.encoder: {name!r} is not in {CATALOG_FILE}", f"use {sorted(catalogue)}")
    architecture = catalogue[name]["architecture"]
    network: Any = timm.create_model(architecture, pretrained=False)
    path = weights_file(root)
    published = torch.load(path, map_location="cpu", weights_only=True)
    try:
        network.load_state_dict(translated(published, list(network.state_dict())), strict=True)
    except (KeyError, RuntimeError) as error:
        raise UserError(f"{path}: not the weights of {architecture}: {error}", f"correct {CATALOG_FILE}") from error
    if not classify:
        network.reset_classifier(0)
    settings = network.pretrained_cfg
    network = network.eval().to(memory_format=torch.channels_last)  # the faster layout of convolutions on a CPU
    return Encoder(network, size, tuple(settings["mean"]), tuple(settings["std"]))


def weights_file(root: Path = Path()) -> Path:
    """Return the one weights file under data/raw/encoder.

    Raises:
        UserError: there is none, or more than one.
    """
    found = sorted((root / WEIGHTS_FOLDER).glob("*.pth"))
    if len(found) != 1:
        raise UserError(f"{WEIGHTS_FOLDER}: {len(found)} weights files, wanted one", "run `dvc repro pull_encoder`")
    return found[0]


def translated(published: dict[str, torch.Tensor], wanted: list[str]) -> dict[str, torch.Tensor]:
    """Return the published tensors under timm's names.

    Args:
        published: names such as `_blocks.5._expand_conv.weight`, blocks numbered through.
        wanted: timm's names, such as `blocks.3.0.conv_pw.weight`, blocks numbered by stage.

    Raises:
        KeyError: a published name has no counterpart.
    """
    places = list(dict.fromkeys(".".join(name.split(".")[:3]) for name in wanted if name.startswith("blocks.")))
    expanded = {name.split(".")[1] for name in published if "._expand_conv." in name}
    result = {}
    for name, tensor in published.items():
        if not name.startswith("_blocks."):
            layer, rest = name.split(".", 1)
            result[f"{TOP[layer]}.{rest}"] = tensor
            continue
        _, number, layer, rest = name.split(".", 3)
        block = EXPANDED_BLOCK if number in expanded else PLAIN_BLOCK
        result[f"{dict(enumerate(places))[int(number)]}.{block[layer]}.{rest}"] = tensor
    return result
