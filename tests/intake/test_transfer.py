"""Several files at a time, and a user who stops them."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from lingshu.core.errors import UserError
from lingshu.intake.download import download
from lingshu.intake.listing import RemoteFile
from lingshu.intake.transfer import fetch_all
from tests.loopback import Loopback, Reply, file_reply

DATA = {"/a": b"a" * 5000, "/b": b"b" * 5000, "/c": b"c" * 5000}


class Remote:
    def __init__(self, server):
        self.server = server

    def fetch(self, file, target, moved):
        download(f"{self.server.endpoint}/{file.name}", target, moved=moved)


@pytest.fixture
def server():
    with Loopback(lambda asked: file_reply(asked, DATA[asked.path], {"ETag": '"one"'})) as running:
        yield running


def test_ctrl_c_ends_a_pull_from_servers_that_say_nothing_and_what_came_is_kept(server, tmp_path):
    """One file came whole, of one 3000 bytes came, of one nothing: the next pull asks for the rest alone."""
    server.plan = {"/b": [Reply(silent=3000)], "/c": [Reply(silent=0)]}
    files = [RemoteFile(name=name.strip("/")) for name in DATA]
    threading.Thread(target=_interrupt_once, args=(tmp_path / "a", tmp_path / "b.part"), daemon=True).start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fetch_all("pull", Remote(server), files, tmp_path, 3)
    assert time.monotonic() - begin < 20
    assert (tmp_path / "a").read_bytes() == DATA["/a"]
    assert (tmp_path / "b.part").read_bytes() == DATA["/b"][:3000]

    fetch_all("pull", Remote(server), [file for file in files if file.name != "a"], tmp_path, 3)
    assert {f"/{path.name}": path.read_bytes() for path in tmp_path.iterdir()} == DATA
    assert server.ranges("/b") == ["", "bytes=3000-"]


def test_a_file_that_fails_is_told_at_once_while_a_server_says_nothing_of_another(server, tmp_path):
    server.plan = {"/a": [Reply(404)], "/b": [Reply(silent=3000)]}
    files = [RemoteFile(name=name.strip("/")) for name in DATA]
    begin = time.monotonic()
    with pytest.raises(UserError, match="/a: the server answers 404"):
        fetch_all("pull", Remote(server), files, tmp_path, 3)
    assert time.monotonic() - begin < 20
    fetch_all("pull", Remote(server), files, tmp_path, 3)
    assert {f"/{name}": (tmp_path / name).read_bytes() for name in "abc"} == DATA


def _interrupt_once(whole, part):
    """Press Ctrl-C when all that is going to come has come."""
    while not (whole.exists() and part.exists() and part.stat().st_size == 3000):
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)
