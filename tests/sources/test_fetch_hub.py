"""Pulling from the hub with its real client: revisions, access, limits, and files that are not what is listed."""

from __future__ import annotations

import random
import time

import httpx
import pytest
from huggingface_hub import constants

from lingshu.core.errors import UserError
from lingshu.core.manifest import NAME
from lingshu.intake import hub_waits
from lingshu.intake.hub import HubFiles, HubRemote
from lingshu.intake.hub_waits import wait_of
from lingshu.intake.meter import silent
from lingshu.sources.fetch import pull
from lingshu.sources.fetch_places import Pulling
from lingshu.sources.pulled import read_origins
from tests.loopback_hub import LARGE, TOKEN
from tests.sources.places_made import FILES, record


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


@pytest.mark.parametrize("size", [3000, 9000])  # served by the hub itself, and through a redirect
def test_a_download_that_was_stopped_goes_on_from_the_bytes_that_came(hub, tmp_path, monkeypatch, size):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    data = random.Random(1).randbytes(size)
    hub.add("owner/set", {"a.bin": data})
    remote = HubRemote(HubFiles("src", "owner/set", None, hub.endpoint, tmp_path / "client"), "src", [])
    (file,) = remote.listing().files
    come = []

    def moved(number: int) -> None:
        come.append(number)
        if sum(come) == 2000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remote.fetch(file, tmp_path / "a.bin", moved)
    kept = (tmp_path / "a.bin.part").stat().st_size
    assert kept >= 1000
    come[:] = [10**6]
    remote.fetch(file, tmp_path / "a.bin", moved)
    assert (tmp_path / "a.bin").read_bytes() == data
    assert not (tmp_path / "a.bin.part").exists()
    assert sum(come) == 10**6 + size - kept
    assert [given for given in hub.downloads("a.bin") if given] == [f"bytes={kept}-"] * (1 if size < LARGE else 2)


def test_a_part_of_another_content_is_thrown_away(hub, tmp_path):
    hub.add("owner/set", {"a.bin": b"a" * 5000})
    remote = HubRemote(HubFiles("src", "owner/set", None, hub.endpoint, tmp_path / "client"), "src", [])
    (file,) = remote.listing().files
    (tmp_path / "a.bin.part").write_bytes(b"b" * 4000)
    with pytest.raises(UserError, match=r"a\.bin is not what the hub says it is"):
        remote.fetch(file, tmp_path / "a.bin", silent)
    (tmp_path / "a.bin.part").write_bytes(b"b" * 6000)
    remote.fetch(file, tmp_path / "a.bin", silent)
    assert (tmp_path / "a.bin").read_bytes() == b"a" * 5000


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


@pytest.mark.parametrize(("status", "header"), [(429, "86400"), (503, "7200"), (429, "Wed, 01 Jan 2110 00:00:00 GMT")])
def test_a_hub_that_asks_for_a_longer_pause_than_a_run_sits_through(hub, tmp_path, status, header):
    """Its own client would sleep for a day."""
    hub.add("owner/set", {"a.txt": b"a"})
    hub.busy = [(status, header)]
    how = Pulling(tmp_path / "cache", root=tmp_path, endpoints={"hub": hub.endpoint})
    there = record({"hub": "owner/set"}, kind="hub")
    begin = time.monotonic()
    with pytest.raises(UserError, match=rf"how often it is asked, at a\.txt \({status}\)") as raised:
        pull("src", there, how)
    assert time.monotonic() - begin < 10
    assert "run again in " + (header if header.isdecimal() else "") in raised.value.fix
    pull("src", there, how)
    assert (tmp_path / "data/raw/src/files/a.txt").read_bytes() == b"a"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"RateLimit": '"api";r=0;t=55'}, 55),
        ({"RateLimit": '"api";r=3;t=55'}, None),
        ({"RateLimit": '"api";r=0;t=55', "Retry-After": "70"}, 70),
        ({}, None),
    ],
)
def test_the_hub_s_own_header_of_limits(headers, seconds):
    assert wait_of(httpx.Response(429, headers=headers)) == seconds


def test_a_hub_that_never_answers_a_question_is_given_up(hub, tmp_path, monkeypatch):
    """The client's list of files has no time limit of its own."""
    monkeypatch.setattr(hub_waits, "SILENCE_SECONDS", 0.2)
    hub.add("owner/set", {"a.txt": b"a"})
    hub.silent = True
    how = Pulling(tmp_path / "cache", root=tmp_path, endpoints={"hub": hub.endpoint})
    with pytest.raises(UserError, match="the hub can't be reached for its list of files"):
        pull("src", record({"hub": "owner/set", "revision": "a" * 40}, kind="hub"), how)


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
