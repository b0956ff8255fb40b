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
from huggingface_hub import constants

from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_bytes
from lingshu.core.manifest import NAME, read_manifest
from lingshu.intake import download as downloading
from lingshu.sources.catalog import SourceRecord
from lingshu.sources.fetch import FETCHERS, pull
from lingshu.sources.fetch_places import REMOTES, Pulling
from lingshu.sources.pulled import pulled_files, read_origins
from tests.loopback import Loopback, Reply, file_reply
from tests.loopback_hub import TOKEN, LoopbackHub
from tests.loopback_physionet import PASSWORD, USER, LoopbackPhysioNet
from tests.loopback_s3 import KEY, SECRET, LoopbackS3

FILES = {
    "data/train.jsonl": b'{"question": "?"}\n' * 5000,
    "data/test.jsonl": b'{"question": "!"}\n' * 50,
    "images/a.bin": bytes(range(256)) * 400,
    "README.md": b"readme",
}
TAKEN = ["data/*.jsonl", "images/*"]
PULLED = {name: data for name, data in FILES.items() if name != "README.md"}


def record(*places: dict, kind: str) -> SourceRecord:
    form = {
        "name": "rows",
        "checked": "written format",
        "format": "jsonl",
        "tables": ["*.jsonl"],
        "adapter": "question",
        "question": "question",
        "answer": "answer",
    }
    return SourceRecord.model_validate(
        {
            "kind": kind, "title": "invented", "group": "text", "tasks": ["text_qa"], "licence": "CC0-1.0",
            "licence_class": "permissive", "access": "open", "expected": {"known": "unknown"}, "citation": "nobody",
            "checked": "here", "places": list(places), "forms": [form],
        }
    )  # fmt: skip


@pytest.fixture(autouse=True)
def machine(monkeypatch, tmp_path):
    """Nothing of this machine's own: no tokens, no keys, no pauses."""
    monkeypatch.setattr(downloading, "pause", lambda seconds: None)
    monkeypatch.setattr("lingshu.intake.hub.pause", lambda seconds: None)
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
def hub():
    with LoopbackHub() as server:
        yield server


class Site:
    """One kind of place with `FILES`: its server, the record, and how it is pulled."""

    def __init__(self, kind, server, made, tmp_path, monkeypatch):
        self.kind, self.server, self.record, self.tmp_path = kind, server, made, tmp_path
        endpoint = {"hub": "hub", "physionet": "physionet"}.get(kind)
        self.endpoints = {endpoint: server.endpoint} if endpoint else {}
        if kind == "s3":
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)

    def how(self, **more):
        return Pulling(self.tmp_path / "cache", root=self.tmp_path, endpoints=self.endpoints, **more)

    def pull(self, **more):
        return pull("src", self.record, self.how(**more))

    def files(self):
        folder = self.tmp_path / "data/raw/src/files"
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    def alter(self, name, data):
        """Change a file at the place."""
        if self.kind == "hub":
            self.server.add("owner/set", FILES | {name: data})
        elif self.kind == "physionet":
            self.server.projects["set/1.0"] = FILES | {name: data}
        elif self.kind == "s3":
            self.server.buckets["films"][f"v1/{name}"] = data
        else:
            self.server.content["/" + name] = data


KINDS = ["hub", "url", "physionet", "s3"]


@pytest.fixture(params=KINDS)
def site(request, tmp_path, monkeypatch):
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


def url_file(content, asked):
    if asked.path not in content:
        return Reply(404)
    return file_reply(asked, content[asked.path], {"ETag": f'"{sha256_bytes(content[asked.path])[:16]}"'})


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
    if site.kind == "hub":
        for path in (site.tmp_path / "cache").rglob("blobs/*"):
            path.unlink()
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
    for seconds in (0.1, 0.3, 0.6, 60):
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
    content = {f"/{n}": bytes([n]) * 200_000 for n in range(6)}
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


def test_a_pinned_revision_that_vanished(hub, tmp_path):
    hub.add("owner/set", FILES)
    there = record({"hub": "owner/set", "revision": "0" * 40}, kind="hub")
    with pytest.raises(
        UserError, match=f"src: data-set repository owner/set: revision {'0' * 40} is not there"
    ) as raised:
        pull("src", there, Pulling(tmp_path / "cache", root=tmp_path, endpoints={"hub": hub.endpoint}))
    assert "correct `revision` in the record" in raised.value.fix


def test_an_interrupted_pull_goes_on_at_the_revision_it_began_with(hub, tmp_path):
    first = hub.add("owner/set", FILES)
    hub.busy = [(500, "")] * 1000
    there = record({"hub": "owner/set"}, kind="hub")
    how = Pulling(tmp_path / "cache", root=tmp_path, endpoints={"hub": hub.endpoint})
    with pytest.raises(UserError, match="src: data-set repository owner/set"):
        pull("src", there, how)
    hub.busy = []
    hub.add("owner/set", {"README.md": b"all gone"})
    pull("src", there, how)
    assert read_origins("src", tmp_path).places[0].revision == first
    assert (tmp_path / "data/raw/src/files/images/a.bin").read_bytes() == FILES["images/a.bin"]


@pytest.mark.parametrize(
    ("access", "said"),
    [
        ("gated", "access is gated"),
        ("private", "no such repository, or it is private"),
    ],
)
def test_a_repository_that_not_everyone_may_read(hub, tmp_path, monkeypatch, access, said):
    hub.add("owner/set", FILES, access=access)
    there = record({"hub": "owner/set"}, kind="hub")
    how = Pulling(tmp_path / "cache", root=tmp_path, endpoints={"hub": hub.endpoint})
    with pytest.raises(UserError, match=f"src: data-set repository owner/set: {said}") as raised:
        pull("src", there, how)
    assert "hf auth login" in raised.value.fix
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    pull("src", there, how)
    assert TOKEN.encode() not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_hub_that_limits_how_often_it_is_asked(hub, tmp_path, monkeypatch):
    waited = []
    monkeypatch.setattr("lingshu.intake.hub.pause", waited.append)
    hub.add("owner/set", {"a.txt": b"a"})
    hub.refusal = (429, "slow down")
    there = record({"hub": "owner/set"}, kind="hub")
    how = Pulling(tmp_path / "cache", root=tmp_path, endpoints={"hub": hub.endpoint})
    with pytest.raises(UserError, match="the hub limits how often it is asked") as raised:
        pull("src", there, how)
    assert "run again in" in raised.value.fix
    assert len(waited) == 4


def test_a_file_that_is_not_what_the_hub_lists(hub, tmp_path):
    commit = hub.add("owner/set", FILES)
    there = record({"hub": "owner/set", "files": ["README.md"]}, kind="hub")
    how = Pulling(tmp_path / "cache", root=tmp_path, endpoints={"hub": hub.endpoint})
    hub.busy = [(500, "")] * 1000
    with pytest.raises(UserError):
        pull("src", there, how)
    hub.busy = []
    hub.repositories["datasets", "owner/set"].commits[commit] = FILES | {"README.md": b"forged"}
    with pytest.raises(UserError, match=r"README\.md is not what the hub says it is"):
        pull("src", there, how)
    assert not (tmp_path / "data/raw/src" / NAME).exists()


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
