"""A web server on loopback that a test scripts: what it answers, and what goes wrong first.

with Loopback(answer) as server:
    server.plan["/x"] = [Reply(503), Reply(cut=100)]    # the next two requests for /x; then `answer` again
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request; header names are looked up in any case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    raw_path: str = ""

    @property
    def range(self) -> str:
        return self.headers.get("Range", "")


@dataclass(frozen=True)
class Reply:
    """An answer. `cut` ends the connection after that many bytes of the body, `silent` says nothing more after them for
    a minute; of a planned one without a status it is the usual answer."""

    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    silent: int | None = None


Answer = Callable[[Asked], Reply]


def file_reply(asked: Asked, data: bytes, headers: dict[str, str]) -> Reply:
    """Answer with a file as RFC 9110 says: Range, If-Range and If-Match are heeded."""
    version = {headers.get("ETag"), headers.get("Last-Modified")}
    if "If-Match" in asked.headers and asked.headers["If-Match"] not in version:
        return Reply(412)
    given = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.range)
    if given is None or ("If-Range" in asked.headers and asked.headers["If-Range"] not in version):
        return Reply(200, data, headers)
    start = int(given[1])
    if start >= len(data):
        return Reply(416, b"", {"Content-Range": f"bytes */{len(data)}"})
    end = min(int(given[2]), len(data) - 1) if given[2] else len(data) - 1
    return Reply(206, data[start : end + 1], headers | {"Content-Range": f"bytes {start}-{end}/{len(data)}"})


class QuietHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that hung up: it has what it wanted, or was killed by the test."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Served:
    """A server on a free port of loopback that answers while the context lasts."""

    def __init__(self, handler: type[QuietHandler]) -> None:
        self._server = QuietServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def other_host(self) -> str:
        """The same server under another host name."""
        return f"http://localhost:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Loopback(Served):
    """The server, as a context manager; `requests` lists what was asked, in order."""

    def __init__(self, answer: Answer) -> None:
        self.requests: list[Asked] = []
        self.plan: dict[str, list[Reply]] = defaultdict(list)
        self.slow = 0.0  # seconds between kilobytes of a body
        server = self

        class Handler(_Handler):
            state = server

        self._answer = answer
        super().__init__(Handler)

    def asked(self, path: str) -> list[Asked]:
        return [asked for asked in self.requests if asked.path == path]

    def ranges(self, path: str) -> list[str]:
        return [asked.range for asked in self.asked(path)]

    def answer(self, asked: Asked) -> Reply:
        self.requests.append(asked)
        planned = self.plan[asked.path].pop(0) if self.plan.get(asked.path) else None
        if planned is None:
            return self._answer(asked)
        return planned if planned.status else replace(self._answer(asked), cut=planned.cut, silent=planned.silent)


class _Handler(QuietHandler):
    state: Loopback

    def do_HEAD(self) -> None:
        self._reply()

    def do_GET(self) -> None:
        self._reply()

    def _reply(self) -> None:
        url = urlsplit(self.path)
        reply = self.state.answer(Asked(self.command, unquote(url.path), url.query, self.headers, url.path))
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in reply.headers and reply.headers.get("Transfer-Encoding") != "chunked":
            self.send_header("Content-Length", str(len(reply.body)))
        if reply.cut is not None:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self._write(reply.body[: reply.cut if reply.silent is None else reply.silent])
        if reply.silent is not None:
            self.wfile.flush()
            time.sleep(60)
        if reply.cut is not None:
            self.wfile.flush()
            self.close_connection = True

    def _write(self, body: bytes) -> None:
        if not self.state.slow:
            self.wfile.write(body)
            return
        for start in range(0, len(body), 1024):
            self.wfile.write(body[start : start + 1024])
            time.sleep(self.state.slow)
