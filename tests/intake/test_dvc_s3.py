"""`dvc import-url s3://…` with the real DVC and s3fs, as docs/add-a-source.md shows it, from an S3 on loopback."""

from __future__ import annotations

import pytest
from dvc.cli import main

from lingshu.core.params import read_yaml
from tests.intake.test_s3 import OBJECTS, aws
from tests.loopback_s3 import LoopbackS3


@pytest.fixture
def s3(monkeypatch, tmp_path):
    with LoopbackS3() as server:
        server.buckets["films"] = {key: data for key, data in OBJECTS.items() if key != "set/v1/"}
        aws(monkeypatch, tmp_path, server.endpoint)
        yield server


def dvc(*arguments):
    """Run a command as `dvc` does, without starting a process."""
    return main(list(arguments))


def test_a_prefix_is_imported_and_brought_up_to_date(s3, tmp_path, monkeypatch, capfd):
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    monkeypatch.chdir(checkout)
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(tmp_path / "config"))
    assert dvc("init", "--no-scm") == 0
    # The address of an S3 that is not Amazon's is a machine's setting: it goes into .dvc/config.local, not into Git.
    address = ["remote", "modify", "--local", "films", "endpointurl", s3.endpoint]
    assert dvc("remote", "add", "films", "s3://films") == 0
    assert dvc(*address) == 0
    assert dvc("import-url", "remote://films/set/v1", "brought") == 0, capfd.readouterr().err
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
    assert dvc("update", "brought.dvc") == 0, capfd.readouterr().err
    assert (checkout / "brought/part-9.bin").read_bytes() == b"new"
