"""`dvc import-url s3://…` with the real DVC and s3fs, as docs/add-a-source.md shows it, from an S3 on loopback."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from lingshu.core.params import read_yaml
from tests.intake.test_s3 import OBJECTS, aws
from tests.loopback_s3 import LoopbackS3


@pytest.fixture
def s3(monkeypatch, tmp_path):
    with LoopbackS3() as server:
        server.buckets["films"] = {key: data for key, data in OBJECTS.items() if key != "set/v1/"}
        aws(monkeypatch, tmp_path, server.endpoint)
        yield server


def dvc(folder, *arguments):
    command = [sys.executable, "-m", "dvc", *arguments]
    environment = os.environ | {"DVC_NO_ANALYTICS": "1", "DVC_GLOBAL_CONFIG_DIR": str(folder / "config")}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)


def test_a_prefix_is_imported_and_brought_up_to_date(s3, tmp_path):
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    assert dvc(checkout, "init", "--no-scm").returncode == 0
    # The address of an S3 that is not Amazon's is a machine's setting: it goes into .dvc/config.local, not into Git.
    address = ["remote", "modify", "--local", "films", "endpointurl", s3.endpoint]
    assert dvc(checkout, "remote", "add", "films", "s3://films").returncode == 0
    assert dvc(checkout, *address).returncode == 0
    done = dvc(checkout, "import-url", "remote://films/set/v1", "brought")
    assert done.returncode == 0, done.stderr
    got = {
        p.relative_to(checkout / "brought").as_posix(): p.read_bytes()
        for p in (checkout / "brought").rglob("*")
        if p.is_file()
    }
    assert got == {
        k.removeprefix("set/v1/"): v for k, v in OBJECTS.items() if k.startswith("set/v1/") and k != "set/v1/"
    }
    (dep,) = read_yaml(checkout / "brought.dvc")["deps"]
    assert dep["path"] == "remote://films/set/v1"
    s3.buckets["films"]["set/v1/part-9.bin"] = b"new"
    done = dvc(checkout, "update", "brought.dvc")
    assert done.returncode == 0, done.stderr
    assert (checkout / "brought/part-9.bin").read_bytes() == b"new"
