"""Where an interrupted stage goes on from: a folder outside DVC, named by all that decides the stage's result."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lingshu.core.ids import canonical_json, sha256_bytes, sha256_file
from lingshu.core.layout import WORK


def fingerprint(parts: Any, code: Iterable[Path]) -> str:
    """Return 16 hex digits over `parts` (anything JSON: knobs, seed, digests of inputs) and the modules in `code`."""
    modules = [path for folder in code for path in sorted(folder.glob("*.py"))]
    return sha256_bytes(canonical_json([parts, [sha256_file(path) for path in modules]]).encode())[:16]


def scratch_folder(stage: str, mark: str, root: Path = Path()) -> Path:
    """Return `.work/<stage>/<mark>`, made if absent: the same run finds it again, a changed one gets another."""
    folder = root / WORK / stage / mark
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def clear_scratch(stage: str, root: Path = Path()) -> None:
    """Remove all scratch of a stage, of earlier interrupted runs too, once its output is complete."""
    shutil.rmtree(root / WORK / stage, ignore_errors=True)
