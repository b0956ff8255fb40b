"""The stage runner: exit codes and messages, as a shell sees them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lingshu.core.damage import damaged_files
from tests.plain_user import give_up_root, needs_permissions

BODY = """
import pathlib, resource, sys, time
from lingshu.core.errors import UserError
from lingshu.core.stage import run_stage
def main():
    {body}
run_stage("mix@deep", main)
"""


def run(tmp_path: Path, body: str, before: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    code = BODY.format(body=body)
    return subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, preexec_fn=before
    )


def test_success_notes_seconds_and_memory(tmp_path: Path) -> None:
    assert run(tmp_path, "time.sleep(0.2); block = bytearray(64 << 20)").returncode == 0
    noted = json.loads((tmp_path / ".work/timings/mix@deep.json").read_text())
    assert noted["seconds"] >= 0.2
    assert noted["cpu_seconds"] > 0
    assert noted["peak_rss_mib"] > 64


def test_a_users_mistake_has_no_traceback(tmp_path: Path) -> None:
    result = run(tmp_path, "raise UserError('params.yaml: mix.deep.x: 9 asked, 3 exist', 'ask for 3')")
    assert result.returncode == 2
    assert result.stderr == "error: mix@deep: params.yaml: mix.deep.x: 9 asked, 3 exist\n  fix: ask for 3\n"
    assert not (tmp_path / ".work").exists()


def test_a_defect_keeps_its_traceback(tmp_path: Path) -> None:
    result = run(tmp_path, "1 / 0")
    assert result.returncode == 1
    assert "ZeroDivisionError" in result.stderr


FULL = {
    "file": "pathlib.Path('x').write_bytes(bytes(2000))",
    "arrow": "import pyarrow as a, pyarrow.parquet as q; q.write_table(a.table({'x': range(9999)}), 'x')",
    "polars": "import polars as p; p.DataFrame({'x': range(9999)}).write_parquet('x')",
    "safetensors": "import numpy as n, safetensors.numpy as s; s.save_file({'x': n.ones(999)}, 'x')",
    "torch": "import torch as t; t.save(t.ones(9999), 'x')",
}


@pytest.mark.parametrize("writer", FULL)
def test_a_full_disk_is_named_whichever_library_meets_it(tmp_path: Path, writer: str) -> None:
    """The limit on file size stands for the full disk: the same path through each library, with its own error."""
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); "
    result = run(tmp_path, limit + FULL[writer])
    assert result.returncode == 2, result.stderr
    assert result.stderr.endswith(
        "error: mix@deep: the disk is full, or a quota is used up\n  fix: free space, then run the same command\n"
    )


def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    code = BODY.format(body="print('running', flush=True); time.sleep(60)")
    child = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "running\n"
    child.send_signal(signal.SIGINT)
    _, message = child.communicate(timeout=10)
    assert child.returncode == 130
    assert message == "mix@deep: interrupted; run the same command again to go on\n"


READERS = {
    "open": "open('data/a/part.parquet')",
    "pyarrow": "import pyarrow.parquet as library; library.read_table('data/a/part.parquet')",
    "polars": "import polars as library; library.read_parquet('data/a/part.parquet')",
}


@needs_permissions
@pytest.mark.parametrize("library", READERS)
def test_a_file_without_permission_is_named_whichever_library_meets_it(tmp_path: Path, library: str) -> None:
    (tmp_path / "data/a").mkdir(parents=True)
    pq.write_table(pa.table({"x": [1]}), tmp_path / "data/a/part.parquet")
    (tmp_path / "data/a/part.parquet").chmod(0)
    result = run(tmp_path, READERS[library], give_up_root)
    assert result.returncode == 2, result.stderr
    assert result.stderr == (
        "error: mix@deep: data/a/part.parquet: Permission denied\n"
        "  fix: let yourself read and write it, then run the same command\n"
    )


@needs_permissions
def test_folders_without_permission_are_named_and_nothing_made_is_lost(tmp_path: Path) -> None:
    made = tmp_path / "data/verdicts/gate/verdicts.parquet"
    samples = tmp_path / "data/samples/a"
    samples.mkdir(parents=True)
    made.parent.mkdir(parents=True)
    made.write_text("made")
    fresh = "from lingshu.core.files import fresh_dir; fresh_dir(pathlib.Path('data/verdicts/gate'))"
    parts = "from lingshu.core.sample import sample_parts; sample_parts([pathlib.Path('data/samples/a')])"
    stores = "from lingshu.core.images import ImageStore; ImageStore([pathlib.Path('data/samples/a')])"
    walk = "from lingshu.intake.places import walk; list(walk(pathlib.Path('data/samples/a')))"
    (samples / "row.json").write_text("{}")
    for folder, mode, body, message in (
        (made.parent.parent, 0o555, fresh, "data/verdicts: can't be written: it is not writable"),
        (made.parent, 0o555, fresh, "data/verdicts/gate: can't be written: it is not writable"),
        (samples, 0, parts, "data/samples/a: Permission denied"),
        (samples, 0, stores, "data/samples/a: Permission denied"),
        (samples, 0, walk, "data/samples/a: can't be listed: Permission denied"),
        (samples, 0o444, walk, "data/samples/a: can't be entered: Permission denied"),
        (tmp_path, 0o555, "pass", ".work/timings/mix@deep.json: can't be written: Permission denied"),
    ):
        folder.chmod(mode)
        result = run(tmp_path, body, give_up_root)
        folder.chmod(0o755)
        assert (result.returncode, "Traceback" in result.stderr) == (2, False), result.stderr
        assert result.stderr.startswith(f"error: mix@deep: {message}\n  fix: ")
        assert made.read_text() == "made"


@pytest.mark.parametrize("library", ["pyarrow.parquet", "polars"])
def test_damaged_and_absent_data_files_are_named(tmp_path: Path, library: str) -> None:
    for folder in ("data/samples/a", "data/raw"):
        (tmp_path / folder).mkdir(parents=True)
    pq.write_table(pa.table({"x": range(9999)}), tmp_path / "data/samples/a/whole.parquet")
    whole = (tmp_path / "data/samples/a/whole.parquet").read_bytes()
    (tmp_path / "data/samples/a/cut.parquet").write_bytes(whole[:500])
    (tmp_path / "data/samples/a/pages.parquet").write_bytes(whole[:50] + bytes(900) + whole[950:])
    (tmp_path / "data/samples/a/shard.arrow").write_bytes(b"ARROW1\0\0" + bytes(99))
    (tmp_path / "data/raw/theirs.parquet").write_bytes(b"no")
    reader = "read_table" if library == "pyarrow.parquet" else "read_parquet"
    for name, message in {
        "cut": "damaged: Parquet magic bytes not found", "gone": "data/samples/a/gone.parquet: no such file",
    }.items():  # fmt: skip
        result = run(tmp_path, f"import {library} as library; library.{reader}('data/samples/a/{name}.parquet')")
        assert (result.returncode, "Traceback" in result.stderr) == (2, False), result.stderr
        assert message in result.stderr
    named = [path.name for path, _ in damaged_files(tmp_path / "data")]
    assert named == ["cut.parquet", "pages.parquet", "shard.arrow"]
    whole_files = run(
        tmp_path, f"import {library} as library; library.{reader}('data/samples/a/whole.parquet', 7, 7, 7)"
    )
    assert "Traceback" in whole_files.stderr
