"""Rules about the files in Git: sizes, names, addresses, import layers. Each is cheap and looks at every file."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40
MAX_BYTES = 1 << 20
VAGUE = {"utils", "helpers", "common", "misc", "stuff", "new", "final", "legacy", "old"}
REGISTRIES = ("py" + "pi.org", "python" + "hosted.org", "anaconda" + ".org", "conda-" + "forge")


def tracked(*patterns: str) -> list[Path]:
    """Return the files that are in Git, or would be with `git add`: tracked ones and those that are not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    return sorted(path for path in {ROOT / name for name in listed.split("\0") if name} if path.is_file())


def texts() -> list[tuple[str, str]]:
    """Return (path, content) of the tracked text files."""
    found = []
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data:
            found.append((path.relative_to(ROOT).as_posix(), data.decode()))
    return found


def names(paths: list[Path]) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in paths}


def test_modules_are_short() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in tracked("*.py")}
    assert names([path for path, length in lengths.items() if length > MAX_FILE_LINES]) == set()


def test_functions_are_short() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in tracked("src/*.py", "stages/*.py", "perf/*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and code_lines(node) > MAX_FUNCTION_LINES
    }
    assert long == set()


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of the body without its docstring: saying more about a function must not make it too long."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_modules_say_what_they_are() -> None:
    files = tracked("src/*.py", "stages/*.py", "perf/*.py")
    modules = {path: ast.parse(path.read_text(encoding="utf-8")) for path in files}
    assert names([path for path, tree in modules.items() if not ast.get_docstring(tree)]) == set()


def test_names_explain() -> None:
    vague = [path for path in tracked("*.py") if VAGUE & set(path.stem.split("_")) or re.search(r"_v\d+$", path.stem)]
    assert names(vague) == set()


def test_files_are_small() -> None:
    assert names([path for path in tracked() if path.stat().st_size > MAX_BYTES]) == set()


def test_no_registry_is_named() -> None:
    assert {path for path, text in texts() if any(host in text for host in REGISTRIES)} == set()


def test_no_path_of_this_machine_is_named() -> None:
    folders = "|".join(re.escape(f"{folder}/") for folder in (ROOT.parent, Path.home()) if len(folder.parts) > 1)
    # Not inside a longer path: a checkout in /tmp is not named by `.dvc/tmp/`.
    here = re.compile(rf"(?<![\w.])(?:{folders})")
    assert {path for path, text in texts() if here.search(text)} == set()


def test_dvc_ignores_bytecode() -> None:
    """Else a code folder would change by being run, and every stage with it."""
    assert {"__pycache__/", "*.pyc"} <= set((ROOT / ".dvcignore").read_text(encoding="utf-8").split())


def test_import_layers_hold() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("command", [["ruff", "check", "--no-cache"], ["ruff", "format", "--check", "--no-cache"]])
def test_style(command: list[str]) -> None:
    tool = Path(sys.executable).with_name(command[0])
    result = subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.types
def test_types() -> None:
    result = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
