"""A CLIP-family encoder in open_clip's own loaders, from the folder that `pull_encoder` left: pictures and texts.

Importing this module imports torch and timm.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError

from lingshu.core.errors import UserError
from lingshu.core.ids import canonical_json, sha256_bytes, sha256_file
from lingshu.core.layout import RAW
from lingshu.core.manifest import NAME as MANIFEST
from lingshu.modeling import encoder as named
from lingshu.modeling.encoder_params import OpenClipParams
from lingshu.modeling.open_clip_files import ORIGIN, check_folder

FOLDER = RAW / "encoder"
Features = NDArray[np.float32]


class PictureEncoder(Protocol):
    """Whatever turns pictures into features, shape (pictures, channels)."""

    def features(self, pictures: Iterable[Image.Image]) -> Features:
        """Return the features of the pictures, each by itself."""
        ...

    def in_batches(self, pictures: Iterable[Image.Image], size: int) -> Features:
        """Return the features of the pictures, `size` at once: the last bits of one depend on its batch."""
        ...


@dataclass(frozen=True, slots=True)
class OpenClipEncoder:
    """A model in evaluation mode, with its own preparation of pictures and its tokenizer.

    Attributes:
        size: pixels a side at which it sees a picture.
        scale: factor from cosine to logit, the learned temperature of its training.
    """

    model: torch.nn.Module
    prepare: Callable[[Image.Image], torch.Tensor]
    tokenizer: Callable[[Sequence[str]], torch.Tensor]
    device: str
    size: int
    scale: float

    def features(self, pictures: Iterable[Image.Image]) -> Features:
        """Return the embeddings, of length one, shape (pictures, numbers), each picture by itself."""
        return self.in_batches(pictures, 1)

    @torch.inference_mode()
    def in_batches(self, pictures: Iterable[Image.Image], size: int) -> Features:
        """Return the embeddings, of length one; the last bits of one depend on the others of its batch.

        Args:
            pictures: in order.
            size: pictures that go through at once.
        """
        model: Any = self.model
        rest, found = iter(pictures), []
        while some := list(islice(rest, size)):
            batch = torch.stack([self.prepare(picture) for picture in some]).to(self.device)
            found.append(model.encode_image(batch, normalize=True).float().cpu().numpy())
        return np.concatenate(found)

    @torch.inference_mode()
    def text_features(self, texts: Sequence[str]) -> Features:
        """Return the embeddings of texts, of length one, shape (texts, numbers)."""
        model: Any = self.model
        tokens = [self.tokenizer([text]).to(self.device) for text in texts]
        return np.concatenate([model.encode_text(one, normalize=True).float().cpu().numpy() for one in tokens])


def load_picture_encoder(
    choice: str | OpenClipParams, size: int, root: Path = Path(), device: str = "cpu"
) -> PictureEncoder:
    """Return the encoder that `pull_encoder` left in data/raw/encoder.

    Args:
        choice: `modality.encoder`.
        size: pixels a side of the pictures it will see.
        root: repository root.
        device: of an open_clip encoder, cpu or cuda.

    Raises:
        UserError: files are missing or do not fit, or the encoder takes pictures of another size.
    """
    if isinstance(choice, str):
        return named.load_encoder(choice, size, root)
    encoder = load_open_clip(root / FOLDER, device)
    if encoder.size != size:
        raise UserError(
            f"params.yaml: modality.image_size: {size}, but {choice.label} takes {encoder.size} pixels a side",
            f"set it to {encoder.size}",
        )
    return encoder


def load_open_clip(folder: Path, device: str = "cpu") -> OpenClipEncoder:
    """Return the encoder whose files lie in a folder, in open_clip's own loaders, without any network.

    Raises:
        UserError: a file is missing or of another form, the weights are of another network, or there is no such device.
    """
    config = check_folder(folder)
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("params.yaml: device: cuda, but torch sees no GPU here", "set it to cpu")
    # Imported here: slow, and encoders of catalog/encoders.yaml do without.
    import open_clip  # noqa: PLC0415

    place = f"local-dir:{folder}"
    try:
        model, _, prepare = open_clip.create_model_and_transforms(
            place, device=device, text_cfg=_text_config(config, folder)
        )
        tokenizer = open_clip.get_tokenizer(place)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, pickle.UnpicklingError, SafetensorError) as error:
        reason = " ".join(line.strip() for line in str(error).strip().splitlines()[:2])
        raise UserError(
            f"{folder}: open_clip can't load this encoder: {reason}",
            "check that open_clip_config.json, weights, config.json and tokenizer are of one encoder, and whole",
        ) from error
    sides = model.visual.image_size
    size = sides if isinstance(sides, int) else int(max(sides))
    return OpenClipEncoder(model.eval(), prepare, tokenizer, device, size, float(model.logit_scale.detach().exp()))


def _text_config(config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the text tower's part of the configuration, with a tower of transformers described by the folder."""
    text = dict(config["text_cfg"])
    if text.get("hf_model_name"):
        text |= {"hf_model_name": str(folder), "hf_model_pretrained": False}
    return text


def encoder_digest(choice: str | OpenClipParams, root: Path = Path()) -> str:
    """Return a digest over all that features depend on: the encoder's files, its name and the code that runs it.

    Raises:
        UserError: the weights are missing.
    """
    code = [named.__file__] if isinstance(choice, str) else [named.__file__, __file__]
    if isinstance(choice, str):
        files = {"weights": sha256_file(named.weights_file(root)), "encoder": choice}
    else:
        check_folder(root / FOLDER)
        paths = sorted(path for path in (root / FOLDER).iterdir() if path.name not in (MANIFEST, ORIGIN))
        files = {path.name: sha256_file(path) for path in paths}
    parts = {"files": files, "code": [sha256_file(Path(path)) for path in code]}
    return sha256_bytes(canonical_json(parts).encode())[:16]
