"""The files of an open_clip encoder in a folder: which there must be, checked before anything is loaded.

A text tower of transformers (`hf_model_name` in open_clip_config.json; BiomedCLIP's is a BERT) is described in another
repository. Here its config.json and its tokenizer lie in the same folder, so that nothing asks the hub.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lingshu.core.errors import UserError

CONFIG = "open_clip_config.json"
ORIGIN = "origin.json"  # where `pull_encoder` had the files from
TEXT_CONFIG = "config.json"
WEIGHTS = ("*.safetensors", "*.bin", "*.pth")  # in the order in which open_clip prefers them
TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model")  # one will do
TOKENIZER_FILES = (*TOKENIZERS, "tokenizer_config.json", "special_tokens_map.json", "merges.txt", "added_tokens.json")
CHANNELS = 3
PARTS = ("embed_dim", "vision_cfg", "text_cfg")
# What open_clip can use as a text tower: the keys of `open_clip.hf_configs.arch_dict` of version 3.3.
TEXT_KINDS = ("bert", "m2m_100", "mt5", "roberta", "xlm-roberta")


def read_config(path: Path) -> dict[str, Any]:
    """Return the `model_cfg` of an open_clip_config.json.

    Raises:
        UserError: it is missing, no JSON, or of another form.
    """
    where = "take the file as the encoder's repository has it"
    if not path.is_file():
        raise UserError(f"{path}: no such file, so {path.parent} holds no open_clip encoder", where)
    whole = _json(path, where)
    found = whole.get("model_cfg")
    missing = PARTS if not isinstance(found, dict) else [part for part in PARTS if part not in found]
    if missing:
        raise UserError(f"{path}: model_cfg lacks {', '.join(missing)}", where)
    assert isinstance(found, dict)
    if wrong := [part for part in PARTS[1:] if not isinstance(found[part], dict)]:
        raise UserError(f"{path}: model_cfg.{wrong[0]} is no JSON object", where)
    _check_preparation(whole.get("preprocess_cfg", {}), path, where)
    return found


def _check_preparation(found: Any, path: Path, where: str) -> None:
    """Refuse a `preprocess_cfg` whose mean or std is not numbers; open_clip has its own where it says nothing."""
    if not isinstance(found, dict):
        raise UserError(f"{path}: preprocess_cfg is no JSON object", where)
    for key in ("mean", "std"):
        value = found.get(key, 0.5)
        numbers = value if isinstance(value, list) and len(value) == CHANNELS else [value]
        if not all(type(number) in (int, float) for number in numbers):
            raise UserError(f"{path}: preprocess_cfg.{key} is not a number for each of {CHANNELS} channels", where)


def check_folder(folder: Path) -> dict[str, Any]:
    """Return the `model_cfg` of the encoder in a folder, once all its files are there.

    Raises:
        UserError: the folder or one of its files is missing, or a file is of another form.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder", "name a folder with the files of an open_clip encoder")
    config = read_config(folder / CONFIG)
    if not any(any(folder.glob(pattern)) for pattern in WEIGHTS):
        raise UserError(f"{folder}: no weights", f"put the encoder's {' or '.join(WEIGHTS)} there")
    text = config["text_cfg"]
    if (tower := text.get("hf_model_name")) and not is_text_config(folder / TEXT_CONFIG):
        raise UserError(
            f"{folder / TEXT_CONFIG}: missing, or not of the text tower {tower} (open_clip knows "
            f"{', '.join(TEXT_KINDS)})",
            f"put config.json of {tower} there",
        )
    if (tower := text.get("hf_tokenizer_name")) and not any((folder / name).is_file() for name in TOKENIZERS):
        raise UserError(f"{folder}: no tokenizer", f"put tokenizer.json (or {TOKENIZERS[1]} …) of {tower} there")
    return config


def is_text_config(path: Path) -> bool:
    """Return whether a file is the configuration of a text tower that open_clip can use.

    Raises:
        UserError: it is no JSON.
    """
    return path.is_file() and _json(path, "take the file of the text tower").get("model_type") in TEXT_KINDS


def _json(path: Path, fix: str) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: can't be read as JSON: {error}", fix) from None
    return found if isinstance(found, dict) else {}
