"""A throw-away copy of this working tree in which DVC runs the pipeline for real."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CACHE = Path(".work/cache/packages")


class Checkout:
    """A copy of the files that Git knows or would add, a Git repository of its own, and the shared download cache."""

    def __init__(self, folder: Path, recipe: str) -> None:
        self.folder = folder
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = run(command, ROOT, dict(os.environ))
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file() and name != "dvc.lock":
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        copy_compiled(folder)
        # The downloads are shared with the working tree, so that the registry is asked once a machine.
        (ROOT / CACHE).mkdir(parents=True, exist_ok=True)
        (folder / CACHE).parent.mkdir(parents=True)
        (folder / CACHE).symlink_to(ROOT / CACHE)
        self.run("lingshu", "recipe", recipe, "--force")
        self.run("git", "init", "-q")
        self.run("git", "add", ".")
        self.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "start")

    def environment(self) -> dict[str, str]:
        """Return the variables under which `python` is this interpreter and `lingshu` is this copy's."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "PYTHONPATH": str(self.folder / "src")}

    def run(self, *command: str) -> str:
        """Run a command here with this interpreter's tools first on PATH; return what it printed."""
        return run(command, self.folder, self.environment())

    def start(self, *command: str, output: Path) -> subprocess.Popen[bytes]:
        """Start a command as the head of its own process group, its output going to a file."""
        with output.open("wb") as file:
            return subprocess.Popen(
                command, cwd=self.folder, env=self.environment(), stdout=file, stderr=subprocess.STDOUT, process_group=0
            )

    def changed(self) -> set[str]:
        """Return the stages that would run now, those only because of another one left out."""
        return set(json.loads(self.run("dvc", "status", "--json")))

    def lock(self) -> dict[str, dict[str, str]]:
        """Return `{stage: {output: digest}}` of dvc.lock."""
        stages = yaml.safe_load((self.folder / "dvc.lock").read_text())["stages"]
        return {name: {out["path"]: out["md5"] for out in entry.get("outs", [])} for name, entry in stages.items()}

    def read(self, path: str) -> Any:
        """Return a JSON file's value."""
        return json.loads((self.folder / path).read_text())


def copy_compiled(folder: Path) -> None:
    """Copy the machine code that set-up left beside the sources, whose times it bears (they are copied, too)."""
    for pattern in ("*.nbi", "*.nbc"):  # an index, then what it names
        for path in (ROOT / "src").rglob(f"__pycache__/{pattern}"):
            target = folder / path.relative_to(ROOT)
            target.parent.mkdir(exist_ok=True)
            shutil.copy2(path, target)


def run(command: Sequence[str], folder: Path, environment: dict[str, str]) -> str:
    """Run a command to its end and return what it printed; a failure shows all of it."""
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}\n{result.stderr}"
    return result.stdout
