from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from huggingface_hub import constants

from lingshu.intake import download as downloading
from tests.loopback import Loopback
from tests.loopback_hub import LoopbackHub
from tests.loopback_physionet import PASSWORD, USER, LoopbackPhysioNet
from tests.loopback_s3 import KEY, SECRET, LoopbackS3
from tests.sources.places_made import FILES, PULLED, TAKEN, Site, record, url_file


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Nothing of this machine's own: no tokens, no keys, no pauses."""
    monkeypatch.setattr(downloading, "pause", lambda *_: None)
    monkeypatch.setattr("lingshu.intake.hub.pause", lambda *_: None)
    quick = SimpleNamespace(sleep=lambda seconds: None, time=time.time, monotonic=time.monotonic)
    monkeypatch.setattr("huggingface_hub.utils._http.time", quick)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    (tmp_path / "credentials").write_text(f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("PHYSIONET_USERNAME", USER)
    monkeypatch.setenv("PHYSIONET_PASSWORD", PASSWORD)


@pytest.fixture
def hub(machine):
    with LoopbackHub() as server:
        yield server


KINDS = ["hub", "url", "physionet", "s3"]


@pytest.fixture(params=KINDS)
def site(request, tmp_path, monkeypatch, machine):
    kind = request.param
    if kind == "hub":
        with LoopbackHub() as server:
            server.add("owner/set", FILES)
            yield Site(kind, server, record({"hub": "owner/set", "files": TAKEN}, kind=kind), tmp_path, monkeypatch)
    elif kind == "physionet":
        with LoopbackPhysioNet() as server:
            server.add("set/1.0", FILES)
            made = record({"physionet": "set/1.0", "files": TAKEN}, kind=kind)
            yield Site(kind, server, made, tmp_path, monkeypatch)
    elif kind == "s3":
        with LoopbackS3() as server:
            server.buckets["films"] = {f"v1/{name}": data for name, data in FILES.items()}
            yield Site(kind, server, record({"s3": "s3://films/v1", "files": TAKEN}, kind=kind), tmp_path, monkeypatch)
    else:
        content = {"/" + name: data for name, data in FILES.items()}
        with Loopback(lambda asked: url_file(content, asked)) as server:
            server.content = content
            places = [{"url": f"{server.endpoint}/{name}", "file": name} for name in PULLED]
            yield Site(kind, server, record(*places, kind=kind), tmp_path, monkeypatch)
