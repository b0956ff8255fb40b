"""A throw-away checkout: copies of the files people edit, links to the code, and a place to run commands in."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with this repository's params, recipes, catalogue and dvc.yaml, free to be edited."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("recipes", "catalog"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("src", "stages"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.fixture
def repository(checkout: Path) -> Path:
    """Return the same folder with everything committed to Git."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "start"]):
        subprocess.run(["git", *command], cwd=checkout, check=True)
    return checkout
