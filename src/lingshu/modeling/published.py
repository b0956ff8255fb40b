"""A published backbone in place of the one we make: fetched from the hub or a folder, checked, and kept as it is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from transformers.models.qwen2_5_vl.configuration_qwen2_5_vl import Qwen2_5_VLConfig

from lingshu.core.errors import UserError
from lingshu.core.files import fresh_dir
from lingshu.modeling.freeze import part_sizes
from lingshu.modeling.load import SHARDED_WEIGHTS, WEIGHTS, Model, load_processor
from lingshu.modeling.params import BackboneParams, ImageParams

ARCHITECTURE = "qwen2_5_vl"
FILES = ["*.json", "*.safetensors", "*.jinja", "merges.txt"]  # never pickles
KEY = "params.yaml: modeling.backbone"


def take_published(folder: Path, params: BackboneParams, image: ImageParams) -> dict[str, Any]:
    """Write the published checkpoint to `folder`, with the recipe's picture limits; return its metrics.

    Raises:
        UserError: the hub or folder does not give it, files are missing, or it is of another architecture.
    """
    found = _from_hub(params) if params.hub is not None else Path(params.folder or "")
    config = _config(found)
    partial = fresh_dir(folder.with_name(f".{folder.name}.partial"))
    for path in sorted(found.iterdir()):
        if any(path.match(pattern) for pattern in FILES):
            shutil.copyfile(path, partial / path.name)  # the hub's cache holds links
    processor = load_processor(partial)
    size = {"shortest_edge": image.min_pixels, "longest_edge": image.max_pixels}
    for part in (processor.image_processor, processor.video_processor):
        part.size = dict(size)
    processor.save_pretrained(partial)
    fresh_dir(folder).rmdir()
    partial.replace(folder)
    with torch.device("meta"):
        sizes = part_sizes(Model(config))  # type: ignore[no-untyped-call]
    return {
        "published": {"hub": params.hub, "revision": found.name if params.hub is not None else None},
        "vocabulary": config.get_text_config().vocab_size,
        "parameters": {part: size.total for part, size in sizes.items()},
        "pretraining": {"conversations": 0},
    }


def _from_hub(params: BackboneParams) -> Path:
    """Return the folder of the hub's cache that holds the revision; it is named by its commit."""
    assert params.hub is not None
    try:
        return Path(snapshot_download(params.hub, revision=params.revision, allow_patterns=FILES))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().split("\n", maxsplit=1)[0]
        raise UserError(
            f"{KEY}: the hub does not give {params.hub} at {params.revision or 'its default branch'} ({reason})",
            "check name and revision, run `hf auth login` for a gated model, or give modeling.backbone.folder",
        ) from None


def _config(folder: Path) -> Qwen2_5_VLConfig:
    """Return the checkpoint's configuration, once all files are there.

    Raises:
        UserError: a file is missing, or the architecture is another.
    """
    where = "name a folder with a whole checkpoint, or a hub id"
    if not (folder / "config.json").is_file():
        raise UserError(f"{KEY}: {folder}: no config.json, so this is no checkpoint", where)
    kind = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    if kind != ARCHITECTURE:
        raise UserError(
            f"{KEY}: {folder}: model_type is {kind!r}, not {ARCHITECTURE!r}", "name a Qwen2.5-VL checkpoint"
        )
    index = folder / SHARDED_WEIGHTS
    needed = {WEIGHTS}
    if index.is_file():
        needed = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    if missing := sorted(name for name in {*needed, "tokenizer.json"} if not (folder / name).is_file()):
        raise UserError(f"{KEY}: {folder}: {', '.join(missing[:3])} missing", where)
    config = Qwen2_5_VLConfig.from_pretrained(folder, local_files_only=True)
    assert isinstance(config, Qwen2_5_VLConfig)
    return config
