"""The package alone: what a wheel holds, and that commands about files work from it, far from any checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lingshu.commands.catalogue import find_catalog

ROOT = Path(__file__).parents[2]
CATALOG = ROOT / "catalog"
SHIPPED = (
    "public_benchmarks.yaml",
    "published.csv",
    *sorted(
        f"{path.parent.name}/{path.name}" for folder in ("sources", "splits") for path in (CATALOG / folder).iterdir()
    ),
)
UV = shutil.which("uv") or shutil.which(str(ROOT / ".work" / "uv" / "bin" / "uv"))  # as scripts/setup finds it
ITEM = {"id": "1", "kind": "open", "question": "Where?", "answer": "lung", "response": "the lung"}


def test_the_package_links_to_the_catalogue() -> None:
    """A file each, because the builder follows no link to a folder; a new source needs its own (docs/add-a-source.md)."""
    folder = ROOT / "src" / "lingshu" / "commands" / "catalog"
    assert {name: path.resolve() for name, path in files_of(folder).items()} == {
        name: (CATALOG / name).resolve() for name in SHIPPED
    }
    assert all(path.is_symlink() for path in files_of(folder).values())


def files_of(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def test_the_project_around_comes_before_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = find_catalog()
    assert set(files_of(shipped)) == set(SHIPPED)
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / SHIPPED[0]).touch()
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert find_catalog() == tmp_path / "catalog"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the unpacked wheel."""
    if UV is None:
        pytest.skip("uv, which builds the package, is not on this machine")
    folder = tmp_path_factory.mktemp("wheel")
    command = [UV, "build", "--offline", "--wheel", "--python", sys.executable, "--out-dir", folder, ROOT]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_a_wheel_holds_all_files_of_the_package(installed: Path) -> None:
    source = ROOT / "src"
    wanted = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    found = {path.relative_to(installed).as_posix() for path in (installed / "lingshu").rglob("*") if path.is_file()}
    assert found == {name for name in wanted if "__pycache__" not in name}
    for name in SHIPPED:
        shipped = installed / "lingshu" / "commands" / "catalog" / name
        assert shipped.read_bytes() == (ROOT / "catalog" / name).read_bytes()


def test_commands_about_files_work_from_a_wheel(installed: Path, tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": str(installed)}
        command = [sys.executable, "-P", "-m", "lingshu.cli", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    where = [sys.executable, "-P", "-c", "import lingshu; print(lingshu.__file__)"]
    environment = os.environ | {"PYTHONPATH": str(installed)}
    shown = subprocess.run(where, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert Path(shown.stdout.strip()).is_relative_to(installed)
    (tmp_path / "vqa_rad.jsonl").write_text(json.dumps(ITEM) + "\n", encoding="utf-8")
    assert run("score", "vqa_rad.jsonl").returncode == 0
    asked = run("eval", "--model", "echo", "--suite", "report", "--out", "out")  # needs the catalogue, and folders
    assert "mimic_cxr: not asked" in asked.stderr
    viewed = run("view", "vqa_rad.jsonl", "--out", "site")
    assert viewed.returncode == 0, viewed.stderr
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "Published scores of these benchmarks" in page
    assert (tmp_path / "site" / "viewer.js").stat().st_size > 0
