"""`manifest.json`, written last beside an output: its presence means complete. No clock values, so digests repeat."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import Field

from lingshu.core.errors import UserError
from lingshu.core.files import write_json
from lingshu.core.ids import sha256_file
from lingshu.core.params import Strict

MANIFEST_VERSION = 1
NAME = "manifest.json"


class FileRecord(Strict):
    """One file of an output: size in bytes and SHA-256."""

    bytes: int
    sha256: str


class Manifest(Strict):
    """What a stage wrote: rows, counts by reason, and a digest of every file in the folder."""

    version: int = MANIFEST_VERSION
    stage: str
    rows: int
    counts: dict[str, int] = Field(default_factory=dict)
    files: dict[str, FileRecord] = Field(default_factory=dict)


def write_manifest(folder: Path, stage: str, rows: int, counts: dict[str, int] | None = None) -> Manifest:
    """Digest every file under `folder`, write `manifest.json` there and return it."""
    files = {
        path.relative_to(folder).as_posix(): FileRecord(bytes=path.stat().st_size, sha256=sha256_file(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != NAME
    }
    manifest = Manifest(stage=stage, rows=rows, counts=dict(sorted((counts or {}).items())), files=files)
    write_json(folder / NAME, manifest.model_dump())
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Return the folder's manifest.

    Raises:
        UserError: there is none, so the folder is not complete.
    """
    path = folder / NAME
    if not path.exists():
        raise UserError(f"{path}: missing, so {folder} is not complete", "run `dvc repro` to make it again")
    return Manifest.model_validate(json.loads(path.read_text(encoding="utf-8")))
