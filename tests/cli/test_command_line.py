"""The command as people type it: quick to start, and a user's mistake is one message."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commanding import lingshu

ROOT = Path(__file__).resolve().parents[2]
TIMES_THE_START = 3.0  # 0.9 to 1.4 when measured
HEAVY = ("torch", "transformers", "great_expectations", "dvc", "numba", "matplotlib", "scipy", "sklearn")


def run(*arguments: str, at: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return lingshu(*arguments, at=at)


def cpu_seconds(*arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "lingshu.cli", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert result.returncode == 0, result.stderr
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_check_passes_here_and_is_quick() -> None:
    """Beside the start of the command, in CPU seconds: so on a busy machine and on a slow one."""
    assert cpu_seconds("check") < TIMES_THE_START * cpu_seconds("--help")


def test_nothing_heavy_is_imported() -> None:
    code = f"import sys, lingshu.cli; print([m for m in {HEAVY} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_problems_end_with_2_and_without_a_traceback(checkout: Path) -> None:
    params = checkout / "params.yaml"
    params.write_text(params.read_text().replace("thumbnail_px", "thumbnail_pixels"))
    result = run("check", at=checkout)
    assert result.returncode == 2
    assert "report.thumbnail_pixels: unknown key" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_users_mistake_is_one_message(checkout: Path) -> None:
    for arguments in (("trace", "nobody:0"), ("recipe", "nobody")):
        result = run(*arguments, at=checkout)
        assert result.returncode == 2
        assert result.stderr.startswith("error: ")
        assert "fix: " in result.stderr
        assert "Traceback" not in result.stderr


def test_a_folder_further_down_will_do(checkout: Path) -> None:
    result = run("recipe", at=checkout / "recipes")
    assert result.returncode == 0
    assert "* mini" in result.stdout


def test_a_full_disk_is_one_message_whatever_library_meets_it(tmp_path: Path) -> None:
    """The limit on file size stands for the full disk; the tables are written by a library with errors of its own."""
    samples = ROOT.parent / "shared" / "samples" / "vqa_rad"
    if not samples.is_dir():
        pytest.skip("no real sample of VQA-RAD beside the checkout")
    command = f"{sys.executable} -m lingshu.cli normalize --source vqa_rad --raw '{samples}' --out out"
    script = f"trap '' XFSZ; ulimit -f 1; {command}"
    found = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (found.returncode, "Traceback" in found.stderr) == (2, False), found.stderr
    assert "No space left" in found.stderr or "File too large" in found.stderr or "disk is full" in found.stderr
    assert "fix: free space" in found.stderr
