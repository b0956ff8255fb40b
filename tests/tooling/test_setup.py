"""scripts/setup, with a `uv` that notes what it is asked instead of installing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = """#!/bin/sh
case "$1" in
    --version) echo "uv {version}" ;;
    venv) mkdir -p .venv/bin && ln -sf "{python}" .venv/bin/python && echo venv >>asked ;;
    *) echo "$@" >>asked ;;
esac
"""

COMPILER = "from pathlib import Path\nwith Path('asked').open('a') as note:\n    print('compile', file=note)\n"


class Copy:
    """A folder with the script, the locks, a `uv` on PATH, and a package whose compiler notes that it is asked."""

    def __init__(self, folder: Path, version: str = "0.13.9") -> None:
        self.folder = folder
        self.tools = folder.parent / "tools"
        self.tools.mkdir()
        for name in ("scripts", "requirements"):
            shutil.copytree(ROOT / name, folder / name)
        shutil.copy(ROOT / "pyproject.toml", folder)
        package = folder / "lingshu" / "commands"
        package.mkdir(parents=True)
        (package / "compile_kernels.py").write_text(COMPILER)
        uv = self.tools / "uv"
        uv.write_text(UV.format(version=version, python=sys.executable))
        uv.chmod(0o755)
        (self.tools / "python3").symlink_to(sys.executable)

    def setup(self, *sets: str, folder: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.tools}:{os.environ['PATH']}", **variables}
        where = folder or self.folder
        return subprocess.run(
            [where / "scripts/setup", *sets], env=environment, capture_output=True, text=True, check=False
        )

    def asked(self, *sets: str) -> list[str]:
        """Run the script and return what it asked of uv, one line a call."""
        (self.folder / "asked").unlink(missing_ok=True)
        result = self.setup(*sets)
        assert result.returncode == 0, result.stderr
        return (self.folder / "asked").read_text().splitlines() if (self.folder / "asked").exists() else []


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    (tmp_path / "copy").mkdir()
    return Copy(tmp_path / "copy")


def test_first_time_makes_the_venv_from_the_lock(copy: Copy) -> None:
    venv, locked, package, compiled = copy.asked()
    assert venv == "venv"
    assert locked.startswith("pip install --python .venv/bin/python --require-hashes ")
    assert locked.endswith("--requirements requirements/core.txt")
    assert {"--exact", "--compile-bytecode"} <= set(locked.split())
    assert package.endswith("--no-deps --editable .")
    assert compiled == "compile"


def test_it_does_nothing_when_nothing_changed_and_keeps_sets_once_asked_for(copy: Copy) -> None:
    copy.asked()
    assert copy.asked() == []
    assert "--requirements requirements/dev.txt" in copy.asked("dev")[0]
    assert copy.asked("dev") == copy.asked() == []


@pytest.mark.parametrize("file", ["requirements/core.txt", "pyproject.toml"])
def test_a_changed_lock_or_project_is_installed_into_the_same_venv(copy: Copy, file: str) -> None:
    copy.asked()
    with (copy.folder / file).open("a") as handle:
        handle.write("# changed\n")
    calls = copy.asked()
    assert len(calls) == 3
    assert "venv" not in calls


def test_the_gpu_set_is_built_against_the_torch_that_core_brings(copy: Copy) -> None:
    _, core, everything, *_ = copy.asked("gpu")
    assert core.endswith("--requirements requirements/core.txt")
    assert "--exact" not in core
    assert "--no-build-isolation-package deepspeed" in everything
    assert everything.endswith("--requirements requirements/core.txt --requirements requirements/gpu.txt")


def test_a_moved_checkout_gets_a_venv_of_its_own(copy: Copy) -> None:
    copy.asked()
    copy.folder = copy.folder.rename(copy.folder.with_name("moved"))
    assert copy.asked()[0] == "venv"


def test_a_broken_venv_is_made_again(copy: Copy) -> None:
    copy.asked()
    (copy.folder / ".venv/bin/python").unlink()
    assert copy.asked()[0] == "venv"


def test_a_wrong_interpreter_is_refused(copy: Copy) -> None:
    result = copy.setup(PYTHON="/bin/false")
    assert result.returncode == 2
    assert "error: PYTHON=/bin/false is not Python 3.11 or 3.12" in result.stderr
    assert not (copy.folder / ".venv").exists()


def test_an_old_uv_is_not_used(tmp_path: Path) -> None:
    """With no package manager that can bring a newer one, the message says what to install."""
    (tmp_path / "copy").mkdir()
    copy = Copy(tmp_path / "copy", version="0.8.22")
    bare = copy.tools / "python3"
    bare.unlink()
    bare.write_text(f'#!/bin/sh\n[ "$1" = -m ] && exit 1\nexec "{sys.executable}" "$@" | sed "s|.*|{bare}|"\n')
    bare.chmod(0o755)
    result = copy.setup()
    assert result.returncode == 2
    assert "uv is missing" in result.stderr
