"""What precision a checkpoint is in, for engines whose own `auto` means something else."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

_NAMES = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}


def precision(folder: Path, asked: str) -> str:
    """Return `asked`, or for `auto` what the checkpoint says, as transformers reads it: its config, else its weights.

    vLLM's own `auto` makes bfloat16 of float32, so that one checkpoint would have unlike answers in two engines. `auto`
    stays where neither says anything: the engine then names what is missing.
    """
    return asked if asked != "auto" else _in_config(folder) or _in_weights(folder) or "auto"


def _in_config(folder: Path) -> str | None:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(config, dict):
        return None
    said = config.get("dtype") or config.get("torch_dtype")
    return said if said in _NAMES.values() else None


def _in_weights(folder: Path) -> str | None:
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, framework="numpy") as weights:
                found = {weights.get_slice(name).get_dtype() for name in weights.keys()}  # noqa: SIM118 - no mapping
        except (OSError, SafetensorError):
            return None
        return next((name for code, name in _NAMES.items() if code in found), None)
    return None
