"""Files behind URLs: resumed, checked by digest and size, and refused with a reason."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from lingshu.core.errors import UserError
from lingshu.intake import download as downloading
from lingshu.intake.download import download
from lingshu.intake.http_wait import pause
from tests.loopback import Loopback, Reply, file_reply

DATA = bytes(range(256)) * 1000
DIGEST = hashlib.sha256(DATA).hexdigest()
VERSIONED = {"ETag": '"one"'}


@pytest.fixture
def waits(monkeypatch) -> list[float]:
    """The pauses that were made, none of which was waited for."""
    made: list[float] = []
    monkeypatch.setattr(downloading, "pause", lambda seconds, _moved: made.append(seconds))
    return made


@pytest.fixture
def server(waits):
    content = {"data": DATA, "headers": VERSIONED}
    with Loopback(lambda asked: file_reply(asked, content["data"], content["headers"])) as running:
        running.content = content
        yield running


def get(server, tmp_path, sha256="", **more):
    return download(f"{server.endpoint}/x", tmp_path / "in/x.bin", sha256, **more).read_bytes()


def test_a_file_is_downloaded_once(server, tmp_path):
    for _ in range(2):
        assert get(server, tmp_path, DIGEST, size=len(DATA)) == DATA
    assert len(server.requests) == 1
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["x.bin"]


def test_a_cut_connection_is_gone_on_from_however_often_it_breaks(server, tmp_path, waits):
    server.plan["/x"] = [Reply(cut=1000)] * 20
    assert get(server, tmp_path) == DATA
    assert server.ranges("/x") == ["", *(f"bytes={1000 * n}-" for n in range(1, 21))]
    assert {asked.headers.get("If-Range") for asked in server.requests[1:]} == {'"one"'}


def test_a_server_that_brings_nothing_is_given_up(server, tmp_path, waits):
    server.plan["/x"] = [Reply(cut=500), *[Reply(cut=0)] * 9]
    with pytest.raises(UserError, match=r"the connection failed .*, 5 times") as raised:
        get(server, tmp_path)
    assert "goes on from what has come" in raised.value.fix
    assert waits == [0.5, 0.5, 1, 2, 4]
    assert (tmp_path / "in/x.bin.part").read_bytes() == DATA[:500]
    server.plan.clear()
    assert get(server, tmp_path) == DATA
    assert server.ranges("/x")[-1] == "bytes=500-"


def test_a_new_version_is_not_mixed_with_the_old_one(server, tmp_path):
    server.plan["/x"] = [Reply(cut=1000)]
    server.content["headers"] = {"ETag": '"two"'}
    (tmp_path / "in").mkdir()
    (tmp_path / "in/x.bin.part").write_bytes(b"old" * 50)
    (tmp_path / "in/x.bin.part.version").write_text('"one"')
    assert get(server, tmp_path) == DATA


def test_a_server_that_ignores_if_range_is_found_out(server, tmp_path):
    part = tmp_path / "in/x.bin.part"
    part.parent.mkdir()
    part.write_bytes(b"old" * 50)
    part.with_name("x.bin.part.version").write_text('"one"')
    mixed = Reply(206, DATA[150:], {"ETag": '"two"', "Content-Range": f"bytes 150-{len(DATA) - 1}/{len(DATA)}"})
    server.plan["/x"] = [mixed]
    assert get(server, tmp_path) == DATA


def test_a_part_of_no_version_is_gone_on_from_only_if_a_digest_judges(server, tmp_path):
    server.content["headers"] = {}
    server.plan["/x"] = [Reply(cut=1000)]
    assert get(server, tmp_path) == DATA
    assert server.ranges("/x") == ["", ""]
    (tmp_path / "in/x.bin").unlink()
    server.plan["/x"] = [Reply(cut=1000)]
    assert get(server, tmp_path, DIGEST) == DATA
    assert server.ranges("/x")[2:] == ["", "bytes=1000-"]


def test_a_part_longer_than_the_file_is_thrown_away(server, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/x.bin.part").write_bytes(DATA + b"more")
    assert get(server, tmp_path, DIGEST) == DATA


def test_another_content_is_not_used(server, tmp_path):
    with pytest.raises(UserError, match=f"has SHA-256 {DIGEST}, not {'0' * 64}"):
        get(server, tmp_path, "0" * 64)
    assert list((tmp_path / "in").iterdir()) == []


def test_another_size_is_told_before_anything_is_downloaded(server, tmp_path):
    with pytest.raises(UserError, match=f"has {len(DATA)} bytes, 7 were expected"):
        get(server, tmp_path, size=7)
    assert not (tmp_path / "in/x.bin.part").exists()


def test_another_size_that_the_server_does_not_announce(server, tmp_path):
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (9, b"too short")
    server.plan["/x"] = [Reply(200, chunked, {"Transfer-Encoding": "chunked"})]
    with pytest.raises(UserError, match="has 9 bytes, 256000 were expected"):
        get(server, tmp_path, size=len(DATA))
    assert list((tmp_path / "in").iterdir()) == []


def test_a_body_shorter_than_its_content_length_is_no_file(server, tmp_path):
    server.plan["/x"] = [Reply(200, DATA[:10], VERSIONED | {"Content-Length": str(len(DATA))}, cut=10)]
    assert get(server, tmp_path) == DATA
    assert server.ranges("/x") == ["", "bytes=10-"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(server, tmp_path, waits, status):
    server.plan["/x"] = [Reply(status), Reply(status, headers={"Retry-After": "7"})]
    assert get(server, tmp_path) == DATA
    assert waits == [0.5, 7]


def test_retry_after_may_be_a_date(server, tmp_path, waits):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    server.plan["/x"] = [Reply(429, headers={"Retry-After": soon})]
    assert get(server, tmp_path) == DATA
    assert waits == [pytest.approx(30, abs=2)]


def test_a_pause_that_is_too_long_is_told(server, tmp_path, waits):
    server.plan["/x"] = [Reply(429, headers={"Retry-After": "3600"})]
    with pytest.raises(UserError, match=r"answers 429 .*; the server asks to wait 3600 s") as raised:
        get(server, tmp_path)
    assert "run the same command again" in raised.value.fix
    assert waits == []


def test_a_server_that_stays_busy(server, tmp_path):
    server.plan["/x"] = [Reply(503)] * 5
    with pytest.raises(UserError, match="the server answers 503 Service Unavailable, 5 times"):
        get(server, tmp_path)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_server_that_says_no_is_not_asked_again(server, tmp_path, status):
    server.plan["/x"] = [Reply(status)]
    with pytest.raises(UserError, match=f"src: http.*: the server answers {status}") as raised:
        get(server, tmp_path, subject="src: ")
    assert "pass a folder" in raised.value.fix
    assert len(server.requests) == 1


def test_an_address_that_leads_in_a_circle(server, tmp_path):
    server.plan["/x"] = [Reply(302, headers={"Location": "/x"})] * 30
    with pytest.raises(UserError, match="leads nowhere"):
        get(server, tmp_path)


def test_compressed_though_not_asked_to(server, tmp_path):
    server.plan["/x"] = [Reply(200, b"zip", {"Content-Encoding": "gzip"})]
    with pytest.raises(UserError, match="comes in gzip"):
        get(server, tmp_path)
    assert server.requests[0].headers["Accept-Encoding"] == "identity"


def test_a_page_in_place_of_the_file_is_not_used(server, tmp_path):
    server.content["data"] = b"\xef\xbb\xbf\n<!DOCTYPE html><title>Log in</title>"
    with pytest.raises(UserError, match=r"/x: is a web page .*, not x\.bin; it was not used"):
        get(server, tmp_path)
    assert list((tmp_path / "in").iterdir()) == []
    assert download(f"{server.endpoint}/x", tmp_path / "in/x.html").read_bytes() == server.content["data"]


def test_an_empty_answer_is_no_file(server, tmp_path):
    server.plan["/x"] = [Reply(200, b"")]
    with pytest.raises(UserError, match=r"/x: the server sends an empty file; it was not used"):
        get(server, tmp_path)
    assert list((tmp_path / "in").iterdir()) == []
    assert get(server, tmp_path) == DATA
    server.plan["/y"] = [Reply(200, b"")]
    assert download(f"{server.endpoint}/y", tmp_path / "in/y.bin", size=0).read_bytes() == b""


def test_who_stops_a_transfer_is_heard_while_it_waits():
    def moved(number):
        assert number == 0
        raise KeyboardInterrupt

    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        pause(100, moved)
    assert time.monotonic() - begin < 5


def test_a_full_disk_is_named(server, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/x.bin.part").symlink_to("/dev/full")
    with pytest.raises(UserError, match=r"x\.bin\.part: can't be written: No space left on device"):
        get(server, tmp_path)


def test_no_server(tmp_path, waits):
    with Loopback(lambda asked: Reply(200)) as gone:
        url = f"{gone.endpoint}/x"
    start = time.monotonic()
    with pytest.raises(UserError, match=r"the connection failed .*, 5 times"):
        download(url, tmp_path / "x.bin")
    assert time.monotonic() - start < 5


def test_progress_is_told_in_bytes_and_taken_back_for_what_is_thrown_away(server, tmp_path):
    told: list[int] = []
    server.plan["/x"] = [Reply(cut=1000), Reply(200, DATA, {"ETag": '"two"'})]
    assert get(server, tmp_path, moved=told.append) == DATA
    assert sum(told) == len(DATA)
    assert -1000 in told
