"""A tiny encoder of BiomedCLIP's kind (timm ViT and a BERT of transformers), random, written as its repository is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import open_clip
import torch
from transformers import BertConfig, BertTokenizerFast

SIDE = 32
TOWER = "owner/tiny-bert"  # the repository that describes the text tower, as BiomedCLIP's does
WORDS = [
    "a",
    "an",
    "of",
    "this",
    "is",
    "image",
    "picture",
    "photo",
    "x",
    "ray",
    "ct",
    "mri",
    "ultrasound",
    "scan",
    "slice",
    "film",
    "medical",
    "not",
]
MODEL: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"timm_model_name": "test_vit", "timm_pool": "", "timm_proj": "linear", "image_size": SIDE},
    "text_cfg": {
        "hf_model_name": TOWER,
        "hf_tokenizer_name": TOWER,
        "hf_proj_type": "mlp",
        "hf_pooler_type": "cls_last_hidden_state_pooler",
        "context_length": 16,
    },
}
PREPARATION = {"mean": [0.48, 0.46, 0.41], "std": [0.27, 0.26, 0.28]}


def put_open_clip(folder: Path) -> None:
    """Write open_clip_config.json, weights, config.json and tokenizer of a random encoder; no network is asked."""
    folder.mkdir(parents=True)
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "-", *letters, *(f"##{one}" for one in letters), *WORDS]
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(tokens)) + "\n")
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    text = BertConfig(
        vocab_size=len(dict.fromkeys(tokens)), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=16, initializer_range=1.0,
    )  # fmt: skip
    text.save_pretrained(folder)
    own = {**MODEL["text_cfg"], "hf_model_name": str(folder), "hf_model_pretrained": False}
    torch.manual_seed(0)
    made = open_clip.CustomTextCLIP(MODEL["embed_dim"], MODEL["vision_cfg"], own)
    torch.save(made.state_dict(), folder / "open_clip_pytorch_model.bin")
    config = {"model_cfg": MODEL, "preprocess_cfg": PREPARATION}
    (folder / "open_clip_config.json").write_text(json.dumps(config))


def without_network(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process whose every connection fails, with an empty cache of the hub's client."""
    guard = (
        "import socket\n"
        "def refuse(*_):\n    raise AssertionError('the network was asked')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
    )
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    return subprocess.run(
        [sys.executable, "-c", guard + code], capture_output=True, text=True, check=False, env=kept | environment
    )
