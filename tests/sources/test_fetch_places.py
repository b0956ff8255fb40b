"""Pulling whole sources from servers on loopback: killed, damaged, refused, offline; complete or not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_bytes
from lingshu.core.manifest import NAME, read_manifest
from lingshu.sources.catalog import SourceRecord
from lingshu.sources.fetch import FETCHERS, pull
from lingshu.sources.fetch_places import REMOTES, Pulling
from lingshu.sources.pulled import pulled_files, read_origins
from tests.loopback import Loopback, Reply
from tests.loopback_physionet import LoopbackPhysioNet
from tests.loopback_s3 import LoopbackS3
from tests.sources.places_made import FILES, PULLED, Site, record, url_file

pytestmark = pytest.mark.usefixtures("machine")


def test_every_kind_of_place_has_a_function():
    assert set(REMOTES) | {"bring"} == {"hub", "url", "physionet", "s3", "bring"}
    assert set(FETCHERS) == {"registry_package", "hub", "url", "physionet", "s3", "local"}


def test_what_is_pulled_is_there_with_digests_and_revision(site):
    manifest = site.pull()
    assert site.files() == PULLED
    assert read_manifest(site.tmp_path / "data/raw/src") == manifest
    assert manifest.rows == 3
    for name, data in PULLED.items():
        assert manifest.files[f"files/{name}"].sha256 == sha256_bytes(data)
        assert pulled_files("src", site.tmp_path).path(name).read_bytes() == data
    revisions = {place.revision for place in read_origins("src", site.tmp_path).places}
    newest = site.server.repositories["datasets", "owner/set"].branches["main"] if site.kind == "hub" else ""
    assert revisions == {"1.0" if site.kind == "physionet" else newest}


def test_a_second_pull_asks_nobody_and_gives_the_same(site):
    first = site.pull()
    site.server.requests.clear()
    assert site.pull() == first
    assert site.server.requests == []
    assert site.files() == PULLED


def test_a_file_that_changed_in_the_cache_is_downloaded_again(site, capsys):
    site.pull()
    for path in (site.tmp_path / "cache").rglob("files/images/a.bin"):
        path.write_bytes(b"spoilt")
    site.pull()
    assert site.files() == PULLED
    assert "changed on disk" in capsys.readouterr().err


def test_what_changed_upstream_comes_with_refresh_only(site):
    site.pull()
    site.alter("data/test.jsonl", b"new\n")
    site.pull()
    assert site.files() == PULLED
    site.pull(refresh=True)
    assert site.files() == PULLED | {"data/test.jsonl": b"new\n"}


def test_a_refresh_that_fails_leaves_what_was_there(site):
    manifest = site.pull()
    if site.kind == "hub":
        site.server.repositories.clear()
    elif site.kind == "physionet":
        site.server.projects.clear()
    elif site.kind == "s3":
        site.server.buckets.clear()
    else:
        site.server.content.clear()
    with pytest.raises(UserError, match="src: "):
        site.pull(refresh=True)
    assert site.files() == PULLED
    assert read_manifest(site.tmp_path / "data/raw/src") == manifest


def test_more_patterns_cost_only_what_is_new(site):
    if site.kind == "url":
        pytest.skip("a URL has no patterns")
    site.pull()
    site.server.requests.clear()
    place = site.record.places[0].model_copy(update={"files": []})
    site.record = site.record.model_copy(update={"places": [place]})
    site.pull()
    assert site.files() == FILES
    paths = [request.path if site.kind != "hub" else request[1] for request in site.server.requests]
    assert not any(path.endswith("a.bin") for path in paths)


def test_killed_again_and_again_it_goes_on_to_the_same(site, monkeypatch):
    """SIGKILL at several moments: nothing half is ever under its name, and the end is that of a pull left alone."""
    expected = json.loads((site.pull() and site.tmp_path / "data/raw/src" / NAME).read_text())
    killed = Site(site.kind, site.server, site.record, site.tmp_path / "again", monkeypatch)
    killed.tmp_path.mkdir()
    (killed.tmp_path / "record.json").write_text(site.record.model_dump_json())
    code = (
        "import sys, json; from pathlib import Path; from lingshu.sources.catalog import SourceRecord;"
        "from lingshu.sources.fetch import pull; from lingshu.sources.fetch_places import Pulling;"
        "root = Path(sys.argv[1]); record = SourceRecord.model_validate_json((root / 'record.json').read_text());"
        "print('ready', flush=True);"
        "pull('src', record, Pulling(root / 'cache', root=root, endpoints=json.loads(sys.argv[2])))"
    )
    command = [sys.executable, "-c", code, str(killed.tmp_path), json.dumps(killed.endpoints)]
    environment = os.environ | {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "1", "HF_HUB_DISABLE_XET": "1"}
    monkeypatch.setattr(site.server, "slow", 0.004)
    kills = 0
    for seconds in (0.1, 0.4, 60):
        run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        assert run.stdout.readline() == b"ready\n"
        if seconds == 60:
            monkeypatch.setattr(site.server, "slow", 0.0)
        threading.Timer(seconds, lambda run=run: run.send_signal(signal.SIGKILL)).start() if seconds < 60 else None
        _, error = run.communicate(timeout=120)
        kills += run.returncode == -signal.SIGKILL
        assert run.returncode in (0, -signal.SIGKILL), error.decode()
        for path in killed.tmp_path.rglob("cache/*/*/*/files/**/*"):
            if path.is_file() and not path.name.endswith((".part", ".version", ".tmp")):
                assert (
                    path.read_bytes()
                    == FILES[path.relative_to(next(p for p in path.parents if p.name == "files")).as_posix()]
                )
        if run.returncode == 0:
            break
    assert kills >= 2
    assert json.loads((killed.tmp_path / "data/raw/src" / NAME).read_text()) == expected
    assert killed.files() == PULLED


def test_the_first_failure_stops_the_others_and_keeps_what_came(tmp_path):
    content = {f"/{n}": bytes([n]) * 60_000 for n in range(6)}
    with Loopback(lambda asked: url_file(content, asked)) as server:
        del content["/5"]
        server.slow = 0.01
        places = [{"url": f"{server.endpoint}/{n}", "file": f"f{n}"} for n in range(6)]
        with pytest.raises(UserError, match=r"src: http.*/5: the server answers 404"):
            pull("src", record(*places, kind="url"), Pulling(tmp_path / "cache", root=tmp_path, downloads=6))
    assert not (tmp_path / "data/raw/src" / NAME).exists()


def test_a_bound_of_parallel_downloads_is_kept(tmp_path):
    lock, state = threading.Lock(), {"now": 0, "most": 0}

    def answer(asked):
        if asked.query:
            return Reply(404)
        with lock:
            state["now"] += 1
            state["most"] = max(state["most"], state["now"])
        time.sleep(0.05)
        with lock:
            state["now"] -= 1
        return Reply(200, asked.path.encode(), {"ETag": '"x"'})

    with LoopbackPhysioNet() as server:
        server.add("set/1.0", {f"f{n}": f"/files/set/1.0/f{n}".encode() for n in range(12)})
        original = server._answer
        server._answer = lambda asked: original(asked) if asked.path.endswith("SUMS.txt") else answer(asked)
        how = Pulling(tmp_path / "cache", downloads=3, root=tmp_path, endpoints={"physionet": server.endpoint})
        pull("src", record({"physionet": "set/1.0"}, kind="physionet"), how)
    assert state["most"] == 3


def test_a_disk_that_is_too_small_is_told_before_the_download(tmp_path, monkeypatch):
    with LoopbackS3() as server:
        server.buckets["films"] = {"big": b"1" * 10}
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        there = record({"s3": "s3://films"}, kind="s3")
        monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=9))
        with pytest.raises(UserError, match="still to come") as raised:
            pull("src", there, Pulling(tmp_path / "cache", root=tmp_path))
    assert "--cache" in raised.value.fix
    assert server.downloads("films", "big") == []


def test_sources_that_take_files_of_one_place_share_what_came(tmp_path):
    with LoopbackPhysioNet() as server:
        server.add("set/1.0", FILES)
        how = Pulling(tmp_path / "cache", root=tmp_path, endpoints={"physionet": server.endpoint})
        for name, files in {"one": ["images/*", "data/test.jsonl"], "two": ["images/*"]}.items():
            pull(name, record({"physionet": "set/1.0", "files": files}, kind="physionet"), how)
        server.requests.clear()
        for name, files in {"one": ["images/*", "data/test.jsonl"], "two": ["images/*"]}.items():
            pull(name, record({"physionet": "set/1.0", "files": files}, kind="physionet"), how)
        assert server.requests == []
        pull("two", record({"physionet": "set/1.0"}, kind="physionet"), how)
        assert len(server.asked("/files/set/1.0/images/a.bin")) == 0
    assert pulled_files("two", tmp_path).path("README.md").read_bytes() == FILES["README.md"]


def test_two_places_with_a_file_of_one_name(tmp_path):
    content = {"/a": b"1", "/b": b"2"}
    with Loopback(lambda asked: url_file(content, asked)) as server:
        places = [{"url": f"{server.endpoint}/{n}", "file": "same"} for n in "ab"]
        with pytest.raises(UserError, match="both have same"):
            pull("src", record(*places, kind="url"), Pulling(tmp_path / "cache", root=tmp_path))


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"url": "https://a.example/x", "file": "../x"}, "below the folder"),
        ({"url": "https://a.example/x", "file": "/elsewhere/x"}, "below the folder"),
        ({"url": "ftp://a.example/x", "file": "x"}, "begins with http"),
    ],
)
def test_an_address_of_no_use_and_a_file_that_leads_out_of_its_folder(place, said):
    with pytest.raises(ValueError, match=said):
        record(place, kind="url")


def test_a_generated_source_is_not_pulled(tmp_path):
    made = SourceRecord(
        kind="generated", title="drawn", tasks=["caption"], licence="CC0-1.0", licence_class="permissive",
        access="open", revision="1", expected={}, citation="us", checked="here",
    )  # fmt: skip
    with pytest.raises(UserError, match="there is nothing to pull"):
        pull("phantom", made, Pulling(tmp_path))


def test_processes_that_share_a_cache_download_once(tmp_path, monkeypatch):
    with LoopbackS3() as server:
        server.buckets["films"] = {"v1/a": b"1" * 100_000}
        server.slow = 0.005
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        there = record({"s3": "s3://films/v1"}, kind="s3")
        roots = [tmp_path / "one", tmp_path / "two"]
        threads = [
            threading.Thread(target=pull, args=("src", there, Pulling(tmp_path / "cache", root=root))) for root in roots
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert server.downloads("films", "v1/a") == [""]
    assert [(root / "data/raw/src/files/a").read_bytes() for root in roots] == [b"1" * 100_000] * 2
